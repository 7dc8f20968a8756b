function [low, high] = grid_ends (grid, w)
%GRID_ENDS  The least and the greatest value of a grid, shaped to meet an array.
%
%   [low, high] = octcompress.quant.grid_ends (grid, w)
%
%   See also octcompress.quant.code_range, nn_quantize_train.

  if isfield (grid, 'codebook')
    low = cast (min (grid.codebook(:)), class (w));
    high = cast (max (grid.codebook(:)), class (w));
    return
  end
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (w), size (w));
  format = octcompress.quant.float_format (grid.scheme);
  if isempty (format)
    [first, last] = octcompress.quant.code_range (grid);
  else
    first = -format.largest;
    last = format.largest;
  end
  low = (first - zero_point) .* scale;
  high = (last - zero_point) .* scale;
end

%!test
%! grid = octcompress.quant.choose_grid ([1 2; -4 0], 3, 'affine', 1);
%! [low, high] = octcompress.quant.grid_ends (grid, zeros (2));
%! assert (octcompress.quant.snap_to_grid ([-9; -9], grid), low);
%! assert (octcompress.quant.snap_to_grid ([9; 9], grid), high);
%! [low, high] = octcompress.quant.grid_ends (struct ('scheme', 'codebook', 'codebook', ...
%!                                                    [2; -1]), single (0));
%! assert ({low, high}, {single(-1), single(2)});
