function grid = grid_of_range (lo, hi, bits, scheme, axis, class_name)
%GRID_OF_RANGE  The uniform grid over a range of values.
%
%   grid = octcompress.quant.grid_of_range (lo, hi, bits, scheme, axis, class_name)
%
%   lo, hi      double, scalar or n x 1: the least and greatest value of each slice
%   bits        1 to 16; 2 to 16 where the scheme is symmetric
%   scheme      'symmetric' or 'affine', as in octcompress.quant.choose_grid
%   axis        the dimension that the slices belong to; 0 for one range
%   class_name  'single' or 'double', of scale and zero_point
%
%   See also octcompress.quant.choose_grid, nn_quantize.

  bits = double (bits);
  if strcmp (scheme, 'symmetric')
    scale = max (abs (lo), abs (hi)) / max (2 ^ (bits - 1) - 1, 1);
  else
    lo = min (lo, 0);
    hi = max (hi, 0);
    levels = 2 ^ bits - 1;
    scale = hi / levels - lo / levels;
  end
  scale = cast (min (scale, realmax (class_name)), class_name);
  scale(scale == 0) = 1;
  zero_point = zeros (size (scale), class_name);
  if strcmp (scheme, 'affine')
    first = -2 ^ (bits - 1);
    exact = round (first - lo ./ double (scale));
    zero_point = cast (min (max (exact, first), -first - 1), class_name);
  end
  grid = struct ('bits', bits, 'scheme', scheme, 'scale', scale, 'zero_point', zero_point, 'axis', axis);
end

%!test
%! grid = octcompress.quant.grid_of_range (0, 25.5, 8, 'affine', 0, 'double');
%! assert (grid.scale, 0.1, eps);
%! assert (grid.zero_point, -128);
%!test % a range that no scale can span
%! grid = octcompress.quant.grid_of_range (-realmax, realmax, 1, 'affine', 0, 'double');
%! assert (grid.scale, realmax);
%!test % the zero point stays on the grid
%! grid = octcompress.quant.grid_of_range (-3, -1, 8, 'affine', 0, 'double');
%! assert (grid.zero_point, 127);
