function [y, inside] = snap_to_grid (x, grid)
%SNAP_TO_GRID  Put values on a grid: decode_grid (encode_grid (x)) without the integers between.
%
%   [y, inside] = octcompress.quant.snap_to_grid (x, grid)
%
%   x       single or double, any size
%   y       the nearest value on the grid, the same bits as encoding and decoding give
%   inside  logical: x was not clipped, so a straight-through gradient passes
%
%   See also octcompress.quant.encode_grid, octcompress.model.forward.

  [first, last] = octcompress.quant.code_range (grid);
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (x));
  if grid.bits == 1 && strcmp (grid.scheme, 'symmetric')
    y = sign (x) .* scale;
    inside = abs (x) <= scale;
    return
  end
  y = round (x ./ scale) + zero_point;
  if nargout > 1
    inside = y >= first & y <= last;
  end
  y = (min (max (y, first), last) - zero_point) .* scale;
end

%!test % the same bits as through integers
%! for bits = [1 2 3 8 16]
%!   for scheme = {'symmetric', 'affine'}
%!     for axis = 0:2
%!       w = single (reshape (mod ((1:600) * 0.377, 2) - 0.8, 20, 30));
%!       grid = octcompress.quant.choose_grid (w, bits, scheme{1}, axis);
%!       x = w * single (1.3);
%!       expected = octcompress.quant.decode_grid (octcompress.quant.encode_grid (x, grid), grid);
%!       assert (octcompress.quant.snap_to_grid (x, grid), expected);
%!     end
%!   end
%! end
%!test
%! grid = struct ('bits', 2, 'scheme', 'symmetric', 'scale', 1, 'zero_point', 0, 'axis', 0);
%! [y, inside] = octcompress.quant.snap_to_grid ([-2 -1.4 0.2 1.6], grid);
%! assert (y, [-1 -1 0 1]);
%! assert (inside, [false true true false]);
