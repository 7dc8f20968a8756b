function grid = choose_grid (w, bits, scheme, axis)
%CHOOSE_GRID  The uniform grid that covers an array.
%
%   grid = octcompress.quant.choose_grid (w, bits)
%   grid = octcompress.quant.choose_grid (w, bits, scheme, axis)
%
%   w       single or double, any size, finite
%   bits    1 to 16
%   scheme  'symmetric' (default): codes -(2^(bits-1) - 1) to 2^(bits-1) - 1,
%             scale = max (abs (w)) / (2^(bits-1) - 1), zero_point = 0;
%             with 1 bit the codes are sign (w) and scale = mean (abs (w(w ~= 0))) [2]
%           'affine': codes -2^(bits-1) to 2^(bits-1) - 1 over [lo hi], the range of w widened
%             to hold 0, scale = hi / (2^bits - 1) - lo / (2^bits - 1),
%             zero_point = round (-2^(bits-1) - lo / scale) [1, eq. 1]
%   axis    0 (default): one scale for all; d: one for each slice of dimension d
%   grid    struct: bits, scheme, scale and zero_point (scalar, or size (w, axis) x 1; in the
%           class of w), axis
%
%   The range and the scale are computed in double; the scale is then rounded to the class of w.
%   A scale that would be 0 is 1. Zero is always on the grid, so pruned weights stay zero.
%
%   Errors: octcompress:choose_grid:badValue.
%
%   [1] Jacob et al., Quantization and training of neural networks, CVPR 2018, arXiv:1712.05877.
%   [2] Rastegari et al., XNOR-Net, ECCV 2016, arXiv:1603.05279.
%
%   See also octcompress.quant.grid_of_range, octcompress.quant.encode_grid, nn_quantize.

  if nargin < 3
    scheme = 'symmetric';
  end
  if nargin < 4
    axis = 0;
  end
  octcompress.internal.check ('choose_grid', 'bits', bits, 'integer', [1 16]);
  octcompress.internal.check ('choose_grid', 'scheme', scheme, 'choice', {'symmetric', 'affine'});
  octcompress.internal.check ('choose_grid', 'axis', axis, 'integer', [0 16]);
  octcompress.internal.check ('choose_grid', 'w', w, 'finite');
  if bits == 1 && strcmp (scheme, 'symmetric')
    grid = struct ('bits', 1, 'scheme', scheme, 'scale', mean_magnitude (w, axis), ...
                   'zero_point', 0, 'axis', axis);
    grid.zero_point = zeros (size (grid.scale), class (w));
    return
  end
  [lo, hi] = octcompress.quant.range_of (w, axis);
  grid = octcompress.quant.grid_of_range (lo, hi, bits, scheme, axis, class (w));
end

function scale = mean_magnitude (w, axis)
  slices = octcompress.quant.slices (w, axis);
  magnitude = abs (double (slices));
  scale = sum (magnitude, 1)' ./ max (sum (magnitude ~= 0, 1)', 1);
  scale = cast (min (scale, realmax (class (w))), class (w));
  scale(scale == 0) = 1;
end

%!test
%! grid = octcompress.quant.choose_grid (single ([-2 0 1]), 4);
%! assert (grid, struct ('bits', 4, 'scheme', 'symmetric', 'scale', single (2 / 7), 'zero_point', single (0), 'axis', 0));
%!test % affine: the range holds zero, and zero is a code
%! grid = octcompress.quant.choose_grid ([1 5], 8, 'affine');
%! assert ({grid.scale, grid.zero_point}, {5 / 255, -128});
%! grid = octcompress.quant.choose_grid ([-1 3], 2, 'affine');
%! assert ({grid.scale, grid.zero_point}, {3 / 3 - -1 / 3, -1});
%!test % one scale for each row
%! grid = octcompress.quant.choose_grid ([1 -7; 14 0], 4, 'symmetric', 1);
%! assert (grid.scale, [1; 2]);
%!test % one bit
%! grid = octcompress.quant.choose_grid ([1 -3 0 0], 1);
%! assert (grid.scale, 2);
%!test % nothing to scale by
%! for w = {zeros(2, 2), [], single(1e-45)}
%!   grid = octcompress.quant.choose_grid (w{1}, 8);
%!   assert (grid.scale, ones (1, class (w{1})));
%! end
%! grid = octcompress.quant.choose_grid (zeros (2), 1);
%! assert (grid.scale, 1);
%!error <choose_grid: BITS must be a whole number from 1 to 16, but is 17> octcompress.quant.choose_grid (1, 17)
%!error <choose_grid: BITS must be a whole number from 1 to 16, but is empty> octcompress.quant.choose_grid (1, [])
%!error <choose_grid: W must be finite, but element 2 of 2 is Inf> octcompress.quant.choose_grid ([1 Inf], 8)
%!error <choose_grid: SCHEME must be one of 'symmetric', 'affine', but is 'odd'> octcompress.quant.choose_grid (1, 8, 'odd')
