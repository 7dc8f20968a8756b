function z = log_softmax (logits, temperature)
%LOG_SOFTMAX  Logarithm of the softened probabilities of each column.
%
%   z = octcompress.distill.log_softmax (logits, temperature)
%
%   logits       K x N
%   temperature  T, above 0
%   z            K x N: log (softmax (logits / T)). Large logits do not overflow.
%
%   See also octcompress.distill.kl.

  z = logits / temperature;
  z = z - max (z, [], 1);
  z = z - log (sum (exp (z), 1));
end

%!test
%! z = octcompress.distill.log_softmax ([1 2; 3 -1; 0 4], 2);
%! p = exp ([1 2; 3 -1; 0 4] / 2);
%! assert (z, log (p ./ sum (p, 1)), 1e-14);
%!assert (octcompress.distill.log_softmax (single ([1e30; 0]), 1), single ([0; -1e30]))
