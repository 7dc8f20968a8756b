function [x, columns, rows] = pad_windows (x, columns, rows, value)
%PAD_WINDOWS  Surround images by the lines that windows reach.
%
%   [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, value)
%
%   x              C x W x N x H
%   columns, rows  of octcompress.layers.window; they come back with the count of the padded image
%   value          scalar, what the added lines hold
%
%   See also octcompress.layers.window.

  [c, width, n, height] = size (x);
  left = max (0, 1 - min (columns(:)));
  top = max (0, 1 - min (rows(:)));
  new_width = max (width, max (columns(:))) + left;
  new_height = max (height, max (rows(:))) + top;
  if new_width > width || new_height > height
    image = x;
    x = zeros (c, new_width, n, new_height, class (image));
    if value ~= 0
      x(:) = value;
    end
    x(:, left + 1:left + width, :, top + 1:top + height) = image;   % ranges, which are fast
    columns = columns + left;
    rows = rows + top;
  end
end

%!test
%! x = reshape (1:12, 1, 3, 2, 2);
%! [y, columns, rows] = octcompress.layers.pad_windows (x, [0 1 2; 1 2 3], [1 2; 2 3], -7);
%! assert (size (y), [1 4 2 3]);
%! assert (y(:, 2:4, :, 1:2), x);
%! assert (reshape (y(:, 1, :, :), 1, []), -7 * ones (1, 6));
%! assert (reshape (y(:, :, :, 3), 1, []), -7 * ones (1, 8));
%! assert (columns, [1 2 3; 2 3 4]);
%! assert (rows, [1 2; 2 3]);
%!test % nothing to add
%! x = ones (2, 3, 4);
%! assert (octcompress.layers.pad_windows (x, 1:3, 1, 0), x);
