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
%   Each kernel position is one product with all channels, pixels and observations.
%
%   See also octcompress.layers.convolution.

  if strcmp (form, 'correlate')
    result = by_input (a, b, bias, columns, rows);
  else
    result = by_weights (a, b, columns, rows);
  end
end

function y = by_input (x, w, bias, columns, rows)
  [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
  [c, ~, n, ~] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  y = [];
  for j = 1:kw
    part = x(:, range_of(columns(j, :)), :, :);
    for k = 1:kh
      product = octcompress.layers.affine (part(:, :, :, range_of(rows(k, :))), w(:, 1, j, k), []);
      if isempty (y)
        y = product;
      else
        y = y + product;
      end
    end
  end
  if ~isempty (bias)
    y = octcompress.layers.affine (y, [], bias);
  end
  y = reshape (y, c, ow, n, oh);
end

function dw = by_weights (x, dy, columns, rows)
  [x, columns, rows] = octcompress.layers.pad_windows (x, columns, rows, 0);
  [c, ~, n, ~] = size (x);
  [kw, ow] = size (columns);
  [kh, oh] = size (rows);
  dy = reshape (dy, c, ow * n, oh);
  dw = zeros (c, 1, kw, kh, class (dy));
  for j = 1:kw
    part = x(:, range_of(columns(j, :)), :, :);
    for k = 1:kh
      % summed by row first: fewer roundings
      products = dot (dy, reshape (part(:, :, :, range_of(rows(k, :))), c, ow * n, oh), 2);
      dw(:, 1, j, k) = sum (products, 3);
    end
  end
end

function range = range_of (lines)
  % The same numbers as a range, by which Octave takes lines that lie side by side without a copy.
  range = lines(1):max (1, lines(min (2, end)) - lines(1)):lines(end);
end

%!test % by its definition, at one place
%! x = rand (4, 6, 2, 5);
%! w = rand (4, 1, 2, 3);
%! columns = [1 2 3; 2 3 4];
%! rows = [0 1 2; 1 2 3; 2 3 4];
%! y = octcompress.layers.correlate_channels ('correlate', x, w, (1:4)', columns, rows);
%! patch = x(:, 2:3, 2, 1:3);
%! product = reshape (permute (w, [1 3 2 4]) .* patch, 4, []);
%! assert (y(:, 2, 2, 2), (1:4)' + sum (product, 2), 1e-12);
