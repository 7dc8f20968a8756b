function [loss, gradient] = kl (teacher_logits, student_logits, temperature)
%KL  Kullback-Leibler divergence of softened outputs, with the gradient by the student's logits.
%
%   [loss, gradient] = octcompress.distill.kl (teacher_logits, student_logits, temperature)
%
%   teacher_logits, student_logits  K x N, what goes into the softmax
%   temperature  T, above 0
%   loss      double: T^2 / N * sum over k and n of p .* (log (p) - log (q)), where
%             p = softmax (teacher_logits / T) and q = softmax (student_logits / T)
%   gradient  by student_logits: T / N * (q - p)
%
%   T^2 keeps the gradient's size when T changes [1]. For large T the loss becomes 1 / (2 * K * N)
%   times the squared error of the logits, centred over k. Large logits do not overflow.
%
%   Errors: octcompress:kl:badSize, :badValue.
%
%   [1] Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015,
%       arXiv:1503.02531.
%
%   See also octcompress.distill.reverse_kl, octcompress.distill.jensen_shannon, nn_distill.

  [log_p, log_q] = octcompress.distill.softened ('kl', teacher_logits, student_logits, ...
                                                 temperature);
  count = size (student_logits, 2);
  p = exp (log_p);
  each = p .* (log_p - log_q);
  loss = temperature ^ 2 / count * sum (double (each(:)));
  gradient = (temperature / count) * (exp (log_q) - p);
end

%!shared t, s
%! t = [0.3 -1 2 0.1; 1.2 0.4 -0.7 0.5; -2 0.9 0.6 3];
%! s = [1 0.2 0.1 -3; 0 0.4 1.5 2; 0.7 0.1 -0.4 0];
%!test % by its definition
%! p = exp (t / 4) ./ sum (exp (t / 4), 1);
%! q = exp (s / 4) ./ sum (exp (s / 4), 1);
%! loss = octcompress.distill.kl (t, s, 4);
%! assert (loss, 16 * mean (sum (p .* log (p ./ q), 1)), 1e-14);
%!test % central differences
%! for temperature = [0.5 1 4]
%!   octcompress.internal.check_derivative (@(s) octcompress.distill.kl (t, s, temperature), s);
%! end
%!test % the same outputs: no loss
%! [loss, gradient] = octcompress.distill.kl (t, t + 5, 2);
%! assert (loss, 0, 1e-14);
%! assert (gradient, zeros (3, 4), 1e-14);
%!test % with certain labels as teacher and T = 1 it is the cross-entropy
%! hard = 1e4 * [1 0 0 0; 0 1 0 1; 0 0 1 0];
%! [loss, gradient] = octcompress.distill.kl (hard, s, 1);
%! [expected, d] = octcompress.train.cross_entropy (s, [1 2 3 2]);
%! assert (loss, expected, 1e-12);
%! assert (gradient, d, 1e-14);
%!test % large T: half the squared error of the centred logits
%! centred = (s - mean (s, 1)) - (t - mean (t, 1));
%! assert (octcompress.distill.kl (t, s, 1e4), mean (sum (centred .^ 2, 1)) / 3 / 2, 1e-3);
%!test % large logits
%! loss = octcompress.distill.kl (single ([1e30; 0]), single ([1e30; 0]), 4);
%! assert (loss, 0);
%!error <kl: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x4 double and 4x3 double> octcompress.distill.kl (t, s', 1)
%!error <kl: TEMPERATURE must be a number from .* to Inf, but is 0> octcompress.distill.kl (t, s, 0)
