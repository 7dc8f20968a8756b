function [loss, gradient] = absolute_error (y, target)
%ABSOLUTE_ERROR  Mean absolute error, with the gradient by y.
%
%   [loss, gradient] = octcompress.train.absolute_error (y, target)
%
%   y, target  the same size
%   loss       double: mean over all entries of abs (y - target)
%   gradient   sign (y - target) / number of entries
%
%   See also nn_train, octcompress.train.squared_error, octcompress.train.huber.

  difference = y - target;
  loss = sum (abs (double (difference(:)))) / numel (y);
  gradient = sign (difference) / numel (y);
end

%!test
%! [loss, gradient] = octcompress.train.absolute_error ([1 2; 3 4], [1 0; 3 7]);
%! assert (loss, (2 + 3) / 4);
%! assert (gradient, [0 1; 0 -1] / 4);
