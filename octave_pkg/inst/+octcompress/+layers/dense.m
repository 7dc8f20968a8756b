function varargout = dense (form, layer, x, varargin)
%DENSE  Fully connected layer: y = weights * x + bias.
%
%   [y, state] = octcompress.layers.dense ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.dense ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.dense ('size', layer, in_size)
%
%   layer.weights  out x in
%   layer.bias     out x 1, or absent
%   x              in x N, or in x N x T: each time step alone
%
%   Errors: octcompress:dense:badSize.
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      [in, n, t] = size (x);
      y = layer.weights * reshape (x, in, n * t);
      if has_bias (layer)
        y = y + layer.bias;
      end
      varargout = {reshape(y, size(y, 1), n, t), []};

    case 'backward'
      [~, dy, ~, need_dx] = varargin{:};
      [in, n, t] = size (x);
      dy = reshape (dy, size (dy, 1), n * t);
      gradients = struct ('weights', dy * reshape (x, in, n * t)');
      if has_bias (layer)
        gradients.bias = sum (dy, 2);
      end
      dx = [];
      if need_dx
        dx = reshape (layer.weights' * dy, in, n, t);
      end
      varargout = {dx, gradients};

    case 'size'
      in_size = x;
      [out, in] = size (layer.weights);
      if numel (in_size) > 2 || in_size(1) ~= in
        octcompress.internal.fail ('dense', 'badSize', ...
          ['WEIGHTS is %d x %d, so each observation must have %d features, but it has [%s]; ' ...
           'an image needs a flatten layer before'], out, in, in, num2str (in_size));
      end
      if has_bias (layer) && ~isequal (size (layer.bias), [out 1])
        octcompress.internal.fail ('dense', 'badSize', 'BIAS must be %d x 1, but is %s', out, ...
                                   octcompress.internal.describe (layer.bias));
      end
      steps = in_size(2:end);
      varargout = {[out steps], out * in * prod(steps)};
  end
end

function yes = has_bias (layer)
  yes = isfield (layer, 'bias') && ~isempty (layer.bias);
end

%!shared layer
%! layer = struct ('weights', [1 2 3; 4 5 6], 'bias', [10; 20]);
%!assert (octcompress.layers.dense ('forward', layer, [1; 1; 1], false), [16; 35])
%!test
%! [dx, g] = octcompress.layers.dense ('backward', layer, [1; 2; 3], [], [1; -1], [], true);
%! assert (dx, [-3; -3; -3]);
%! assert (g.weights, [1 2 3; -1 -2 -3]);
%! assert (g.bias, [1; -1]);
%!test % time steps are independent
%! x = reshape (1:12, 3, 2, 2);
%! y = octcompress.layers.dense ('forward', layer, x, false);
%! assert (y(:, :, 2), octcompress.layers.dense ('forward', layer, x(:, :, 2), false));
%!test
%! [out, macs] = octcompress.layers.dense ('size', layer, 3);
%! assert ({out, macs}, {2, 6});
%!error <dense: WEIGHTS is 2 x 3, so each observation must have 3 features, but it has \[4\]> octcompress.layers.dense ('size', layer, 4)
%!error <dense: BIAS must be 2 x 1, but is 7> octcompress.layers.dense ('size', setfield (layer, 'bias', 7), 3)
