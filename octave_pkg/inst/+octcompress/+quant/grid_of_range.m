function grid = grid_of_range (lo, hi, bits, scheme, axis, class_name, power2)
%GRID_OF_RANGE  The uniform grid over a range of values.
%
%   grid = octcompress.quant.grid_of_range (lo, hi, bits, scheme, axis, class_name)
%   grid = octcompress.quant.grid_of_range (lo, hi, bits, scheme, axis, class_name, power2)
%
%   lo, hi      double, scalar or n x 1: the least and greatest value of each slice
%   bits        1 to 16; 2 to 16 where the scheme is symmetric
%   scheme      'symmetric', 'signed', 'affine' or 'unsigned', as in octcompress.quant.choose_grid
%   axis        the dimension that the slices belong to; 0 for one range
%   class_name  'single' or 'double', of scale and zero_point
%   power2      true: the scale is the next power of two (false)
%
%   Errors: octcompress:choose_grid:badValue.
%
%   See also octcompress.quant.choose_grid, nn_quantize.

  octcompress.internal.check ('choose_grid', 'scheme', scheme, 'choice', ...
                              {'symmetric', 'affine', 'signed', 'unsigned'});
  octcompress.internal.check ('choose_grid', 'bits', bits, 'integer', [1 16]);
  bits = double (bits);
  shifted = any (strcmp (scheme, {'affine', 'unsigned'}));
  switch scheme
    case 'symmetric'
      scale = max (abs (lo), abs (hi)) / max (2 ^ (bits - 1) - 1, 1);
    case 'signed'
      scale = max (-min (lo, 0) / 2 ^ (bits - 1), max (hi, 0) / max (2 ^ (bits - 1) - 1, 1));
    otherwise
      lo = min (lo, 0);
      hi = max (hi, 0);
      levels = 2 ^ bits - 1;
      scale = hi / levels - lo / levels;
  end
  if nargin > 6 && power2
    scale = octcompress.quant.next_power2 (scale);
  end
  scale = min (cast (scale, class_name), realmax (class_name));
  scale(scale == 0) = 1;
  zero_point = zeros (size (scale), class_name);
  if shifted
    [first, last] = octcompress.quant.code_range (struct ('bits', bits, 'scheme', scheme));
    exact = round (first - lo ./ double (scale));
    zero_point = cast (min (max (exact, first), last), class_name);
  end
  grid = struct ('bits', bits, 'scheme', scheme, 'scale', scale, 'zero_point', zero_point, ...
                 'axis', axis);
end

%!test
%! grid = octcompress.quant.grid_of_range (0, 25.5, 8, 'affine', 0, 'double');
%! assert (grid.scale, 0.1, eps);
%! assert (grid.zero_point, -128);
%!test % the zero point stays on the grid
%! grid = octcompress.quant.grid_of_range (-3, -1, 8, 'affine', 0, 'double');
%! assert (grid.zero_point, 127);
%!test % unsigned is affine with the codes moved up
%! a = octcompress.quant.grid_of_range (-1, 2, 8, 'affine', 0, 'single');
%! u = octcompress.quant.grid_of_range (-1, 2, 8, 'unsigned', 0, 'single');
%! assert ({u.scale, u.zero_point}, {a.scale, a.zero_point + 128});
%!test % signed uses the code that symmetric leaves out
%! grid = octcompress.quant.grid_of_range (-8, 7, 4, 'signed', 0, 'double');
%! assert ({grid.scale, grid.zero_point}, {1, 0});
%!test % powers of two
%! grid = octcompress.quant.grid_of_range ([-1; -3; 0], [0.9; 1; 8], 4, 'symmetric', 1, ...
%!                                         'double', true);
%! assert (grid.scale, [0.25; 0.5; 2]);
%!assert (getfield (octcompress.quant.grid_of_range (-realmax, realmax, 1, 'affine', 0, ...
%!                                                   'double'), 'scale'), realmax)
