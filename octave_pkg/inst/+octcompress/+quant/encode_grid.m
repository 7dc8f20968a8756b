function codes = encode_grid (w, grid)
%ENCODE_GRID  Integer codes of an array on a uniform grid.
%
%   codes = octcompress.quant.encode_grid (w, grid)
%
%   w      single or double, any size, finite
%   grid   struct: bits (1 to 16), scheme, scale (scalar, or one per slice of grid.axis),
%          zero_point (same size), axis (0 for one scale), group; or bits and codebook
%   codes  int32, the size of w
%
%   codes = round (w / scale) + zero_point, half away from zero, clipped to the grid [1, eq. 3];
%   the division is in the class of w. A symmetric grid of 1 bit has the codes sign (w). The codes
%   of a codebook are the places of the nearest entries, from 0; those of the floating point
%   formats the bit patterns of w / scale.
%
%   Errors: octcompress:encode_grid:notFinite if w holds NaN or Inf.
%
%   [1] Jacob et al., Quantization and training of neural networks, CVPR 2018, arXiv:1712.05877.
%
%   See also octcompress.quant.decode_grid, nn_quantize.

  octcompress.internal.check ('encode_grid', 'w', w, 'finite');
  if isfield (grid, 'codebook')
    codes = int32 (octcompress.quant.nearest_entry (w, grid.codebook)) - 1;
    return
  end
  [first, last] = octcompress.quant.code_range (grid);
  if grid.bits == 1 && strcmp (grid.scheme, 'symmetric')
    codes = int32 (sign (w));
    return
  end
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (w), size (w));
  if ~isempty (octcompress.quant.float_format (grid.scheme))
    codes = octcompress.quant.encode_float (w ./ scale, grid.scheme);
    return
  end
  codes = int32 (w ./ scale);
  if any (zero_point(:) ~= 0)
    codes = codes + int32 (zero_point);
  end
  codes = min (max (codes, first), last);
end

%!function grid = some_grid (bits, scheme, scale, zero_point, axis)
%!  grid = struct ('bits', bits, 'scheme', scheme, 'scale', scale, 'zero_point', zero_point, ...
%!                 'axis', axis);
%!endfunction
%!shared plain
%! plain = some_grid (4, 'symmetric', 0.5, 0, 0);
%!assert (octcompress.quant.encode_grid ([0 0.25 -0.25 0.2 9 -9], plain), int32 ([0 1 -1 0 7 -7]))
%!test % affine
%! grid = some_grid (4, 'affine', 0.5, -3, 0);
%! assert (octcompress.quant.encode_grid ([0 1 99 -99], grid), int32 ([-3 -1 7 -8]));
%!test % each column with its own scale
%! grid = some_grid (4, 'symmetric', [0.5; 1], [0; 0], 2);
%! assert (octcompress.quant.encode_grid ([1 1; 2 2], grid), int32 ([2 1; 4 2]));
%!test % one bit keeps zeros
%! grid = some_grid (1, 'symmetric', 0.5, 0, 0);
%! assert (octcompress.quant.encode_grid ([-3 0 2], grid), int32 ([-1 0 1]));
%!test % groups of two in each row
%! grid = some_grid (4, 'symmetric', [1; 0.5], [0; 0], 1);
%! grid.group = 2;
%! assert (octcompress.quant.encode_grid ([1 1 1], grid), int32 ([1 1 2]));
%!test % a codebook in any order, and zero exactly
%! grid = struct ('bits', 2, 'scheme', 'codebook', 'codebook', [0; -1; 0.5], 'axis', 0);
%! assert (octcompress.quant.encode_grid ([-9 -0.4 0.2 0.3], grid), int32 ([1 0 0 2]));
%!assert (octcompress.quant.encode_grid ([1e30 -1e30], plain), int32 ([7 -7]))
%!error <encode_grid: W must be finite, but element 2 of 2 is NaN> octcompress.quant.encode_grid ([1 NaN], plain)
