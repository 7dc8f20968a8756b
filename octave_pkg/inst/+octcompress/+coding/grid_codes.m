function codes = grid_codes (values, grid)
%GRID_CODES  The codes of values on a grid, counted from the code of zero.
%
%   codes = octcompress.coding.grid_codes (values, grid)
%
%   values  single or double array
%   grid    as in octcompress.quant.encode_grid
%   codes   double array of whole numbers; empty if the values are not on the grid to the bit
%
%   From the codes of a uniform grid its zero points are taken. The entries of a codebook are
%   counted in rising order from the smallest in magnitude (the lower one of two). The codes of the
%   small floating point formats stay as they are.
%
%   See also octcompress.coding.grid_values.

  codes = [];
  if ~isfloat (values) || ~isreal (values) || ~all (isfinite (values(:)))
    return
  end
  try
    codes = double (octcompress.quant.encode_grid (values, grid));
    if ~isfield (grid, 'codebook') && ~isempty (octcompress.quant.float_format (grid.scheme))
      codes(values == 0 & 1 ./ values < 0) = 2 ^ (grid.bits - 1);   % the pattern of -0
    end
    back = octcompress.quant.decode_grid (codes, grid, class (values));
  catch
    codes = [];   % not a grid of ours: the values are coded without it
    return
  end
  if ~isequal (octcompress.coding.value_bytes (back), octcompress.coding.value_bytes (values))
    codes = [];
  elseif isfield (grid, 'codebook')
    [order, centre] = octcompress.coding.book_order (grid.codebook);
    rank(order) = (1:numel (order)) - centre;
    codes = reshape (rank(codes(:) + 1), size (codes));
  elseif isempty (octcompress.quant.float_format (grid.scheme))
    [~, zero_point] = octcompress.quant.along_axis (grid, 'double', size (values));
    codes = codes - zero_point;
  end
end

%!test
%! grid = struct ('bits', 4, 'scheme', 'symmetric', 'scale', single (0.5), 'zero_point', ...
%!                single (0), ...
%!                'axis', 0);
%! assert (octcompress.coding.grid_codes (single ([-1 0 1.5]), grid), [-2 0 3]);
%! assert (isempty (octcompress.coding.grid_codes (single ([-1 0 1.4]), grid)));
