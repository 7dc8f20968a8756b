function u = unrolled_inputs (layer, x)
%UNROLLED_INPUTS  What a layer's weights are multiplied with, one column for each product.
%
%   u = octcompress.model.unrolled_inputs (layer, x)
%
%   layer  of type dense or conv2d
%   x      the layer's input on a batch, in the engine's layout: F x N, F x N x T, C x W x N x H
%   u      in x (N * T); or (kh * kw * cin/groups) x (W' * N * H') x groups (im2col), with rows in
%          the order of the columns of octcompress.model.weights_matrix
%
%   See also octcompress.model.input_gram.

  if strcmp (layer.type, 'dense')
    u = reshape (x, size (x, 1), []);
    return
  end
  [c, w, n, h] = size (x);
  kernel = layer.weights_size(1:2);
  groups = setting (layer, 'groups', 1);
  stride = setting (layer, 'stride', 1) .* [1 1];
  dilation = setting (layer, 'dilation', 1) .* [1 1];
  reach = (kernel - 1) .* dilation + 1;
  padding = pads (setting (layer, 'padding', 0), [h w], reach, stride);
  if any (padding)
    padded = zeros (c, w + sum (padding(3:4)), n, h + sum (padding(1:2)), class (x));
    padded(:, padding(3) + (1:w), :, padding(1) + (1:h)) = x;
    x = padded;
  end
  out = floor (([h + sum(padding(1:2)), w + sum(padding(3:4))] - reach) ./ stride) + 1;
  u = zeros (kernel(1), kernel(2), c, out(2) * n * out(1), class (x));
  for j = 1:kernel(2)
    columns = (j - 1) * dilation(2) + 1 + (0:out(2) - 1) * stride(2);
    for i = 1:kernel(1)
      rows = (i - 1) * dilation(1) + 1 + (0:out(1) - 1) * stride(1);
      u(i, j, :, :) = reshape (x(:, columns, :, rows), 1, 1, c, []);
    end
  end
  u = reshape (u, kernel(1) * kernel(2) * c / groups, groups, []);
  u = permute (u, [1 3 2]);
end

function value = setting (layer, name, value)
  if isfield (layer, name) && ~isempty (layer.(name))
    value = double (layer.(name));
    if ischar (layer.(name))
      value = layer.(name);
    end
  end
end

function padding = pads (padding, in, reach, stride)
  % [top bottom left right]; 'same' puts the odd line at the bottom and the right.
  if ischar (padding)
    missing = max ((ceil (in ./ stride) - 1) .* stride + reach - in, 0);
    before = floor (missing / 2);
    padding = [before(1), missing(1) - before(1), before(2), missing(2) - before(2)];
  elseif numel (padding) == 2
    padding = padding([1 1 2 2]);
  else
    padding = padding .* [1 1 1 1];
  end
  padding = reshape (padding, 1, []);
end

%!test % a dense layer takes each time step as one more observation
%! x = rand (3, 2, 4);
%! assert (octcompress.model.unrolled_inputs (struct ('type', 'dense'), x), reshape (x, 3, 8));
%!test % against the definition of a convolution
%! layer = struct ('type', 'conv2d', 'weights', rand (3, 2, 2, 5), 'weights_size', [3 2 2 5], 'stride', [2 1], 'padding', [1 0 1 1], 'dilation', [1 2]);
%! x = rand (2, 6, 3, 7);
%! u = octcompress.model.unrolled_inputs (layer, x);
%! y = reshape (octcompress.model.weights_matrix (layer) * u, 5, [], 3, 3);
%! p = zeros (2, 8, 3, 8);
%! p(:, 2:7, :, 2:8) = x;
%! expected = zeros (size (y));
%! for o = 1:5
%!   for a = 1:size (y, 4)
%!     for b = 1:size (y, 2)
%!       patch = p(:, b + [0 2], :, 2 * (a - 1) + (1:3));
%!       kernel = permute (layer.weights(:, :, :, o), [3 2 4 1]);
%!       expected(o, b, :, a) = sum (sum (sum (patch .* kernel, 1), 2), 4);
%!     end
%!   end
%! end
%! assert (y, expected, 1e-12);
%!test % groups stand side by side
%! layer = struct ('type', 'conv2d', 'weights', rand (2, 2, 1, 3), 'weights_size', [2 2 1 3], 'groups', 3, 'padding', 'same');
%! x = rand (3, 5, 2, 4);
%! u = octcompress.model.unrolled_inputs (layer, x);
%! assert (size (u), [4 40 3]);
%! assert (u(1, :, 2), reshape (x(2, :, :, :), 1, []));
