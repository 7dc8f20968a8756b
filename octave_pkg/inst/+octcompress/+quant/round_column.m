function [codes, q] = round_column (t, grid, j, zero)
%ROUND_COLUMN  The nearest codes of one column of a layer's matrix.
%
%   [codes, q] = octcompress.quant.round_column (t, grid, j, zero)
%
%   t      out x 1, single or double
%   grid   of the whole matrix, axis 0 or 1
%   j      the column's number, which picks the scale where grid.group is given
%   zero   logical out x 1: entries that must be zero
%   codes  out x 1 double
%   q      out x 1, the values they stand for, in the class of t
%
%   See also octcompress.quant.gptq.

  if isfield (grid, 'codebook')
    codes = octcompress.quant.nearest_entry (t, grid.codebook) - 1;
    codes(zero) = octcompress.quant.nearest_entry (0, grid.codebook) - 1;
    q = cast (grid.codebook(codes + 1), class (t));
    q(zero) = 0;
    return
  end
  scale = grid.scale;
  zero_point = double (grid.zero_point);
  if isfield (grid, 'group')
    rows = 1;
    if grid.axis == 1
      rows = numel (t);
    end
    pick = ceil (j / grid.group) + (0:rows-1)' * (numel (scale) / rows);
    scale = scale(pick);
    zero_point = zero_point(pick);
  end
  if ~isempty (octcompress.quant.float_format (grid.scheme))
    codes = double (octcompress.quant.encode_float (t ./ scale, grid.scheme));
    codes(zero) = 0;
    q = octcompress.quant.decode_float (codes, grid.scheme) .* double (scale);
  else
    [first, last] = octcompress.quant.code_range (grid);
    if grid.bits == 1 && strcmp (grid.scheme, 'symmetric')
      codes = sign (double (t));
    else
      codes = min (max (round (double (t) ./ double (scale)) + zero_point, first), last);
    end
    centre = zero_point .* ones (size (codes));
    codes(zero) = centre(zero);
    q = (codes - zero_point) .* double (scale);
  end
  q = cast (q, class (t));
end

%!test
%! grid = octcompress.quant.choose_grid ([1 3; 7 2], 4, 'symmetric', 1);
%! [codes, q] = octcompress.quant.round_column ([1; 2.4], grid, 2, [false; false]);
%! assert (codes, [2; 2]);
%! assert (q, codes .* grid.scale);
%!test
%! grid = struct ('bits', 4, 'scheme', 'affine', 'scale', 1, 'zero_point', -3, 'axis', 0);
%! assert (octcompress.quant.round_column ([5; 5], grid, 1, [true; false]), [-3; 2]);
