function [inverse, h, damping] = damped_inverse (gram, damping)
%DAMPED_INVERSE  Invert a layer's Hessian, with as much damping as that needs.
%
%   [inverse, h, damping] = octcompress.prune.damped_inverse (gram, damping)
%
%   gram      d x d double, symmetric: a sum of products of inputs, singular where inputs are
%             dead or copies of each other
%   damping   share of the mean of gram's diagonal that is added to its diagonal, above 0
%   inverse   of h = gram + damping * mean (diag (gram)) * I, d x d
%   damping   as used: ten times more as often as the Cholesky factorisation fails
%
%   Where all inputs are dead, h is the identity.
%
%   See also octcompress.prune.obs_order, octcompress.model.input_gram.

  d = size (gram, 1);
  scale = mean (diag (gram));
  if ~(scale > 0)
    scale = 1 / damping;
  end
  failed = 1;
  damping = damping / 10;
  while failed
    damping = damping * 10;
    h = gram;
    h(1:d+1:end) = h(1:d+1:end) + damping * scale;
    [factor, failed] = chol (h);
  end
  half = factor \ eye (d);
  inverse = half * half';
end

%!test
%! [inverse, h, damping] = octcompress.prune.damped_inverse ([2 1; 1 2], 0.01);
%! assert (h, [2.02 1; 1 2.02], 1e-12);
%! assert (inverse * h, eye (2), 1e-12);
%! assert (damping, 0.01);
%!test % dead inputs and copies
%! x = [1 2 3; 1 2 3; 0 0 0];
%! [inverse, h] = octcompress.prune.damped_inverse (x * x', 1e-3);
%! assert (inverse * h, eye (3), 1e-8);
%! assert (octcompress.prune.damped_inverse (zeros (2), 0.01), eye (2));
%!test % not positive: damped until it is
%! [~, ~, damping] = octcompress.prune.damped_inverse ([1 3; 3 1], 0.01);
%! assert (damping, 10);
