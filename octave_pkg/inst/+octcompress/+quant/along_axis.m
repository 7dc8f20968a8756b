function [scale, zero_point] = along_axis (grid, class_name)
%ALONG_AXIS  A grid's scales and zero points, shaped to meet the array they belong to.
%
%   [scale, zero_point] = octcompress.quant.along_axis (grid, class_name)
%
%   With grid.axis = d they lie along dimension d; with 0 they are scalars.
%
%   See also octcompress.quant.encode_grid.

  scale = cast (grid.scale, class_name);
  zero_point = cast (grid.zero_point, class_name);
  if grid.axis > 1
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
