function varargout = lstm (form, layer, x, varargin)
%LSTM  Long short-term memory over a sequence [1].
%
%   [y, state] = octcompress.layers.lstm ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.lstm ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.lstm ('size', layer, in_size)
%
%   layer.weights            4 U x F: four blocks of U rows in PyTorch's order: input gate, forget
%                            gate, cell candidate, output gate
%   layer.recurrent_weights  4 U x U, in the same order
%   layer.bias               4 U x 1, or absent
%   layer.recurrent_bias     4 U x 1, or absent: a second bias, as PyTorch has it; they add up
%   layer.result             ('sequence') or 'last': only the state after the last step
%   layer.reverse            (false) true: from the last step to the first
%   x                        F x N x T
%   y                        U x N x T, or U x N
%
%   With i, f, g, o the blocks of weights * x(t) + recurrent_weights * h(t-1) + bias:
%   c(t) = sigmoid (f) .* c(t-1) + sigmoid (i) .* tanh (g),  h(t) = sigmoid (o) .* tanh (c(t)),
%   from h = c = 0; y is h.
%
%   Errors: octcompress:lstm:badSize, :badValue.
%
%   [1] Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997.
%
%   See also octcompress.layers.gru.

  switch form
    case 'forward'
      [h, state] = forward (layer, octcompress.layers.recurrence ('turn', layer, x));
      varargout = {octcompress.layers.recurrence('result', layer, h), state};
    case 'backward'
      [~, dy, state, need_dx] = varargin{:};
      dh = octcompress.layers.recurrence ('spread', layer, dy, size (x, 3));
      x = octcompress.layers.recurrence ('turn', layer, x);
      d = backward (layer, state, dh);
      [dx, gradients] = octcompress.layers.recurrence ('gradients', layer, x, state.h, d, d, ...
                                                       need_dx);
      varargout = {dx, gradients};
    case 'size'
      varargout = cell (1, 2);
      [varargout{:}] = octcompress.layers.recurrence ('size', layer, x, 'lstm', 4);
  end
end

function [h, state] = forward (layer, x)
  [~, n, steps] = size (x);
  units = size (layer.recurrent_weights, 2);
  from_input = octcompress.layers.recurrence ('input', layer, x);
  from_input = from_input + octcompress.layers.option (layer, 'recurrent_bias', 0);
  gates = zeros (4 * units, n, steps, class (from_input));
  c = zeros (units, n, steps, class (from_input));
  h = c;
  last_h = zeros (units, n, class (from_input));
  last_c = last_h;
  candidate = 2 * units + 1:3 * units;
  for t = 1:steps
    a = from_input(:, :, t) + layer.recurrent_weights * last_h;
    g = 1 ./ (1 + exp (-a));
    g(candidate, :) = tanh (a(candidate, :));
    last_c = g(units + 1:2 * units, :) .* last_c + g(1:units, :) .* g(candidate, :);
    last_h = g(3 * units + 1:end, :) .* tanh (last_c);
    gates(:, :, t) = g;
    c(:, :, t) = last_c;
    h(:, :, t) = last_h;
  end
  state = struct ('gates', gates, 'c', c, 'h', h);
end

function d = backward (layer, state, dh)
  % d: the gradient by the sums before the gates, 4 U x N x T
  [units, n, steps] = size (dh);
  d = zeros (size (state.gates), class (dh));
  d_h = zeros (units, n, class (dh));
  d_c = d_h;
  for t = steps:-1:1
    d_h = d_h + dh(:, :, t);
    g = state.gates(:, :, t);
    in = g(1:units, :);
    forget = g(units + 1:2 * units, :);
    candidate = g(2 * units + 1:3 * units, :);
    out = g(3 * units + 1:end, :);
    before = zeros (units, n, class (dh));
    if t > 1
      before = state.c(:, :, t - 1);
    end
    tanh_c = tanh (state.c(:, :, t));
    d_c = d_c + d_h .* out .* (1 - tanh_c .^ 2);
    d(:, :, t) = [d_c .* candidate .* in .* (1 - in);
                  d_c .* before .* forget .* (1 - forget);
                  d_c .* in .* (1 - candidate .^ 2);
                  d_h .* tanh_c .* out .* (1 - out)];
    d_c = d_c .* forget;
    d_h = layer.recurrent_weights' * d(:, :, t);
  end
end

%!function layer = random_layer (f, u, varargin)
%!  layer = struct ('type', 'lstm', 'weights', rand (4 * u, f) - 0.5, ...
%!                  'recurrent_weights', rand (4 * u, u) - 0.5, ...
%!                  'bias', rand (4 * u, 1) - 0.5, varargin{:});
%!endfunction
%!function worst = gradient (steps, varargin)
%!  worst = octcompress.layers.check_gradient (random_layer (3, 2, varargin{:}), [3 steps]);
%!endfunction
%!test % one step by hand
%! layer = struct ('weights', [1; 2; 3; 4], 'recurrent_weights', [0; 0; 0; 0]);
%! y = octcompress.layers.lstm ('forward', layer, 0.5, false);
%! s = @(a) 1 / (1 + exp (-a));
%! assert (y, s (2) * tanh (s (0.5) * tanh (1.5)), 1e-12);
%!test % the last of the sequence, and the sequence turned
%! layer = random_layer (3, 2);
%! x = rand (3, 4, 5);
%! y = octcompress.layers.lstm ('forward', layer, x, false);
%! last = octcompress.layers.lstm ('forward', setfield (layer, 'result', 'last'), x, false);
%! assert (last, y(:, :, 5));
%! layer.reverse = true;
%! turned = octcompress.layers.lstm ('forward', layer, x(:, :, end:-1:1), false);
%! assert (turned, y(:, :, end:-1:1));
%!test
%! assert (gradient (4) < 1e-6);
%! assert (gradient (4, 'result', 'last', 'recurrent_bias', rand (8, 1)) < 1e-6);
%! assert (gradient (4, 'reverse', true) < 1e-6);
%! assert (gradient (1, 'reverse', true, 'result', 'last') < 1e-6);
%!test
%! [out, macs] = octcompress.layers.lstm ('size', random_layer (3, 2), [3 7]);
%! assert ({out, macs}, {[2 7], 7 * (8 * 3 + 8 * 2)});
%! assert (octcompress.layers.lstm ('size', random_layer (3, 2, 'result', 'last'), [3 NaN]), 2);
%!error <lstm: RECURRENT_WEIGHTS must be 8 x 2, for WEIGHTS is 8 x 3, but is 4x2 double> octcompress.layers.lstm ('size', setfield (random_layer (3, 2), 'recurrent_weights', ones (4, 2)), [3 7])
%!error <lstm: WEIGHTS is 8 x 3, so the input must be a sequence \[3 T\], but has the size \[4  7\]> octcompress.layers.lstm ('size', random_layer (3, 2), [4 7])
%!error <lstm: BIAS must be 8 x 1, but is 2> octcompress.layers.lstm ('size', setfield (random_layer (3, 2), 'bias', 2), [3 7])
%!error <lstm: RESULT must be one of 'sequence', 'last', but is 'all'> octcompress.layers.lstm ('size', random_layer (3, 2, 'result', 'all'), [3 7])
