function [loss, gradient] = squared_error (y, target)
%SQUARED_ERROR  Mean squared error, with the gradient by y.
%
%   [loss, gradient] = octcompress.train.squared_error (y, target)
%
%   y, target  the same size
%   loss       double: mean over all entries of (y - target)^2
%   gradient   2 * (y - target) / number of entries
%
%   See also nn_train, octcompress.train.absolute_error, octcompress.train.huber.

  difference = y - target;
  loss = sum (double (difference(:)) .^ 2) / numel (y);
  gradient = (2 / numel (y)) * difference;
end

%!test
%! [loss, gradient] = octcompress.train.squared_error ([1 2; 3 4], [1 0; 3 7]);
%! assert (loss, (4 + 9) / 4);
%! assert (gradient, [0 2; 0 -3] * 2 / 4);
%!test % central differences
%! y = [0.3 -1 2];
%! f = @(y) octcompress.train.squared_error (y, [1 2 -0.5]);
%! [~, gradient] = f (y);
%! for k = 1:3
%!   step = 1e-5 * ((1:3) == k);
%!   assert (gradient(k), (f (y + step) - f (y - step)) / 2e-5, 1e-9);
%! end
