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
  g = octcompress.layers.window ('unrolled_inputs', layer, layer.weights_size(1:2), [h w c]);
  top = max (0, 1 - min (g.rows(:)));
  left = max (0, 1 - min (g.columns(:)));
  height = max (h, max (g.rows(:))) + top;
  width = max (w, max (g.columns(:))) + left;
  if height > h || width > w
    image = x;
    x = zeros (c, width, n, height, class (image));
    x(:, left + (1:w), :, top + (1:h)) = image;
  end
  u = zeros (g.kernel(1), g.kernel(2), c, prod (g.out) * n, class (x));
  for j = 1:g.kernel(2)
    for i = 1:g.kernel(1)
      part = x(:, left + g.columns(j, :), :, top + g.rows(i, :));
      u(i, j, :, :) = reshape (part, 1, 1, c, []);
    end
  end
  groups = 1;
  if isfield (layer, 'groups') && ~isempty (layer.groups)
    groups = layer.groups;
  end
  u = reshape (u, prod (g.kernel) * c / groups, groups, []);
  u = permute (u, [1 3 2]);
end

%!test % a dense layer takes each time step as one more observation
%! x = rand (3, 2, 4);
%! assert (octcompress.model.unrolled_inputs (struct ('type', 'dense'), x), reshape (x, 3, 8));
%!test % against the definition of a convolution
%! layer = struct ('type', 'conv2d', 'weights', rand (3, 2, 2, 5), 'weights_size', [3 2 2 5], ...
%!                 'stride', [2 1], 'padding', [1 0 1 1], 'dilation', [1 2]);
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
%! layer = struct ('type', 'conv2d', 'weights', rand (2, 2, 1, 3), 'weights_size', [2 2 1 3], ...
%!                 'groups', 3, 'padding', 'same');
%! x = rand (3, 5, 2, 4);
%! u = octcompress.model.unrolled_inputs (layer, x);
%! assert (size (u), [4 40 3]);
%! assert (u(1, :, 2), reshape (x(2, :, :, :), 1, []));
