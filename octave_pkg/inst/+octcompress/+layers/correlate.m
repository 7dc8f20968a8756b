function result = correlate (form, a, b, bias, columns, rows)
%CORRELATE  A convolution of all channels with all, as matrix products over its rows.
%
%   y = octcompress.layers.correlate ('correlate', x, w, bias, columns, rows)
%   dw = octcompress.layers.correlate ('weights', x, dy, [], columns, rows)
%
%   x, y     C x W x N x H (the engine's layout), on the two sides of the windows
%   w        channels of y x channels of x x kernel width x kernel height
%   bias     a column, or []
%   columns, rows  of octcompress.layers.window
%
%   Channels come first, so a row of the image becomes the kernel's row of all its windows by one
%   gather of columns, each a contiguous run of channels. While it is in the processor's cache,
%   every kernel row multiplies it, each product belonging to another row of the result. An image of
%   few channels has short runs and makes small products. There several windows side by side are
%   one wider window, of a kernel that holds w once for each of them, shifted, and zeros: more
%   operations, but fewer columns to gather and larger products. Where that does not pay, the whole
%   window is gathered by one index. A 1 x 1 kernel needs no gather.
%
%   See also octcompress.layers.convolution.

  if strcmp (form, 'correlate')
    result = by_input (a, b, bias, columns, rows);
  else
    result = by_weights (a, b, columns, rows);
  end
end

function y = by_input (x, w, bias, columns, rows)
  [c, width, n, height] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  m = ow * n;
  if is_plain (columns, rows, width, height)
    y = reshape (w, [], c) * reshape (x, c, []);
    if ~isempty (bias)
      y = octcompress.layers.affine (y, [], bias);
    end
  elseif has_few_channels (c) && together (c, kw, ow, size (w, 1)) > 1
    b = together (c, kw, ow, size (w, 1));
    [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
    [columns, shift] = widen_columns (columns, b);
    wide = zeros (size (w, 1), b, c, size (columns, 1), kh, class (w));
    w = reshape (w, [], 1, c, kw, kh);
    for i = 1:b
      wide(:, i, :, shift(:, i), :) = w;
    end
    wide = reshape (wide, [], c * size (columns, 1) * kh);
    x = line_up (x, columns);
    groups = output_groups (oh, size (x, 2));
    base = start (repmat (bias, b, 1), size (wide, 1), size (x, 2) * numel (groups{1}), class (w));
    lines = cell (1, numel (groups));
    for i = 1:numel (groups)
      part = stack (x, rows(:, groups{i}));
      lines{i} = base(:, 1:size (part, 2)) + wide * part;
    end
    y = reshape ([lines{:}], size (w, 1), []);
  elseif has_few_channels (c)
    w = reshape (w, [], c * kw * kh);
    [x, rows, index] = window_index (x, columns, rows);
    base = start (bias, size (w, 1), m, class (w));
    lines = cell (1, oh);
    for r = 1:oh
      part = x(:, :, :, rows(:, r));
      % of a vector, a vector as it lies
      lines{r} = base + w * reshape (part(index), size (index));
    end
    y = [lines{:}];
  else
    w = num2cell (reshape (w, [], c * kw, kh), [1 2]);
    targets = targets_of (rows, height);
    if m < 1024
      groups = row_groups (height, rows, m);
      y = rows_together (x, w, columns, targets, groups, m, oh, bias);
    else
      y = row_by_row (x, w, columns, targets, m, oh, bias);
    end
  end
  y = reshape (y, [], ow, n, oh);
end

function y = start (bias, out, count, kind)
  % What products are added to: the bias, in COUNT columns.
  if isempty (bias)
    y = zeros (out, count, kind);
  else
    y = repmat (bias, 1, count);
  end
end

function y = row_by_row (x, w, columns, targets, m, oh, bias)
  lines = cell (1, oh);
  lines(:) = {start(bias, size (w{1}, 1), m, class (w{1}))};
  for row = find (any (targets > 0, 1))
    part = gather (x, columns, row);
    for k = find (targets(:, row) > 0)'
      r = targets(k, row);
      lines{r} = lines{r} + w{k} * part;
    end
  end
  y = [lines{:}];
end

function y = rows_together (x, w, columns, targets, groups, m, oh, bias)
  y = start (bias, size (w{1}, 1), m * oh, class (w{1}));
  for group = groups
    part = gather (x, columns, group{1});
    for k = 1:numel (w)
      [from, to] = ranges (targets(k, group{1}), m);
      if ~isempty (from)
        y(:, to) = y(:, to) + w{k} * part(:, from);
      end
    end
  end
end

function dw = by_weights (x, dy, columns, rows)
  [c, width, n, height] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  m = ow * n;
  dy = reshape (dy, [], m * oh);
  dw = {0};
  if is_plain (columns, rows, width, height)
    x = reshape (x, c, []);
    for first = 1:4096:m * oh
      range = first:min (first + 4095, m * oh);
      dw{1} = dw{1} + dy(:, range) * x(:, range)';
    end
  elseif has_few_channels (c) && together (c, kw, ow, size (dy, 1)) > 1
    b = together (c, kw, ow, size (dy, 1));
    [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
    [columns, shift] = widen_columns (columns, b);
    x = line_up (x, columns);
    out = size (dy, 1);
    dy = reshape (dy, out * b, size (x, 2), oh);
    for group = output_groups (oh, size (x, 2))
      part = reshape (dy(:, :, group{1}), out * b, []);
      dw{1} = dw{1} + part * stack (x, rows(:, group{1}))';
    end
    wide = reshape (dw{1}, out, b, c, [], kh);
    dw{1} = 0;
    for i = 1:b
      dw{1} = dw{1} + reshape (wide(:, i, :, shift(:, i), :), out, c, kw, kh);
    end
  elseif has_few_channels (c)
    [x, rows, index] = window_index (x, columns, rows);
    for r = 1:oh
      part = x(:, :, :, rows(:, r));
      dw{1} = dw{1} + dy(:, (r - 1) * m + 1:r * m) * reshape (part(index), size (index))';
    end
  else
    dw = repmat ({zeros(size (dy, 1), c * kw, class (dy))}, 1, kh);
    targets = targets_of (rows, height);
    for group = row_groups (height, rows, m)
      part = gather (x, columns, group{1});
      for k = 1:kh
        [from, to] = ranges (targets(k, group{1}), m);
        if ~isempty (from)
          dw{k} = dw{k} + dy(:, to) * part(:, from)';
        end
      end
    end
  end
  dw = reshape ([dw{:}], [], c, kw, kh);
end

function yes = is_plain (columns, rows, width, height)
  % A kernel of one pixel that visits each pixel: no gather, one product.
  yes = size (columns, 1) == 1 && size (rows, 1) == 1 && size (columns, 2) == width ...
        && size (rows, 2) == height && columns(1) == 1 && rows(1) == 1 ...
        && columns(end) == width && rows(end) == height;
end

function few = has_few_channels (c)
  few = c < 16;
end

function b = together (c, kw, ow, out)
  % How many windows side by side are one: by measuring, 4 or 8 and what divides the row; 1 for the
  % smallest windows.
  b = 1;
  if c > 3 || kw > 3
    most = 4 + 4 * (out < 16);
    divisors = find (mod (ow, 1:min (most, ow)) == 0);
    if divisors(end) > 2
      b = divisors(end);
    end
  end
end

function [wide, shift] = widen_columns (columns, b)
  % The columns of b windows as those of one, and in it the places of each: kernel width x b.
  step = columns(1, min (2, end)) - columns(1, 1);
  left = min (columns(:, 1));
  shift = columns(:, 1) - left + 1 + (0:b-1) * step;
  wide = left + (0:max (shift(:)) - 1)' + (0:size (columns, 2) / b - 1) * step * b;
end

function x = line_up (x, columns)
  % Image rows as matrices: (C * window width) x (windows * N) x H.
  [c, width, n, height] = size (x);
  if ~isequal (columns(:)', 1:width)
    x = x(:, columns(:), :, :);
  end
  x = reshape (x, c * size (columns, 1), size (columns, 2) * n, height);
end

function groups = output_groups (oh, m)
  % Rows of the result that go together: about 1000 columns.
  count = max (1, floor (1024 / m));
  groups = arrayfun (@(first) first:min (first + count - 1, oh), 1:count:oh, ...
                     'UniformOutput', false);
end

function part = stack (x, rows)
  % Windows as columns, kernel row upon kernel row.
  pieces = cell (size (rows, 1), 1);
  for k = 1:numel (pieces)
    pieces{k} = reshape (x(:, :, rows(k, :)), size (x, 1), []);
  end
  part = vertcat (pieces{:});
end

function targets = targets_of (rows, height)
  % Kernel rows x image rows: the row of the result that reads this image row so, 0 for none.
  targets = zeros (size (rows, 1), height);
  for k = 1:size (rows, 1)
    inside = find (rows(k, :) >= 1 & rows(k, :) <= height);
    targets(k, rows(k, inside)) = inside;
  end
end

function groups = row_groups (height, rows, m)
  % Image rows that go together, about 2000 columns: enough for an efficient product, few enough
  % for the cache. They have the same place in the stride, so that what a kernel row reads of them
  % is for neighbouring rows of the result.
  count = max (1, floor (2048 / m));
  stride = 1;
  if size (rows, 2) > 1
    stride = rows(1, 2) - rows(1, 1);
  end
  groups = {};
  for first = 1:min (stride, height)
    for start = first:stride * count:height
      groups{end + 1} = start:stride:min (start + stride * count - 1, height); %#ok<AGROW>
    end
  end
end

function [from, to] = ranges (target, m)
  % The columns of a group of image rows that count, and the columns of the result they go to.
  inside = find (target > 0);
  from = [];
  to = [];
  if ~isempty (inside)
    from = (inside(1) - 1) * m + 1:inside(end) * m;
    to = (target(inside(1)) - 1) * m + 1:target(inside(end)) * m;
  end
end

function part = gather (x, columns, rows)
  % Rows of the image, the kernel's columns stacked: (C * kw) x (ow * N * rows).
  [c, width, n, ~] = size (x);
  [kw, ow] = size (columns);
  columns = columns(:)';
  if numel (columns) == width && all (columns == 1:width)
    part = x(:, :, :, rows);
  else
    part = x(:, min (max (columns, 1), width), :, rows);
    outside = columns < 1 | columns > width;
    if any (outside)
      part(:, outside, :, :) = 0;
    end
  end
  part = reshape (part, c * kw, ow * n * numel (rows));
end

function [x, rows, index] = window_index (x, columns, rows)
  % The padded image and, in the kh rows of it that one output row reads, the linear indices of that
  % row's windows: (C * kw * kh) x (ow * N).
  [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
  [c, width, n, ~] = size (x);
  kh = size (rows, 1);
  [kw, ow] = size (columns);
  index = reshape ((1:c)' + c * (columns(:)' - 1), c * kw, 1, ow);
  index = reshape (index + c * width * n * (0:kh-1), c * kw * kh, ow);
  index = reshape (index + reshape (c * width * (0:n-1), 1, 1, []), c * kw * kh, []);
end

%!test % by its definition, at one place
%! x = rand (20, 6, 2, 5);
%! w = rand (3, 20, 2, 3);
%! rows = [0 1 2; 1 2 3; 2 3 4];
%! y = octcompress.layers.correlate ('correlate', x, w, [1; 2; 3], [1 2 3; 2 3 4], rows);
%! patch = x(:, 2:3, 2, 1:3);
%! kernel = permute (w(3, :, :, :), [2 3 1 4]);
%! assert (y(3, 2, 2, 2), 3 + kernel(:)' * patch(:), 1e-10);
%! patch = x(:, 2:3, 2, 1:2);
%! kernel = kernel(:, :, :, 2:3);
%! assert (y(3, 2, 2, 1), 3 + kernel(:)' * patch(:), 1e-10);
%!test % windows that lie in the padding alone
%! y = octcompress.layers.correlate ('correlate', ones (20, 2), ones (3, 20), [], 1:2, [-1 0 1]);
%! assert (reshape (y(1, 1, 1, :), 1, []), [0 0 20]);
%!test % windows side by side in one are what they are alone; also mirrored, as gradients have them
%! for c = [1 5]
%!   x = rand (c, 9, 2, 7);
%!   w = rand (2, c, 4, 3);
%!   columns = (0:3)' + (0:3) * 2 - 1;
%!   for kind = 1:2
%!     rows = (0:2)' + (0:4) * 1;
%!     y = octcompress.layers.correlate ('correlate', x, w, [1; 2], columns, rows);
%!     dw = octcompress.layers.correlate ('weights', x, y, [], columns, rows);
%!     sum_dw = zeros (size (w));
%!     for i = 1:4
%!       one = octcompress.layers.correlate ('correlate', x, w, [1; 2], columns(:, i), rows);
%!       assert (y(:, i, :, :), one, 1e-12);
%!       sum_dw = sum_dw + octcompress.layers.correlate ('weights', x, y(:, i, :, :), [], ...
%!                                                       columns(:, i), rows);
%!     end
%!     assert (dw, sum_dw, 1e-10);
%!     columns = columns(end:-1:1, :);
%!   end
%! end
%!test % one window that covers the one image
%! for c = [2 20]
%!   x = rand (c, 3, 1, 3);
%!   w = rand (1, c, 3, 3);
%!   y = octcompress.layers.correlate ('correlate', x, w, [], (1:3)', (1:3)');
%!   assert (y, x(:)' * w(:), 1e-10);
%!   dw = octcompress.layers.correlate ('weights', x, 2, [], (1:3)', (1:3)');
%!   assert (dw(:), 2 * x(:), 1e-10);
%! end
