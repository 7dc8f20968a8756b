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
%   few channels has short runs and makes small products: there whole windows are gathered, by one
%   index for all rows. And where it pays, several windows side by side are one wider window, of a
%   kernel that holds w once for each of them, shifted, and zeros: more operations, but fewer
%   columns to gather and larger products.
%
%   See also octcompress.layers.convolution.

  if strcmp (form, 'correlate')
    result = by_input (a, b, bias, columns, rows);
  else
    result = by_weights (a, b, columns, rows);
  end
end

function y = by_input (x, w, bias, columns, rows)
  [c, ~, n, height] = size (x);
  [out, ~, kw, kh] = size (w);
  ow = size (columns, 2);
  oh = size (rows, 2);
  b = together (c, kw, ow, out);
  if b > 1
    [columns, shift] = widen_columns (columns, b);
    wide = zeros (out, b, c, size (columns, 1), kh, class (w));
    w = reshape (w, out, 1, c, kw, kh);
    for i = 1:b
      wide(:, i, :, shift(:, i), :) = w;
    end
    w = wide;
    bias = repmat (bias, b, 1);
  end
  m = ow / b * n;
  w = reshape (w, out * b, [], kh);
  if has_few_channels (c)
    y = by_windows (x, reshape (w, out * b, []), columns, rows, bias);
  else
    w = num2cell (w, [1 2]);
    targets = targets_of (rows, height);
    if m < 1024
      groups = row_groups (height, rows, m);
      y = rows_together (x, w, columns, targets, groups, m, oh, bias);
    else
      y = row_by_row (x, w, columns, targets, m, oh, bias);
    end
  end
  y = reshape (y, out, ow, n, oh);
end

function y = by_windows (x, w, columns, rows, bias)
  [x, places, index, m] = windows (x, columns, rows);
  base = repmat (bias, 1, size (index, 2));
  lines = cell (1, size (places, 2));
  for i = 1:numel (lines)
    lines{i} = w * window_columns (x, places(:, i), index, m);
    if ~isempty (bias)
      lines{i} = base(:, 1:size (lines{i}, 2)) + lines{i};
    end
  end
  y = [lines{:}];
end

function y = row_by_row (x, w, columns, targets, m, oh, bias)
  lines = cell (1, oh);
  if ~isempty (bias)
    lines(:) = {repmat(bias, 1, m)};
  end
  for row = find (any (targets > 0, 1))
    part = gather (x, columns, row);
    for k = find (targets(:, row) > 0)'
      r = targets(k, row);
      if isempty (lines{r})
        lines{r} = w{k} * part;
      else
        lines{r} = lines{r} + w{k} * part;
      end
    end
  end
  lines(cellfun (@isempty, lines)) = {zeros(size (w{1}, 1), m, class (w{1}))};
  y = [lines{:}];
end

function y = rows_together (x, w, columns, targets, groups, m, oh, bias)
  if isempty (bias)
    y = zeros (size (w{1}, 1), m * oh, class (w{1}));
  else
    y = repmat (bias, 1, m * oh);
  end
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
  [c, ~, n, height] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  out = size (dy, 1);
  b = together_for_weights (c, kw, ow, out, n);
  if b > 1
    [columns, shift] = widen_columns (columns, b);
  end
  m = ow / b * n;
  dy = reshape (dy, out * b, m * oh);
  if has_few_channels (c)
    [x, places, index, m] = windows (x, columns, rows);
    dw = 0;
    for i = 1:size (places, 2)
      range = m * (places(1, i) - 1) + 1:m * places(2, i);
      dw = dw + dy(:, range) * window_columns (x, places(:, i), index, m)';
    end
  else
    dw = repmat ({zeros(out * b, c * size (columns, 1), class (dy))}, 1, kh);
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
    dw = [dw{:}];
  end
  if b > 1
    wide = reshape (dw, out, b, c, [], kh);
    dw = 0;
    for i = 1:b
      dw = dw + reshape (wide(:, i, :, shift(:, i), :), out, c, kw, kh);
    end
  end
  dw = reshape (dw, out, c, kw, kh);
end

function few = has_few_channels (c)
  few = c < 16;
end

function b = together (c, kw, ow, out)
  % How many windows of few channels side by side are one: by measuring, 4 or 8 and what divides the
  % row; 1 for the smallest windows.
  b = 1;
  if has_few_channels (c) && (c > 3 || kw > 3)
    b = divisor_up_to (ow, 4 + 4 * (out < 16));
    if b == 2   % not worth it
      b = 1;
    end
  end
end

function b = together_for_weights (c, kw, ow, out, n)
  % With more channels it pays for the gradient of the weights, whose product has few rows and
  % columns, where the rows of the image are long.
  b = together (c, kw, ow, out);
  if ~has_few_channels (c) && ow * n >= 2048
    b = divisor_up_to (ow, 64 / c);
  end
end

function b = divisor_up_to (number, most)
  b = max ([1, find(mod (number, 1:min (most, number)) == 0)]);
end

function [wide, shift] = widen_columns (columns, b)
  % The columns of b windows as those of one, and in it the places of each: kernel width x b.
  step = octcompress.layers.step_of (columns);
  left = min (columns(:, 1));
  shift = columns(:, 1) - left + 1 + (0:b-1) * step;
  wide = left + (0:max (shift(:)) - 1)' + (0:size (columns, 2) / b - 1) * step * b;
end

function [x, places, index, m] = windows (x, columns, rows)
  % The image, padded; for each group of rows of the result, about 1000 columns, its first and last
  % row and the first and last image row it reads; in these image rows the places of the group's
  % windows, (C * kw * kh) x columns, M for each row of the result.
  [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
  [c, width, n, ~] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  m = ow * n;
  count = min (oh, max (1, floor (1024 / m)));
  first = 1:count:oh;
  last = min (first + count - 1, oh);
  places = [first; last; min(rows(:, first), [], 1); max(rows(:, last), [], 1)];
  step = octcompress.layers.step_of (rows);
  index = reshape ((1:c)' + c * (columns(:)' - 1), c * kw, 1, ow);
  index = reshape (index + c * width * n * (rows(:, 1)' - places(3, 1)), c * kw * kh, ow);
  index = index + reshape (c * width * (0:n-1), 1, 1, n);
  index = index + reshape (c * width * n * step * (0:count-1), 1, 1, 1, count);
  index = reshape (index, c * kw * kh, m * count);
end

function part = window_columns (x, places, index, m)
  % Windows as columns.
  count = m * (places(2) - places(1) + 1);
  if count < size (index, 2)
    index = index(:, 1:count);
  end
  part = x(:, :, :, places(3):places(4));   % of such a range Octave makes no copy
  part = reshape (part(index), size (index));
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
  stride = octcompress.layers.step_of (rows);
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
