function [loss, gradient] = jensen_shannon (teacher_logits, student_logits, temperature)
%JENSEN_SHANNON  Divergence of both softened outputs from their mean: symmetric and bounded.
%
%   [loss, gradient] = octcompress.distill.jensen_shannon (teacher_logits, student_logits, ...
%                                                          temperature)
%
%   teacher_logits, student_logits  K x N, what goes into the softmax
%   temperature  T, above 0
%   loss      double: T^2 / (2 * N) * sum over k and n of p .* log (p ./ m) + q .* log (q ./ m),
%             where p = softmax (teacher_logits / T), q = softmax (student_logits / T) and
%             m = (p + q) / 2 [1, 2]; at most T^2 * log (2)
%   gradient  by student_logits: T / (2 * N) * q .* (r - sum over k of q .* r), r = log (q ./ m)
%
%   Errors: octcompress:jensen_shannon:badSize, :badValue.
%
%   [1] Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37, 1991.
%   [2] Agarwal et al., On-policy distillation of language models, ICLR 2024, arXiv:2306.13649.
%
%   See also octcompress.distill.kl, nn_distill.

  [log_p, log_q] = octcompress.distill.softened ('jensen_shannon', teacher_logits, ...
                                                 student_logits, temperature);
  count = size (student_logits, 2);
  larger = max (log_p, log_q);
  log_m = larger + log ((exp (log_p - larger) + exp (log_q - larger)) / 2);
  q_part = exp (log_q) .* (log_q - log_m);
  each = exp (log_p) .* (log_p - log_m) + q_part;
  loss = temperature ^ 2 / (2 * count) * sum (double (each(:)));
  gradient = (temperature / (2 * count)) * (q_part - exp (log_q) .* sum (q_part, 1));
end

%!shared t, s
%! t = [0.3 -1 2 0.1; 1.2 0.4 -0.7 0.5; -2 0.9 0.6 3];
%! s = [1 0.2 0.1 -3; 0 0.4 1.5 2; 0.7 0.1 -0.4 0];
%!test % by its definition
%! p = exp (t / 4) ./ sum (exp (t / 4), 1);
%! q = exp (s / 4) ./ sum (exp (s / 4), 1);
%! m = (p + q) / 2;
%! loss = octcompress.distill.jensen_shannon (t, s, 4);
%! assert (loss, 8 * mean (sum (p .* log (p ./ m) + q .* log (q ./ m), 1)), 1e-14);
%!test % symmetric, and bounded for certain outputs that differ
%! assert (octcompress.distill.jensen_shannon (s, t, 2), ...
%!         octcompress.distill.jensen_shannon (t, s, 2), 1e-14);
%! assert (octcompress.distill.jensen_shannon ([1e4; 0], [0; 1e4], 2), 4 * log (2), 1e-12);
%!test % central differences
%! for temperature = [0.5 1 4]
%!   octcompress.internal.check_derivative ( ...
%!     @(s) octcompress.distill.jensen_shannon (t, s, temperature), s);
%! end
%!error <jensen_shannon: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x4 double and 4x3 double> octcompress.distill.jensen_shannon (t, s', 1)
