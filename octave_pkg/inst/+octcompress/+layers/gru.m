function varargout = gru (form, layer, x, varargin)
%GRU  Gated recurrent unit over a sequence [1].
%
%   [y, state] = octcompress.layers.gru ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.gru ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.gru ('size', layer, in_size)
%
%   layer.weights            3 U x F: three blocks of U rows in PyTorch's order: reset gate, update
%                            gate, candidate
%   layer.recurrent_weights  3 U x U, in the same order
%   layer.bias               3 U x 1, or absent
%   layer.recurrent_bias     3 U x 1, or absent; that of the candidate stands inside the reset
%   layer.reset_after        (true) the reset gate multiplies the recurrent product (PyTorch, Keras,
%                            ONNX with linear_before_reset); false: the state before it [1]
%   layer.result             ('sequence') or 'last': only the state after the last step
%   layer.reverse            (false) true: from the last step to the first
%   x                        F x N x T
%   y                        U x N x T, or U x N
%
%   With a = weights * x(t) + bias and b = recurrent_weights * h(t-1) + recurrent_bias, in blocks:
%   r = sigmoid (a1 + b1),  z = sigmoid (a2 + b2),  n = tanh (a3 + r .* b3),
%   h(t) = (1 - z) .* n + z .* h(t-1), from h = 0; y is h. Without reset_after, b3 is
%   recurrent_weights3 * (r .* h(t-1)) + recurrent_bias3, not multiplied by r.
%
%   Errors: octcompress:gru:badSize, :badValue.
%
%   [1] Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014,
%       arXiv:1406.1078.
%
%   See also octcompress.layers.lstm.

  switch form
    case 'forward'
      [h, state] = forward (layer, octcompress.layers.recurrence ('turn', layer, x));
      varargout = {octcompress.layers.recurrence('result', layer, h), state};
    case 'backward'
      [~, dy, state, need_dx] = varargin{:};
      dh = octcompress.layers.recurrence ('spread', layer, dy, size (x, 3));
      x = octcompress.layers.recurrence ('turn', layer, x);
      [d_input, d_recurrent, d_reset] = backward (layer, state, dh);
      [dx, gradients] = octcompress.layers.recurrence ('gradients', layer, x, state.h, d_input, ...
                                                       d_recurrent, need_dx);
      if ~octcompress.layers.option (layer, 'reset_after', true)
        units = size (layer.recurrent_weights, 2);
        block = 2 * units + 1:3 * units;
        gradients.recurrent_weights(block, :) = d_reset;
      end
      varargout = {dx, gradients};
    case 'size'
      varargout = cell (1, 2);
      [varargout{:}] = octcompress.layers.recurrence ('size', layer, x, 'gru', 3);
  end
end

function [h, state] = forward (layer, x)
  [~, n, steps] = size (x);
  units = size (layer.recurrent_weights, 2);
  from_input = octcompress.layers.recurrence ('input', layer, x);
  w = layer.recurrent_weights;
  bias = octcompress.layers.option (layer, 'recurrent_bias', zeros (3 * units, 1, class (w)));
  after = octcompress.layers.option (layer, 'reset_after', true);
  gates = zeros (3 * units, n, steps, class (from_input));
  product = zeros (units, n, steps, class (from_input));
  h = product;
  last = zeros (units, n, class (from_input));
  first = 1:2 * units;
  third = 2 * units + 1:3 * units;
  for t = 1:steps
    a = from_input(:, :, t);
    if after
      b = w * last + bias;
      g = 1 ./ (1 + exp (-(a(first, :) + b(first, :))));
      recurrent = b(third, :);
      candidate = tanh (a(third, :) + g(1:units, :) .* recurrent);
    else
      g = 1 ./ (1 + exp (-(a(first, :) + w(first, :) * last + bias(first))));
      recurrent = w(third, :) * (g(1:units, :) .* last) + bias(third);
      candidate = tanh (a(third, :) + recurrent);
    end
    update = g(units + 1:end, :);
    last = (1 - update) .* candidate + update .* last;
    gates(:, :, t) = [g; candidate];
    product(:, :, t) = recurrent;
    h(:, :, t) = last;
  end
  state = struct ('gates', gates, 'product', product, 'h', h);
end

function [d_input, d_recurrent, d_reset] = backward (layer, state, dh)
  % Gradients by a and by b; d_reset: by the candidate's recurrent weights without reset_after.
  [units, n, steps] = size (dh);
  w = layer.recurrent_weights;
  after = octcompress.layers.option (layer, 'reset_after', true);
  first = 1:2 * units;
  third = 2 * units + 1:3 * units;
  d_input = zeros (size (state.gates), class (dh));
  d_recurrent = d_input;
  d_reset = zeros (units, units, class (dh));
  d_h = zeros (units, n, class (dh));
  for t = steps:-1:1
    d_h = d_h + dh(:, :, t);
    g = state.gates(:, :, t);
    reset = g(1:units, :);
    update = g(units + 1:2 * units, :);
    candidate = g(third, :);
    before = zeros (units, n, class (dh));
    if t > 1
      before = state.h(:, :, t - 1);
    end
    d_candidate = d_h .* (1 - update) .* (1 - candidate .^ 2);
    d_update = d_h .* (before - candidate) .* update .* (1 - update);
    if after
      d_reset_gate = d_candidate .* state.product(:, :, t) .* reset .* (1 - reset);
      d_b = [d_reset_gate; d_update; d_candidate .* reset];
      d_before = w' * d_b;
    else
      through = w(third, :)' * d_candidate;
      d_reset_gate = through .* before .* reset .* (1 - reset);
      d_b = [d_reset_gate; d_update; d_candidate];
      d_reset = d_reset + d_candidate * (reset .* before)';
      d_before = w(first, :)' * d_b(first, :) + through .* reset;
    end
    d_input(:, :, t) = [d_reset_gate; d_update; d_candidate];
    d_recurrent(:, :, t) = d_b;
    d_h = d_h .* update + d_before;
  end
end

%!function layer = random_layer (f, u, varargin)
%!  layer = struct ('type', 'gru', 'weights', rand (3 * u, f) - 0.5, ...
%!                  'recurrent_weights', rand (3 * u, u) - 0.5, ...
%!                  'bias', rand (3 * u, 1) - 0.5, varargin{:});
%!endfunction
%!function worst = gradient (varargin)
%!  worst = octcompress.layers.check_gradient (random_layer (3, 2, varargin{:}), [3 4]);
%!endfunction
%!test % two steps by hand
%! layer = struct ('weights', [1; 2; 3], 'recurrent_weights', [0.5; -0.5; 2], ...
%!                 'recurrent_bias', [0; 0; 0.3]);
%! s = @(a) 1 / (1 + exp (-a));
%! h1 = (1 - s (1)) * tanh (1.5 + s (0.5) * 0.3);
%! r = s (1 + 0.5 * h1);
%! z = s (2 - 0.5 * h1);
%! h2 = (1 - z) * tanh (3 + r * (2 * h1 + 0.3)) + z * h1;
%! y = octcompress.layers.gru ('forward', layer, reshape ([0.5 1], 1, 1, 2), false);
%! assert (y(:)', [h1 h2], 1e-12);
%! layer.reset_after = false;
%! h1 = (1 - s (1)) * tanh (1.5 + 0.3);
%! z = s (2 - 0.5 * h1);
%! h2 = (1 - z) * tanh (3 + 2 * s (1 + 0.5 * h1) * h1 + 0.3) + z * h1;
%! y = octcompress.layers.gru ('forward', layer, reshape ([0.5 1], 1, 1, 2), false);
%! assert (y(:)', [h1 h2], 1e-12);
%!test
%! bias = {'recurrent_bias', [0.1; -0.2; 0.3; 0.4; 0.1; -0.3]};
%! assert (gradient () < 1e-6);
%! assert (gradient (bias{:}, 'result', 'last') < 1e-6);
%! assert (gradient (bias{:}, 'reset_after', false) < 1e-6);
%! assert (gradient ('reverse', true) < 1e-6);
%! assert (gradient ('reset_after', false, 'result', 'last', 'reverse', true) < 1e-6);
%!test
%! [out, macs] = octcompress.layers.gru ('size', random_layer (3, 2), [3 7]);
%! assert ({out, macs}, {[2 7], 7 * (6 * 3 + 6 * 2)});
%!error <gru: WEIGHTS is 6 x 3, so the input must be a sequence \[3 T\], but has the size \[9\]> octcompress.layers.gru ('size', random_layer (3, 2), 9)
