function [loss, gradient] = similarity (teacher_features, student_features)
%SIMILARITY  Observations that are alike to the teacher are alike to the student.
%
%   [loss, gradient] = octcompress.distill.similarity (teacher_features, student_features)
%
%   teacher_features, student_features  F x N; the numbers of features may differ
%   loss      double: mean over all N^2 entries of (G_student - G_teacher)^2, where G, N x N, holds
%             the products of the features of each two observations, each row divided by its
%             norm [1, eq. 4]
%   gradient  by student_features
%
%   An observation without any activation has a row of zeros, and no gradient through it.
%
%   Errors: octcompress:similarity:badSize.
%
%   [1] Tung and Mori, Similarity-preserving knowledge distillation, ICCV 2019, arXiv:1907.09682.
%
%   See also nn_distill, octcompress.distill.rkd_distance.

  octcompress.internal.check_pair ('similarity', 'FEATURES', teacher_features, student_features, ...
                                   true);
  count = size (student_features, 2);
  a = rows_of (teacher_features);
  [b, lengths] = rows_of (student_features);
  difference = b - a;
  loss = sum (double (difference(:)) .^ 2) / count ^ 2;
  d = (2 / count ^ 2) * difference;
  d = (d - b .* sum (d .* b, 2)) ./ lengths;
  d(isinf (lengths), :) = 0;
  gradient = student_features * (d + d');
end

function [g, lengths] = rows_of (features)
  g = features' * features;
  lengths = sqrt (sum (g .^ 2, 2));
  lengths(lengths == 0) = Inf;
  g = g ./ lengths;
end

%!shared t, s
%! t = reshape (sin ((1:10) .^ 2), 2, 5);
%! s = reshape (cos ((1:15) .^ 2), 3, 5);
%!test % by its definition
%! a = t' * t;
%! b = s' * s;
%! for n = 1:5
%!   a(n, :) = a(n, :) / norm (a(n, :));
%!   b(n, :) = b(n, :) / norm (b(n, :));
%! end
%! assert (octcompress.distill.similarity (t, s), mean ((a(:) - b(:)) .^ 2), 1e-14);
%!test octcompress.internal.check_derivative (@(s) octcompress.distill.similarity (t, s), s);
%!test % turned and scaled features are as similar
%! [loss, gradient] = octcompress.distill.similarity (t, 3 * [0 1; -1 0] * t);
%! assert (loss, 0, 1e-14);
%! assert (gradient, zeros (2, 5), 1e-14);
%!test % zeros
%! [~, gradient] = octcompress.distill.similarity (t, 0 * s);
%! assert (gradient, zeros (3, 5));
%!error <similarity: TEACHER_FEATURES and STUDENT_FEATURES must have F x N, with the same N, but are 2x5 double and 3x4 double> octcompress.distill.similarity (t, s(:, 1:4))
