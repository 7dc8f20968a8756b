function varargout = recurrence (form, layer, x, varargin)
%RECURRENCE  What lstm and gru have in common.
%
%   x = octcompress.layers.recurrence ('turn', layer, x)
%   a = octcompress.layers.recurrence ('input', layer, x)
%   y = octcompress.layers.recurrence ('result', layer, h)
%   dh = octcompress.layers.recurrence ('spread', layer, dy, steps)
%   [dx, gradients] = octcompress.layers.recurrence ('gradients', layer, x, h, d_input, ...
%                                                    d_recurrent, need_dx)
%   [out_size, macs] = octcompress.layers.recurrence ('size', layer, in_size, caller, gates)
%
%   'turn'       the steps in the order of layer.reverse
%   'input'      weights * x(t) + bias of all steps at once
%   'result'     the sequence, or its last step
%   'spread'     the gradient of 'result'
%   'gradients'  from d_input and d_recurrent, gradients by weights * x(t) and by
%                recurrent_weights * h(t-1), gates * U x N x T
%   'size'       as in octcompress.layers.types; gates is the number of blocks of U rows
%
%   See also octcompress.layers.lstm, octcompress.layers.gru.

  switch form
    case 'turn'
      varargout{1} = turn (layer, x);

    case 'input'
      [f, n, steps] = size (x);
      a = layer.weights * reshape (x, f, n * steps) + octcompress.layers.option (layer, 'bias', 0);
      varargout{1} = reshape (a, [], n, steps);

    case 'result'
      if is_last (layer)
        varargout{1} = x(:, :, end);
      else
        varargout{1} = turn (layer, x);
      end

    case 'spread'
      if is_last (layer)
        dh = zeros (size (x, 1), size (x, 2), varargin{1}, class (x));
        dh(:, :, end) = x;
        varargout{1} = dh;
      else
        varargout{1} = turn (layer, x);
      end

    case 'gradients'
      [h, d_input, d_recurrent, need_dx] = varargin{:};
      [f, n, steps] = size (x);
      units = size (h, 1);
      before = cat (3, zeros (units, n, class (h)), h(:, :, 1:end-1));
      d_input = reshape (d_input, [], n * steps);
      d_recurrent = reshape (d_recurrent, [], n * steps);
      gradients.weights = d_input * reshape (x, f, n * steps)';
      gradients.recurrent_weights = d_recurrent * reshape (before, units, n * steps)';
      if isfield (layer, 'bias') && ~isempty (layer.bias)
        gradients.bias = sum (d_input, 2);
      end
      if isfield (layer, 'recurrent_bias') && ~isempty (layer.recurrent_bias)
        gradients.recurrent_bias = sum (d_recurrent, 2);
      end
      dx = [];
      if need_dx
        dx = turn (layer, reshape (layer.weights' * d_input, f, n, steps));
      end
      varargout = {dx, gradients};

    case 'size'
      varargout = cell (1, 2);
      [varargout{:}] = out_size (layer, x, varargin{:});
  end
end

function x = turn (layer, x)
  if octcompress.layers.option (layer, 'reverse', false)
    x = x(:, :, end:-1:1);
  end
end

function yes = is_last (layer)
  yes = isfield (layer, 'result') && strcmp (layer.result, 'last');
end

function [out, macs] = out_size (layer, in_size, caller, gates)
  [rows, f] = size (layer.weights);
  units = rows / gates;
  if units ~= fix (units)
    octcompress.internal.fail (caller, 'badSize', ...
      'WEIGHTS must have %d rows for each unit, but is %d x %d', gates, rows, f);
  end
  recurrent = octcompress.layers.option (layer, 'recurrent_weights', 'absent');
  if ~isequal (size (recurrent), [rows units])
    octcompress.internal.fail (caller, 'badSize', ...
      'RECURRENT_WEIGHTS must be %d x %d, for WEIGHTS is %d x %d, but is %s', rows, units, rows, ...
      f, octcompress.internal.describe (recurrent));
  end
  for name = {'bias', 'recurrent_bias'}
    bias = octcompress.layers.option (layer, name{1}, zeros (rows, 1));
    if ~isequal (size (bias), [rows 1])
      octcompress.internal.fail (caller, 'badSize', '%s must be %d x 1, but is %s', ...
                                 upper (name{1}), rows, octcompress.internal.describe (bias));
    end
  end
  if numel (in_size) ~= 2 || in_size(1) ~= f
    octcompress.internal.fail (caller, 'badSize', ...
      'WEIGHTS is %d x %d, so the input must be a sequence [%d T], but has the size [%s]', ...
      rows, f, f, num2str (in_size));
  end
  out = [units in_size(2)];
  if isfield (layer, 'result')
    octcompress.internal.check (caller, 'result', layer.result, 'choice', {'sequence', 'last'});
    if is_last (layer)
      out = units;
    end
  end
  macs = in_size(2) * rows * (f + units);
end

%!shared x
%! x = reshape (1:24, 2, 3, 4);
%!assert (octcompress.layers.recurrence ('turn', struct (), x), x)
%!assert (octcompress.layers.recurrence ('turn', struct ('reverse', true), x), x(:, :, [4 3 2 1]))
%!test
%! layer = struct ('result', 'last', 'reverse', true);
%! assert (octcompress.layers.recurrence ('result', layer, x), x(:, :, 4));
%!test
%! dh = octcompress.layers.recurrence ('spread', struct ('result', 'last'), [1 2 3; 4 5 6], 4);
%! assert (dh, cat (3, zeros (2, 3, 3), [1 2 3; 4 5 6]));
%!test
%! layer = struct ('weights', [1 1], 'bias', 10);
%! assert (octcompress.layers.recurrence ('input', layer, x), sum (x, 1) + 10);
