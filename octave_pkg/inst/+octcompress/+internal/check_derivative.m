function check_derivative (f, x, tolerance)
%CHECK_DERIVATIVE  Hold a loss's gradient against central differences, for tests.
%
%   octcompress.internal.check_derivative (f, x)
%   octcompress.internal.check_derivative (f, x, tolerance)
%
%   f          handle [loss, gradient] = f (x)
%   x          double, not at a kink
%   tolerance  largest difference, relative to the largest entry of the gradient (1e-6)

  if nargin < 3
    tolerance = 1e-6;
  end
  [~, gradient] = f (x);
  numeric = zeros (size (x));
  for k = 1:numel (x)
    moved = x;
    moved(k) = x(k) + 1e-5;
    above = f (moved);
    moved(k) = x(k) - 1e-5;
    numeric(k) = (above - f (moved)) / 2e-5;
  end
  worst = max (abs (numeric(:) - gradient(:))) / max ([abs(numeric(:)); realmin]);
  if ~isequal (size (gradient), size (x)) || ~(worst < tolerance)
    error ('octcompress:check_derivative:wrong', ...
           'the gradient differs from central differences by %g of its largest entry', worst);
  end
end

%!function [value, gradient] = cubes (x, factor)
%!  value = sum (x(:) .^ 3);
%!  gradient = factor * x .^ 2;
%!endfunction
%!test octcompress.internal.check_derivative (@(x) cubes (x, 3), [1 2; -1 3]);
%!error <the gradient differs from central differences by 0.33>
%! octcompress.internal.check_derivative (@(x) cubes (x, 2), [1 2; -1 3]);
