function [loss, gradient] = cosine (teacher_logits, student_logits)
%COSINE  One less the cosine of the angle between the outputs: their direction, not their size.
%
%   [loss, gradient] = octcompress.distill.cosine (teacher_logits, student_logits)
%
%   teacher_logits, student_logits  K x N
%   loss      double: mean over n of 1 - t' * s / (norm (t) * norm (s)), t and s columns n [1]
%   gradient  by student_logits: (cos * s / norm (s) - t / norm (t)) / (N * norm (s))
%
%   A column of zeros has the cosine 0, and no gradient.
%
%   Errors: octcompress:cosine:badSize.
%
%   [1] Sanh et al., DistilBERT, 2019, arXiv:1910.01108.
%
%   See also octcompress.distill.mse, nn_distill.

  octcompress.internal.check_pair ('cosine', 'LOGITS', teacher_logits, student_logits);
  count = size (student_logits, 2);
  t = teacher_logits ./ length_of (teacher_logits);
  lengths = length_of (student_logits);
  s = student_logits ./ lengths;
  cosines = sum (t .* s, 1);
  loss = sum (double (1 - cosines)) / count;
  gradient = (cosines .* s - t) ./ (count * lengths);
  gradient(:, isinf (lengths)) = 0;
end

function lengths = length_of (z)
  % Infinite where a column is zero, which it then stays.
  lengths = sqrt (sum (z .^ 2, 1));
  lengths(lengths == 0) = Inf;
end

%!test
%! [loss, gradient] = octcompress.distill.cosine ([1 0 2; 0 1 2], [2 1 -1; 0 0 -1]);
%! assert (loss, (0 + 1 + 2) / 3, 1e-15);
%! assert (gradient, [0 0 0; 0 -1/3 0], 1e-15);
%!test % central differences
%! t = [0.3 -1 2 0.1; 1.2 0.4 -0.7 0.5; -2 0.9 0.6 3];
%! s = [1 0.2 0.1 -3; 0 0.4 1.5 2; 0.7 0.1 -0.4 0];
%! octcompress.internal.check_derivative (@(s) octcompress.distill.cosine (t, s), s);
%!test % zeros
%! [loss, gradient] = octcompress.distill.cosine ([1 0; 1 0], [0 1; 0 2]);
%! assert ({loss, gradient}, {1, zeros(2)});
%!error <cosine: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x2 double and 2x3 double> octcompress.distill.cosine (ones (3, 2), ones (2, 3))
