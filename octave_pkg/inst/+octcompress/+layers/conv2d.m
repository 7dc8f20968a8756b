function varargout = conv2d (form, layer, x, varargin)
%CONV2D  Two-dimensional convolution (cross-correlation, as everywhere in this field).
%
%   [y, state] = octcompress.layers.conv2d ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.conv2d ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs, window] = octcompress.layers.conv2d ('size', layer, in_size)
%
%   layer.weights       kernel height x kernel width x cin / groups x cout
%   layer.weights_size  the four sizes, for Octave drops trailing ones; or absent
%   layer.bias          cout x 1, or absent
%   layer.groups        (1) input channels and output channels are split into so many parts,
%                       each of which is convolved alone; cin makes a depthwise convolution
%   layer.stride, layer.padding, layer.dilation, layer.window   as in octcompress.layers.window
%   x                   cin x W x N x H
%
%   y(o, w, n, h) = bias(o) + sum over i, k, j of
%                   weights(k, j, i, o) * x(i, (w-1) * stride + (j-1) * dilation + 1 - left, n, ...)
%   with zeros outside the image. A signal of one dimension is an image of one column or one row.
%
%   Errors: octcompress:conv2d:badSize, :badValue.
%
%   See also octcompress.layers.window, octcompress.layers.convolution, octcompress.layers.types.

  switch form
    case 'forward'
      [w, bias, groups, g] = settings (layer, [size(x, 4) size(x, 2) size(x, 1)]);
      varargout = {octcompress.layers.convolution('correlate', x, w, bias, g, groups), []};

    case 'backward'
      [~, dy, ~, need_dx] = varargin{:};
      [w, bias, groups, g] = settings (layer, [size(x, 4) size(x, 2) size(x, 1)]);
      gradients.weights = octcompress.layers.convolution ('weights', x, dy, [], g, groups);
      if ~isempty (bias)
        gradients.bias = sum (sum (reshape (dy, size (dy, 1), [], size (dy, 4)), 2), 3);
      end
      dx = [];
      if need_dx
        dx = octcompress.layers.convolution ('spread', dy, w, [], g, groups);
      end
      varargout = {dx, gradients};

    case 'size'
      in_size = x;
      [w, bias, groups, g] = settings (layer, in_size);
      cout = size (w, 4);
      if ~(isscalar (groups) && groups == 1)
        octcompress.internal.check ('conv2d', 'groups', groups, 'integer', [1 in_size(3)]);
      end
      if size (w, 3) * groups ~= in_size(3) || mod (cout, groups) ~= 0
        octcompress.internal.fail ('conv2d', 'badSize', ...
          ['WEIGHTS is %d x %d x %d x %d with %d groups, so the input must have %d channels ' ...
           'and the output a multiple of %d, but the input is [%s]'], size (w, 1), size (w, 2), ...
          size (w, 3), cout, groups, size (w, 3) * groups, groups, num2str (in_size));
      end
      if ~isempty (bias) && ~(numel (bias) == cout && size (bias, 1) == cout)
        octcompress.internal.fail ('conv2d', 'badSize', 'BIAS must be %d x 1, but is %s', cout, ...
                                   octcompress.internal.describe (bias));
      end
      varargout = {[g.out cout], prod(g.out) * numel(w), g};
  end
end

function [w, bias, groups, g] = settings (layer, in_size)
  [w, bias, groups] = octcompress.layers.kernels (layer);
  g = octcompress.layers.window ('conv2d', layer, [size(w, 1) size(w, 2)], in_size);
end

%!function worst = gradient (w_size, in_size, varargin)
%!  layer = struct ('type', 'conv2d', 'weights', 2 * rand (w_size) - 1, 'weights_size', w_size, ...
%!                  'bias', rand (w_size(4), 1), varargin{:});
%!  worst = octcompress.layers.check_gradient (layer, in_size, 1);
%!endfunction
%!function worst = against_loops (w_size, in_size, varargin)
%!  layer = struct ('weights', 2 * rand (w_size) - 1, 'weights_size', w_size, ...
%!                  'bias', rand (w_size(4), 1), varargin{:});
%!  x = rand (in_size(3), in_size(2), 2, in_size(1));
%!  y = octcompress.layers.conv2d ('forward', layer, x, false);
%!  out = octcompress.layers.conv2d ('size', layer, in_size);
%!  g = octcompress.layers.window ('f', layer, w_size(1:2), in_size);
%!  groups = in_size(3) / w_size(3);
%!  worst = 0;
%!  for o = 1:w_size(4)
%!    first = floor ((o - 1) / (w_size(4) / groups)) * w_size(3);
%!    for n = 1:2
%!      for r = 1:out(1)
%!        for c = 1:out(2)
%!          total = layer.bias(o);
%!          for i = 1:w_size(3)
%!            for k = 1:w_size(1)
%!              for j = 1:w_size(2)
%!                p = [g.rows(k, r) g.columns(j, c)];
%!                if all (p >= 1 & p <= in_size(1:2))
%!                  total = total + layer.weights(k, j, i, o) * x(first + i, p(2), n, p(1));
%!                end
%!              end
%!            end
%!          end
%!          worst = max (worst, abs (total - y(o, c, n, r)));
%!        end
%!      end
%!    end
%!  end
%!endfunction
%!test % one channel, no options
%! assert (against_loops ([3 2 1 4], [5 6 1]) < 1e-12);
%!test % few channels
%! assert (against_loops ([2 3 3 4], [5 6 3], 'padding', [1 0 2 1], 'stride', [1 2]) < 1e-12);
%!test % many channels, small rows together
%! assert (against_loops ([3 3 17 4], [7 6 17], 'padding', 'same') < 1e-12);
%! options = {'padding', 'same', 'stride', 2, 'dilation', [2 1]};
%! assert (against_loops ([3 3 17 4], [7 6 17], options{:}) < 1e-12);
%!test % 1 x 1
%! assert (against_loops ([1 1 5 4], [3 4 5]) < 1e-12);
%! assert (against_loops ([1 1 5 4], [3 4 5], 'stride', 2) < 1e-12);
%!test % groups, depthwise, depthwise with a multiplier
%! assert (against_loops ([3 3 2 9], [4 5 6], 'groups', 3, 'padding', 1) < 1e-12);
%! assert (against_loops ([3 3 2 36], [4 5 36], 'groups', 18, 'padding', 1) < 1e-12);
%! assert (against_loops ([3 3 1 6], [4 5 6], 'groups', 6, 'padding', 1, 'stride', 2) < 1e-12);
%! assert (against_loops ([3 3 1 12], [4 5 6], 'groups', 6, 'padding', 1) < 1e-12);
%!test % rows one at a time give what rows together give
%! layer = struct ('weights', rand (3, 3, 16, 2), 'padding', 1);
%! x = rand (16, 40, 30, 5);
%! y = octcompress.layers.conv2d ('forward', layer, x, false);
%! few = octcompress.layers.conv2d ('forward', layer, x(:, :, 7, :), false);
%! assert (y(:, :, 7, :), few, 1e-12);
%!test % gradients: few channels, many, strides, dilation, groups
%! assert (gradient ([3 3 1 2], [5 4 1]) < 1e-6);
%! assert (gradient ([3 2 3 2], [6 5 3], 'stride', [2 1], 'padding', [1 0 1 2]) < 1e-6);
%! assert (gradient ([3 3 16 2], [5 5 16], 'stride', 2, 'padding', 'same') < 1e-6);
%! assert (gradient ([2 2 2 2], [6 6 2], 'stride', 3, 'dilation', 2, 'padding', 1) < 1e-6);
%! assert (gradient ([1 1 3 2], [4 3 3]) < 1e-6);
%! assert (gradient ([1 1 3 2], [4 3 3], 'stride', 2) < 1e-6);
%! assert (gradient ([3 3 2 4], [4 3 4], 'groups', 2, 'padding', 1) < 1e-6);
%! assert (gradient ([3 3 1 3], [4 5 3], 'groups', 3, 'padding', 1, 'stride', 2) < 1e-6);
%! assert (gradient ([3 1 1 6], [5 1 3], 'groups', 3) < 1e-6);
%!test
%! layer = struct ('weights', ones (5, 5, 1, 20));
%! [out, macs] = octcompress.layers.conv2d ('size', layer, [28 28 1]);
%! assert (out, [24 24 20]);
%! assert (macs, 24 * 24 * 20 * 25);
%!error <conv2d: WEIGHTS is 3 x 3 x 2 x 4 with 1 groups, so the input must have 2 channels and the output a multiple of 1, but the input is \[8  8  3\]> octcompress.layers.conv2d ('size', struct ('weights', ones (3, 3, 2, 4)), [8 8 3])
%!error <conv2d: BIAS must be 4 x 1, but is \[1 1 1\]> octcompress.layers.conv2d ('size', struct ('weights', ones (3, 3, 2, 4), 'bias', ones (1, 3)), [8 8 2])
%!error <conv2d: the input must be an image \[height width channels\], but has the size \[64\]> octcompress.layers.conv2d ('size', struct ('weights', ones (3, 3, 2, 4)), 64)
