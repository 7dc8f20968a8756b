function [scale, zero_point] = along_axis (grid, class_name, full_size)
%ALONG_AXIS  A grid's scales and zero points, shaped to meet the array they belong to.
%
%   [scale, zero_point] = octcompress.quant.along_axis (grid, class_name)
%   [scale, zero_point] = octcompress.quant.along_axis (grid, class_name, full_size)
%
%   With grid.axis = d they lie along dimension d; with 0 they are scalars. Where grid.group is
%   given they are as large as the array, whose size full_size is.
%
%   See also octcompress.quant.encode_grid.

  scale = cast (grid.scale, class_name);
  zero_point = cast (grid.zero_point, class_name);
  if isfield (grid, 'group')
    count = 1;
    if grid.axis > numel (full_size)
      full_size(end+1:grid.axis) = 1;
    end
    if grid.axis > 0
      count = full_size(grid.axis);
    end
    rows = prod (full_size) / max (count, 1);
    column = ceil ((1:rows)' / grid.group) + (0:count-1) * ceil (rows / grid.group);
    scale = octcompress.quant.unslice (reshape (scale(column), rows, count), full_size, grid.axis);
    zero_point = octcompress.quant.unslice (reshape (zero_point(column), rows, count), ...
                                            full_size, grid.axis);
  elseif grid.axis > 1
    shape = [ones(1, grid.axis - 1), numel(scale)];
    scale = reshape (scale, shape);
    zero_point = reshape (zero_point, shape);
  end
end

%!test
%! grid = struct ('scale', [1; 2; 3], 'zero_point', [0; 0; 0], 'axis', 3);
%! [scale, zero_point] = octcompress.quant.along_axis (grid, 'single');
%! assert (scale, reshape (single ([1 2 3]), 1, 1, 3));
%! assert (size (zero_point), [1 1 3]);
%!test % groups of two inputs in each row
%! grid = struct ('scale', [1; 2; 3; 4], 'zero_point', [0; 0; 0; 0], 'axis', 1, 'group', 2);
%! assert (octcompress.quant.along_axis (grid, 'double', [2 3]), [1 1 2; 3 3 4]);
