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
%   Channels come first, so a row of windows is one gather of columns of x (each a contiguous run
%   of channels), and each kernel row multiplies it as one matrix; the products of the kernel's
%   rows are summed while they are in the processor's cache. An image of few channels has short
%   runs: there the whole window is gathered by one index, in one product. A 1 x 1 kernel needs
%   no gather.
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
  reach = reach_of (columns, rows, [c width n height]);
  if ~reach.few
    w = reshape (w, [], c * kw, kh);
  else
    [x, rows, index] = window_index (x, columns, rows);
    w = reshape (w, [], c * kw * kh);
  end
  cache = cell (1, height);
  if ~isempty (bias)
    bias = bias(:, ones (1, m * reach.step));
  end
  for first = 1:reach.step:oh
    block = first:min (first + reach.step - 1, oh);
    if reach.few
      part = x(:, :, :, rows(:, first));
      total = w * part(index);
    else
      total = [];
      for k = 1:kh
        [part, cache] = gather (x, reach, rows(k, block), cache);
        if isempty (total)
          if ~isempty (part)
            total = w(:, :, k) * part;
          end
        elseif ~isempty (part)
          total = total + w(:, :, k) * part;
        end
      end
      if isempty (total)
        total = zeros (size (w, 1), m * numel (block), class (w));
      end
    end
    if ~isempty (bias)
      total = total + bias(:, 1:m * numel (block));
    end
    if numel (block) == oh
      y = total;
    else
      if first == 1
        y = zeros (size (w, 1), m * oh, class (total));
      end
      y(:, (first - 1) * m + 1:block(end) * m) = total;
    end
  end
  y = reshape (y, [], ow, n, oh);
end

function dw = by_weights (x, dy, columns, rows)
  [c, width, n, height] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  m = ow * n;
  reach = reach_of (columns, rows, [c width n height]);
  dy = reshape (dy, [], m * oh);
  dw = zeros (size (dy, 1), c * kw, kh, class (dy));
  if reach.few
    [x, rows, index] = window_index (x, columns, rows);
    dw = reshape (dw, [], c * kw * kh);
  end
  cache = cell (1, height);
  for first = 1:reach.step:oh
    block = first:min (first + reach.step - 1, oh);
    d = dy(:, (first - 1) * m + 1:block(end) * m);
    if reach.few
      part = x(:, :, :, rows(:, first));
      dw = dw + d * part(index)';
    else
      for k = 1:kh
        [part, cache] = gather (x, reach, rows(k, block), cache);
        if ~isempty (part)
          dw(:, :, k) = dw(:, :, k) + d * part';
        end
      end
    end
  end
  dw = reshape (dw, [], c, kw, kh);
end

function reach = reach_of (columns, rows, x_size)
  % How to take the windows: from few channels by one index of the whole window, or by rows.
  [c, width, n, height] = deal (x_size(1), x_size(2), x_size(3), x_size(4));
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  reach.few = c < 16 && kw * kh > 1;
  columns = columns(:)';
  reach.depth = c * kw;
  reach.columns = min (max (columns, 1), width);
  reach.padding = find (columns < 1 | columns > width);
  reach.all = numel (columns) == width && all (columns == 1:width);
  % Output rows at a time: enough for an efficient matrix product, few enough for the cache.
  reach.step = min (oh, max (1, floor (1024 / (ow * n))));
  if reach.few
    reach.step = 1;
  elseif reach.all && kh == 1 && oh == height && all (rows == 1:height)
    reach.step = oh;
  end
end

function [part, cache] = gather (x, reach, rows, cache)
  % The columns of the given rows of x, stacked by kernel column: (C * kw) x (ow * N * rows); empty
  % when all rows are padding. A single row is kept, for the kernel's other rows need it too.
  height = numel (cache);
  outside = rows < 1 | rows > height;
  part = [];
  if isscalar (rows)
    if outside
      return
    end
    part = cache{rows};
    if isempty (part)
      part = gather_columns (x(:, :, :, rows), reach);
      cache{rows} = part;
    end
  elseif any (outside)
    part = gather_columns (x(:, :, :, min (max (rows, 1), height)), reach);
    part = reshape (part, [], numel (rows));
    part(:, outside) = 0;
    part = reshape (part, reach.depth, []);
  else
    part = gather_columns (x(:, :, :, rows), reach);
  end
end

function part = gather_columns (x, reach)
  if ~reach.all
    x = x(:, reach.columns, :, :);
    if ~isempty (reach.padding)
      x(:, reach.padding, :, :) = 0;
    end
  end
  part = reshape (x, reach.depth, []);
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
%! y = octcompress.layers.correlate ('correlate', x, w, [1; 2; 3], [1 2 3; 2 3 4], [0 1 2; 1 2 3; 2 3 4]);
%! patch = x(:, 2:3, 2, 1:3);
%! assert (y(3, 2, 2, 2), 3 + sum (reshape (permute (w(3, :, :, :), [2 3 1 4]) .* patch, [], 1)), 1e-10);
%! patch = x(:, 2:3, 2, 1:2);
%! assert (y(3, 2, 2, 1), 3 + sum (reshape (permute (w(3, :, :, 2:3), [2 3 1 4]) .* patch, [], 1)), 1e-10);
%!test % windows that lie in the padding alone
%! y = octcompress.layers.correlate ('correlate', ones (20, 2), ones (3, 20), [], 1:2, [-1 0 1]);
%! assert (reshape (y(1, 1, 1, :), 1, []), [0 0 20]);
