function varargout = logsoftmax (form, ~, x, varargin)
%LOGSOFTMAX  Logarithm of the softmax over the channels (the first dimension).
%
%   [y, state] = octcompress.layers.logsoftmax ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.logsoftmax ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.logsoftmax ('size', layer, in_size)
%
%   y = x - max (x) - log (sum (exp (x - max (x)))), so that large x do not overflow.
%
%   See also octcompress.layers.softmax.

  switch form
    case 'forward'
      y = x - max (x, [], 1);
      varargout = {y - log(sum (exp (y), 1)), []};
    case 'backward'
      [y, dy] = varargin{1:2};
      varargout = {dy - exp(y) .* sum(dy, 1), struct()};
    case 'size'
      varargout = {x, 0};
  end
end

%!test
%! x = [0.3 1000; -1 0];
%! y = octcompress.layers.logsoftmax ('forward', struct (), x, false);
%! assert (y(:, 1), log (exp (x(:, 1)) / sum (exp (x(:, 1)))), 1e-12);
%! assert (y(:, 2), [0; -1000]);
%!assert (octcompress.layers.check_gradient (struct ('type', 'logsoftmax'), 5) < 1e-6)
%!assert (octcompress.layers.check_gradient (struct ('type', 'logsoftmax'), [2 3 4]) < 1e-6)
%!assert (octcompress.layers.check_gradient (struct ('type', 'softmax'), [2 3 4]) < 1e-6)
