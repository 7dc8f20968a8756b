function result = correlate_channels (form, a, b, bias, columns, rows)
%CORRELATE_CHANNELS  A depthwise convolution: each channel with a kernel of its own.
%
%   y = octcompress.layers.correlate_channels ('correlate', x, w, bias, columns, rows)
%   dw = octcompress.layers.correlate_channels ('weights', x, dy, [], columns, rows)
%
%   x, y     C x W x N x H (the engine's layout), on the two sides of the windows
%   w        C x 1 x kernel width x kernel height
%   bias     a column, or []
%   columns, rows  of octcompress.layers.window
%
%   Two arrangements. Each kernel position is one product with all channels, pixels and
%   observations. Or each channel is turned into a matrix, whose columns are the same line of all
%   observations one after the other, with zeros between them: conv2 runs along these long columns,
%   at several numbers a cycle, and what a stride leaves out is dropped. Small channels are not
%   worth the calls.
%
%   Zeros that follow a line stand before the next one too: a shift of all lines together, as one
%   long line, then reads the padding of both sides.
%
%   See also octcompress.layers.convolution.

  step = [octcompress.layers.step_of(columns), octcompress.layers.step_of(rows)];
  if strcmp (form, 'weights') && all (step == 1)
    result = weights_of_lines (a, b, columns, rows, step);
  elseif strcmp (form, 'weights')
    result = weights_of (a, b, columns, rows, step);
  elseif pays (a, columns, rows, step)
    result = by_lines (a, b, columns, rows, step);
  else
    result = by_places (a, b, columns, rows, step);
  end
  if ~isempty (bias)
    result = octcompress.layers.affine (result, [], bias);
  end
end

function yes = pays (x, columns, rows, step)
  % Nanoseconds for a channel, as measured.
  by_places = 1.5 * (1 + any (step > 1)) * numel (columns) * numel (rows) * size (x, 3);
  yes = 5 * numel (x) / size (x, 1) + 15000 < by_places;
end

function [shift, low, high, reach] = shifts (places, step)
  % Where the kernel's lines lie from the first window's place, their range with 0, and the last
  % window's place.
  shift = places(:, 1) - 1;
  low = min ([0; shift]);
  high = max ([0; shift]);
  reach = (size (places, 2) - 1) * step + 1;
end

function y = by_lines (x, w, columns, rows, step)
  [c, width, n, height] = size (x);
  [across, left, right, last] = shifts (columns, step(1));
  [down, up, low, bottom] = shifts (rows, step(2));
  line = max (width - left, last + right);
  if line > width
    x(:, end + 1:line, :, :) = 0;
  end
  if bottom + up > height
    x(:, :, :, end + 1:bottom + up) = 0;
  end
  kernels = zeros (right - left + 1, low - up + 1, c, class (w));   % conv2 turns them
  kernels(right - across + 1, low - down + 1, :) = permute (w, [3 4 1 2]);
  x = reshape (reshape (x, c, []).', line * n, [], c);
  y = cell (1, c);
  for i = 1:c
    full = conv2 (x(:, :, i), kernels(:, :, i));
    y{i} = reshape (full(right + 1:right + line * n, low + 1:step(2):low + bottom), [], 1);
  end
  y = reshape ([y{:}].', c, line, n, size (rows, 2));
  if line > last || step(1) > 1
    y = y(:, 1:step(1):last, :, :);
  end
end

function y = by_places (x, w, columns, rows, step)
  persistent has_diagonal   % whose product is one pass at the speed of memory
  if isempty (has_diagonal)
    has_diagonal = exist ('OCTAVE_VERSION', 'builtin') > 0;
  end
  [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
  [c, ~, n, ~] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  w = reshape (w, c, kw, kh);
  for j = 1:kw
    part = x(:, columns(j, 1):step(1):columns(j, ow), :, :);
    for k = 1:kh
      product = reshape (part(:, :, :, rows(k, 1):step(2):rows(k, oh)), c, []);
      if has_diagonal
        product = diag (w(:, j, k)) * product;
      else
        product = w(:, j, k) .* product;
      end
      if j * k == 1
        y = product;
      else
        y = y + product;
      end
    end
  end
  y = reshape (y, c, ow, n, oh);
end

function dw = weights_of (x, dy, columns, rows, step)
  [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
  [c, ~, n, ~] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  dy = reshape (dy, c, []);
  dw = zeros (c, 1, kw, kh, class (dy));
  for j = 1:kw
    part = x(:, columns(j, 1):step(1):columns(j, ow), :, :);
    for k = 1:kh
      lines = reshape (part(:, :, :, rows(k, 1):step(2):rows(k, oh)), c, []);
      dw(:, 1, j, k) = octcompress.layers.total_of_products (dy, lines, ow * n);
    end
  end
end

function dw = weights_of_lines (x, dy, columns, rows, step)
  % Without a copy of the image for each kernel position: the long lines are shifted.
  [c, width, n, height] = size (x);
  [across, left, right, last] = shifts (columns, step(1));
  [down, ~, ~, bottom] = shifts (rows, step(2));
  line = max (width - left, last + right);
  if line > width
    x(:, end + 1:line, :, :) = 0;
  end
  if line > last
    dy(:, end + 1:line, :, :) = 0;
  end
  x = reshape (x, c, []);
  dy = reshape (dy, c, []);
  dw = zeros (c, 1, numel (across), numel (down), class (dy));
  for k = 1:numel (down)
    for j = 1:numel (across)
      shift = across(j) + line * n * down(k);
      from = max (line * n * max (0, -down(k)), -shift) + 1;
      to = min (line * n * min (bottom, height - down(k)), size (x, 2) - shift);
      dw(:, 1, j, k) = octcompress.layers.total_of_products ( ...
        dy(:, from:to), x(:, from + shift:to + shift), line * n);
    end
  end
end

%!test % by its definition, at one place, small and large
%! for n = [2 400]
%!   x = rand (4, 6, n, 5);
%!   w = rand (4, 1, 2, 3);
%!   columns = [1 2 3; 2 3 4];
%!   rows = [0 1 2; 1 2 3; 2 3 4];
%!   y = octcompress.layers.correlate_channels ('correlate', x, w, (1:4)', columns, rows);
%!   patch = x(:, 2:3, 2, 1:3);
%!   product = reshape (permute (w, [1 3 2 4]) .* patch, 4, []);
%!   assert (y(:, 2, 2, 2), (1:4)' + sum (product, 2), 1e-12);
%! end
%!test % both arrangements agree: strides, dilation, kernels turned, lines left over
%! x = rand (3, 13, 400, 11);
%! w = rand (3, 1, 3, 2);
%! for columns = {(0:2)' + (0:11), (2:-1:0)' + (0:2:9), (0:2:4)' + (-1:3:9), (0:4:8)' + 1}
%!   for rows = {[0; 1] + (1:8), [3; 0] + (0:4:8), [1; 3] + (0:2:9), [1; 5]}
%!     y = octcompress.layers.correlate_channels ('correlate', x, w, [], columns{1}, rows{1});
%!     dw = octcompress.layers.correlate_channels ('weights', x, y, [], columns{1}, rows{1});
%!     few = 0;
%!     for n = 1:10:400
%!       some = n:n + 9;
%!       part = octcompress.layers.correlate_channels ('correlate', x(:, :, some, :), w, [], ...
%!                                                     columns{1}, rows{1});
%!       assert (y(:, :, some, :), part, 1e-12);
%!       few = few + octcompress.layers.correlate_channels ('weights', x(:, :, some, :), part, ...
%!                                                          [], columns{1}, rows{1});
%!     end
%!     assert (dw, few, 1e-9);
%!   end
%! end
