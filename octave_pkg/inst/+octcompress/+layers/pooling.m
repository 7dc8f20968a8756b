function varargout = pooling (form, layer, x, varargin)
%POOLING  Layers maxpool and averagepool.
%
%   [y, state] = octcompress.layers.pooling ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.pooling ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs, window] = octcompress.layers.pooling ('size', layer, in_size)
%
%   layer.type       'maxpool' or 'averagepool'
%   layer.pool_size  scalar or [height width]
%   layer.stride     (pool_size) scalar or [vertical horizontal]
%   layer.padding, layer.dilation, layer.ceil_mode, layer.window   as in octcompress.layers.window
%   layer.count_include_pad  (false) averagepool: true divides by the window with its padding
%                    (PyTorch unless told otherwise), false by the pixels of the image in it (ONNX,
%                    Keras)
%   x                C x W x N x H
%
%   The maximum of a window that reaches over the image is that of its pixels. Of equal maxima the
%   first in reading order (row by row) gets the gradient, as in PyTorch.
%
%   A window's maximum is the maximum over its height of maxima over its width, and so is its sum.
%
%   Errors: octcompress:pooling:badSize, :badValue.
%
%   See also octcompress.layers.window, octcompress.layers.global_pooling.

  switch form
    case 'forward'
      g = geometry (layer, [size(x, 4) size(x, 2) size(x, 1)]);
      if strcmp (layer.type, 'maxpool') && nargout < 2 && tile (g.rows, g.in(1)) ...
         && tile (g.columns, g.in(2))
        varargout = {maximum_of_tiles(x, g.kernel)};
        return
      elseif strcmp (layer.type, 'maxpool')
        [y, columns] = octcompress.layers.pad_windows (x, g.columns, 1, -Inf);
        [y, state.columns] = line_maximum (y, columns, 2, nargout > 1);
        [y, ~, rows] = octcompress.layers.pad_windows (y, 1, g.rows, -Inf);
        [y, state.rows] = line_maximum (y, rows, 4, nargout > 1);
      else
        state = [];
        [y, columns, rows] = octcompress.layers.pad_windows (x, g.columns, g.rows, 0);
        y = line_sum (line_sum (y, columns, 2), rows, 4);
        y = y .* shares (layer, g, class (y));
      end
      varargout = {y, state};

    case 'backward'
      [~, dy, state, ~] = varargin{:};
      g = geometry (layer, [size(x, 4) size(x, 2) size(x, 1)]);
      if strcmp (layer.type, 'maxpool')
        parts = split (dy, state.rows);
        d = place (parts, g.rows, g.in(1), 4);
        parts = split (d, state.columns);
      else
        d = dy .* shares (layer, g, class (dy));
        d = place (repmat ({d}, 1, g.kernel(1)), g.rows, g.in(1), 4);
        parts = repmat ({d}, 1, g.kernel(2));
      end
      varargout = {place(parts, g.columns, g.in(2), 2), struct()};

    case 'size'
      in_size = x;
      given = octcompress.layers.option (layer, 'pool_size', 'absent');
      if ~isnumeric (given) || ~any (numel (given) == [1 2]) || any (given(:) < 1) ...
         || any (given(:) ~= fix (given(:)))
        octcompress.internal.fail ('pooling', 'badValue', ...
          'POOL_SIZE must be a positive whole number or [height width], but is %s', ...
          octcompress.internal.describe (given));
      end
      g = geometry (layer, in_size);
      if ~all (any (g.rows >= 1 & g.rows <= g.in(1), 1)) ...
         || ~all (any (g.columns >= 1 & g.columns <= g.in(2), 1))
        octcompress.internal.fail ('pooling', 'badSize', ...
          'PADDING [%s] is so wide that a window of %d x %d holds no pixel of the image', ...
          num2str (g.padding), g.kernel);
      end
      varargout = {[g.out in_size(3)], 0, g};
  end
end

function g = geometry (layer, in_size)
  kernel = double (layer.pool_size(:)') .* [1 1];
  g = octcompress.layers.window ('pooling', layer, kernel, in_size, kernel);
end

function yes = tile (places, count)
  % The windows lie side by side and cover the image.
  yes = numel (places) == count && all (places(:)' == 1:count);
end

function y = maximum_of_tiles (x, kernel)
  % Some rows of the result at a time, so that they stay in the processor's cache. The tile's rows
  % first: they are whole. Of two arrays max is several times faster than along one.
  down = kernel(1);
  across = kernel(2);
  step = down * max (1, floor (2 ^ 16 * size (x, 4) / (down * numel (x))));
  parts = cell (1, ceil (size (x, 4) / step));
  for i = 1:numel (parts)
    first = (i - 1) * step;
    last = min (first + step, size (x, 4));
    tall = x(:, :, :, first + 1:down:last);
    for k = 2:down
      tall = max (tall, x(:, :, :, first + k:down:last));
    end
    y = tall(:, 1:across:end, :, :);
    for k = 2:across
      y = max (y, tall(:, k:across:end, :, :));
    end
    parts{i} = y;
  end
  y = cat (4, parts{:});
end

function [y, later] = line_maximum (x, places, dim, keep)
  % later{k}: where kernel line k exceeds all before it.
  later = cell (1, size (places, 1));
  y = lines (x, places(1, :), dim);
  for k = 2:size (places, 1)
    part = lines (x, places(k, :), dim);
    if keep
      later{k} = part > y;
    end
    y = max (y, part);
  end
end

function parts = split (d, later)
  % The gradient of each kernel line: that of the last line that exceeded all before it.
  parts = cell (1, numel (later));
  for k = numel (later):-1:2
    parts{k} = d .* cast (later{k}, class (d));
    d = d - parts{k};
  end
  parts{1} = d;
end

function y = line_sum (x, places, dim)
  y = lines (x, places(1, :), dim);
  for k = 2:size (places, 1)
    y = y + lines (x, places(k, :), dim);
  end
end

function part = lines (x, places, dim)
  if dim == 2
    part = x(:, places, :, :);
  else
    part = x(:, :, :, places);
  end
end

function d = place (parts, places, count, dim)
  % Add each kernel line's part to the lines it was read from; what lies in the padding is dropped.
  s = size (parts{1});
  s(end+1:4) = 1;
  if tile (places, count)
    before = prod (s(1:dim - 1));
    for k = 1:numel (parts)
      parts{k} = reshape (parts{k}, before, 1, []);
    end
    s(dim) = count;
    d = reshape (cat (2, parts{:}), s);
    return
  end
  s(dim) = count;
  d = zeros (s, class (parts{1}));
  apart = all (diff (sort (places(:))) > 0);
  for k = 1:numel (parts)
    to = places(k, :);
    part = parts{k};
    inside = to >= 1 & to <= count;
    if ~all (inside)
      part = lines (part, inside, dim);
      to = to(inside);
    end
    if ~apart
      part = part + lines (d, to, dim);
    end
    if dim == 2
      d(:, to, :, :) = part;
    else
      d(:, :, :, to) = part;
    end
  end
end

function share = shares (layer, g, kind)
  % One divided by the number of pixels of each window: 1 x width x 1 x height.
  last = g.in;
  first = [1 1];
  if octcompress.layers.option (layer, 'count_include_pad', false)
    last = g.in + g.padding([2 4]);
    first = 1 - g.padding([1 3]);
  end
  down = sum (g.rows >= first(1) & g.rows <= last(1), 1);
  across = sum (g.columns >= first(2) & g.columns <= last(2), 1);
  share = cast (1 ./ (across .* reshape (down, 1, 1, 1, [])), kind);
end

%!function y = run (layer, x)
%!  x = reshape (x', 1, columns (x), 1, rows (x));
%!  y = octcompress.layers.pooling ('forward', layer, x, false);
%!  y = reshape (y, size (y, 2), size (y, 4))';
%!endfunction
%!function worst = gradient (type, pool_size, in_size, varargin)
%!  layer = struct ('type', type, 'pool_size', pool_size, varargin{:});
%!  worst = octcompress.layers.check_gradient (layer, in_size);
%!endfunction
%!shared maximum, average
%! maximum = struct ('type', 'maxpool', 'pool_size', 2);
%! average = struct ('type', 'averagepool', 'pool_size', 2);
%!assert (run (maximum, [1 2 3 4; 5 6 7 8]), [6 8])
%!assert (run (average, [1 2 3 4; 5 6 7 8]), [3.5 5.5])
%!assert (run (setfield (maximum, 'stride', 1), [1 2 3; 5 9 7]), [9 9])
%!test % the same with and without what the gradient needs
%! x = rand (3, 6, 2, 4);
%! layer = struct ('type', 'maxpool', 'pool_size', [2 3]);
%! [y, state] = octcompress.layers.pooling ('forward', layer, x, false);
%! assert (octcompress.layers.pooling ('forward', layer, x, false), y);
%! assert (y(2, 2, 1, 1), max (max (x(2, 4:6, 1, 1:2))));
%!test % padding is never a maximum, and does not count in an average unless told so
%! assert (run (setfield (maximum, 'padding', 1), [-1 -2; -3 -4]), [-1 -2; -3 -4]);
%! padded = setfield (average, 'padding', 1);
%! assert (run (padded, [1 2; 3 4]), [1 2; 3 4]);
%! padded.count_include_pad = true;
%! assert (run (padded, [1 2; 3 4]), [1 2; 3 4] / 4);
%!test % of equal maxima the first in reading order gets the gradient
%! x = reshape ([1 2; 2 2]', 1, 2, 1, 2);
%! [y, state] = octcompress.layers.pooling ('forward', maximum, x, false);
%! dx = octcompress.layers.pooling ('backward', maximum, x, y, 5, state, true);
%! assert (reshape (dx, 2, 2)', [0 5; 0 0]);
%!test % gradients
%! assert (gradient ('maxpool', 2, [4 6 2]) < 1e-6);
%! assert (gradient ('maxpool', [3 2], [5 4 2], 'stride', [2 1], 'padding', 1) < 1e-6);
%! assert (gradient ('maxpool', 2, [4 5 1], 'dilation', 2, 'stride', 1) < 1e-6);
%! assert (gradient ('maxpool', 2, [3 5 1], 'ceil_mode', true) < 1e-6);
%! assert (gradient ('averagepool', 2, [4 6 2]) < 1e-6);
%! assert (gradient ('averagepool', 3, [5 4 2], 'stride', 2, 'padding', 'same') < 1e-6);
%! assert (gradient ('averagepool', 3, [6 5 2], 'stride', 2, 'padding', 1, ...
%!                   'count_include_pad', true, 'ceil_mode', true) < 1e-6);
%!test
%! out = octcompress.layers.pooling ('size', setfield (maximum, 'ceil_mode', true), [5 4 7]);
%! assert (out, [3 2 7]);
%!error <pooling: POOL_SIZE must be a positive whole number or \[height width\], but is 0> octcompress.layers.pooling ('size', setfield (maximum, 'pool_size', 0), [4 4 1])
%!error <pooling: POOL_SIZE must be a positive whole number or \[height width\], but is 'absent'> octcompress.layers.pooling ('size', struct ('type', 'maxpool'), [4 4 1])
%!error <pooling: PADDING \[2  2  2  2\] is so wide that a window of 2 x 2 holds no pixel of the image> octcompress.layers.pooling ('size', setfield (maximum, 'padding', 2), [4 4 1])
