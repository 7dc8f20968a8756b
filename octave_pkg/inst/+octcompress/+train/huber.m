function [loss, gradient] = huber (y, target, delta)
%HUBER  Mean Huber loss: squared for small errors, linear for large, with the gradient by y.
%
%   [loss, gradient] = octcompress.train.huber (y, target)
%   [loss, gradient] = octcompress.train.huber (y, target, delta)
%
%   y, target  the same size
%   delta      above 0: where the line begins (1)
%   loss       double: mean over all entries of e^2 / 2 where abs (e) <= delta, else
%              delta * (abs (e) - delta / 2), with e = y - target [1]
%   gradient   e clipped to +-delta, divided by the number of entries
%
%   [1] Huber, Robust estimation of a location parameter, 1964.
%
%   See also nn_train, octcompress.train.squared_error.

  if nargin < 3
    delta = 1;
  end
  e = y - target;
  clipped = min (max (e, -delta), delta);
  loss = sum (double (clipped(:)) .* (double (e(:)) - double (clipped(:)) / 2)) / numel (y);
  gradient = clipped / numel (y);
end

%!test
%! [loss, gradient] = octcompress.train.huber ([0.5 3; -4 0], zeros (2), 2);
%! assert (loss, (0.125 + 2 * 2 + 2 * 3) / 4);
%! assert (gradient, [0.5 2; -2 0] / 4);
%!test % central differences
%! y = [0.3 -1.7 2];
%! f = @(y) octcompress.train.huber (y, [1 2 1.5]);
%! [~, gradient] = f (y);
%! for k = 1:3
%!   step = 1e-5 * ((1:3) == k);
%!   assert (gradient(k), (f (y + step) - f (y - step)) / 2e-5, 1e-9);
%! end
