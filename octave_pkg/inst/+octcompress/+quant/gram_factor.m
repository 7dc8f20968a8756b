function [v, damping] = gram_factor (gram, damping)
%GRAM_FACTOR  Upper triangular factor of a damped Gram matrix: gram + d * I = v * v'.
%
%   [v, damping] = octcompress.quant.gram_factor (gram, damping)
%
%   gram     n x n, symmetric; dead inputs may leave rows of zeros
%   damping  share of the mean diagonal that is added; grows tenfold until the factor exists, and
%            comes back as it was used
%   v        n x n, upper triangular
%
%   inv (v)' is the Cholesky factor of the inverse that GPTQ [1] works with; v itself needs no
%   inverse.
%
%   [1] Frantar et al., GPTQ, ICLR 2023, arXiv:2210.17323.
%
%   See also octcompress.quant.gptq.

  n = size (gram, 1);
  mean_diagonal = mean (diag (gram));
  if ~(mean_diagonal > 0)
    mean_diagonal = 1;
  end
  damping = max (damping, eps (class (gram)));
  while true
    damped = gram(n:-1:1, n:-1:1);
    damped(1:n+1:end) = damped(1:n+1:end) + damping * mean_diagonal;
    [r, failed] = chol (damped);
    if ~failed
      break
    end
    damping = 10 * damping;
  end
  v = r(n:-1:1, n:-1:1)';
end

%!test
%! a = [2 1 0; 1 3 1; 0 1 1];
%! [v, damping] = octcompress.quant.gram_factor (a, 0.01);
%! assert (v * v', a + 0.02 * eye (3), 1e-14);
%! assert (v, triu (v));
%! assert (damping, 0.01);
%!test % two equal inputs, a dead one, no damping asked for
%! a = [1 1 0; 1 1 0; 0 0 0];
%! [v, damping] = octcompress.quant.gram_factor (a, 0);
%! assert (v * v', a, 1e-6);
%! assert (damping < 1e-6);
%!assert (octcompress.quant.gram_factor (zeros (2), 0.25), eye (2) / 2)
%!test % not quite positive: the damping grows
%! [~, damping] = octcompress.quant.gram_factor ([1 1.1; 1.1 1], 0.01);
%! assert (damping, 1);
