function [y, codes, inside] = snap_to_grid (x, grid)
%SNAP_TO_GRID  Put values on a grid: decode_grid (encode_grid (x)) without the integers between.
%
%   [y, codes, inside] = octcompress.quant.snap_to_grid (x, grid)
%
%   x       single or double, any size
%   y       the nearest value on the grid, the same bits as encoding and decoding give
%   codes   those of encode_grid, in the class of x
%   inside  logical: x was not clipped, so a straight-through gradient passes
%
%   Several times faster than by way of integers.
%
%   Where grid.dynamic is true the range is that of x itself, of each slice of grid.axis: each
%   observation of a batch gets its own scale.
%
%   See also octcompress.quant.encode_grid, octcompress.model.forward.

  if isfield (grid, 'dynamic') && grid.dynamic
    [lo, hi] = octcompress.quant.range_of (x, grid.axis);
    grid = octcompress.quant.grid_of_range (lo, hi, grid.bits, grid.scheme, grid.axis, class (x));
  end
  if isfield (grid, 'codebook') || ~isempty (octcompress.quant.float_format (grid.scheme))
    codes = octcompress.quant.encode_grid (x, grid);
    y = octcompress.quant.decode_grid (codes, grid, class (x));
    codes = cast (codes, class (x));
    inside = true (size (x));
    return
  end
  [first, last] = octcompress.quant.code_range (grid);
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (x), size (x));
  if grid.bits == 1 && strcmp (grid.scheme, 'symmetric')
    codes = sign (x);
    y = codes .* scale;
    inside = abs (x) <= scale;
    return
  end
  codes = round (x ./ scale) + zero_point;
  if nargout > 2
    inside = codes >= first & codes <= last;
  end
  codes = min (max (codes, first), last);
  y = (codes - zero_point) .* scale;
end

%!test % the same bits as through integers
%! for bits = [1 2 3 8 16]
%!   for scheme = {'symmetric', 'affine', 'signed', 'unsigned'}
%!     for axis = 0:2
%!       w = single (reshape (mod ((1:600) * 0.377, 2) - 0.8, 20, 30));
%!       grid = octcompress.quant.choose_grid (w, bits, scheme{1}, axis);
%!       x = w * single (1.3);
%!       codes = octcompress.quant.encode_grid (x, grid);
%!       [y, same] = octcompress.quant.snap_to_grid (x, grid);
%!       assert (y, octcompress.quant.decode_grid (codes, grid));
%!       assert (same, single (codes));
%!     end
%!   end
%! end
%!test
%! grid = struct ('bits', 2, 'scheme', 'symmetric', 'scale', 1, 'zero_point', 0, 'axis', 0);
%! [y, ~, inside] = octcompress.quant.snap_to_grid ([-2 -1.4 0.2 1.6], grid);
%! assert (y, [-1 -1 0 1]);
%! assert (inside, [false true true false]);
%!test % dynamic: each column by its own greatest value
%! grid = struct ('bits', 8, 'scheme', 'symmetric', 'dynamic', true, 'axis', 2);
%! assert (octcompress.quant.snap_to_grid ([127 1270; 1.2 8], grid), [127 1270; 1 10]);
