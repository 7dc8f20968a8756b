function [loss, gradient] = reverse_kl (teacher_logits, student_logits, temperature)
%REVERSE_KL  Divergence of the teacher's softened outputs from the student's: it seeks modes.
%
%   [loss, gradient] = octcompress.distill.reverse_kl (teacher_logits, student_logits, temperature)
%
%   teacher_logits, student_logits  K x N, what goes into the softmax
%   temperature  T, above 0
%   loss      double: T^2 / N * sum over k and n of q .* (log (q) - log (p)), where
%             p = softmax (teacher_logits / T) and q = softmax (student_logits / T) [1]
%   gradient  by student_logits: T / N * q .* (r - sum over k of q .* r), r = log (q) - log (p)
%
%   Where KL (p || q) spreads a small student over all that the teacher finds possible, this one
%   lets it leave out what it cannot imitate.
%
%   Errors: octcompress:reverse_kl:badSize, :badValue.
%
%   [1] Gu et al., MiniLLM: knowledge distillation of large language models, ICLR 2024,
%       arXiv:2306.08543.
%
%   See also octcompress.distill.kl, nn_distill.

  [log_p, log_q] = octcompress.distill.softened ('reverse_kl', teacher_logits, student_logits, ...
                                                 temperature);
  count = size (student_logits, 2);
  q = exp (log_q);
  each = q .* (log_q - log_p);
  loss = temperature ^ 2 / count * sum (double (each(:)));
  gradient = (temperature / count) * (each - q .* sum (each, 1));
end

%!shared t, s
%! t = [0.3 -1 2 0.1; 1.2 0.4 -0.7 0.5; -2 0.9 0.6 3];
%! s = [1 0.2 0.1 -3; 0 0.4 1.5 2; 0.7 0.1 -0.4 0];
%!test % it is KL the other way round
%! for temperature = [0.5 4]
%!   assert (octcompress.distill.reverse_kl (t, s, temperature), ...
%!           octcompress.distill.kl (s, t, temperature), 1e-14);
%! end
%!test % central differences
%! for temperature = [0.5 1 4]
%!   octcompress.internal.check_derivative ( ...
%!     @(s) octcompress.distill.reverse_kl (t, s, temperature), s);
%! end
%!test % the same outputs: no loss
%! [loss, gradient] = octcompress.distill.reverse_kl (t, t + 5, 2);
%! assert (loss, 0, 1e-14);
%! assert (gradient, zeros (3, 4), 1e-14);
%!error <reverse_kl: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x4 double and 4x3 double> octcompress.distill.reverse_kl (t, s', 1)
%!error <reverse_kl: TEMPERATURE must be a number from .* to Inf, but is 0> octcompress.distill.reverse_kl (t, s, 0)
