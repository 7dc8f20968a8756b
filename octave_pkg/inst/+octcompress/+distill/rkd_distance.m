function [loss, gradient] = rkd_distance (teacher_features, student_features)
%RKD_DISTANCE  Distances between observations as the teacher has them (relational distillation).
%
%   [loss, gradient] = octcompress.distill.rkd_distance (teacher_features, student_features)
%
%   teacher_features, student_features  F x N; the numbers of features may differ
%   loss      double: mean over all pairs of different observations of huber (d_student / mean -
%             d_teacher / mean): the Euclidean distances, each divided by the mean of all of them;
%             huber (e) = e^2 / 2 up to 1, abs (e) - 1/2 beyond [1, eq. 4-6]
%   gradient  by student_features
%
%   Fewer than two observations, or all alike, have no loss.
%
%   Errors: octcompress:rkd_distance:badSize.
%
%   [1] Park et al., Relational knowledge distillation, CVPR 2019, arXiv:1904.05068.
%
%   See also nn_distill, octcompress.distill.rkd_angle, octcompress.distill.similarity.

  octcompress.internal.check_pair ('rkd_distance', 'FEATURES', teacher_features, ...
                                   student_features, true);
  count = size (student_features, 2);
  pairs = count * (count - 1);
  gradient = zeros (size (student_features), class (student_features));
  loss = 0;
  if pairs == 0
    return
  end
  a = distances (teacher_features);
  b = distances (student_features);
  mean_a = sum (a(:)) / pairs;
  mean_b = sum (b(:)) / pairs;
  if mean_a == 0 || mean_b == 0
    return
  end
  e = b / mean_b - a / mean_a;
  clipped = min (max (e, -1), 1);
  loss = sum (double (clipped(:)) .* (double (e(:)) - double (clipped(:)) / 2)) / pairs;
  d = clipped / pairs;
  d = d / mean_b - sum (d(:) .* b(:)) / (mean_b ^ 2 * pairs);
  % The distance of an observation to itself, and to its twin, has no derivative.
  apart = b > 0;
  w = zeros (count, class (b));
  w(apart) = d(apart) ./ b(apart);
  gradient = 2 * (student_features .* sum (w, 1) - student_features * w);
end

function d = distances (z)
  squares = sum (z .^ 2, 1);
  d = squares + squares' - 2 * (z' * z);
  d(1:size (z, 2) + 1:end) = 0;
  d = sqrt (max (d, 0));
end

%!shared t, s
%! t = reshape (sin ((1:10) .^ 2), 2, 5);
%! s = reshape (cos ((1:15) .^ 2), 3, 5);
%!test % by its definition, with an outlier for the linear part
%! far = t;
%! far(:, 5) = 20;
%! [i, j] = find (~eye (5));
%! a = sqrt (sum ((far(:, i) - far(:, j)) .^ 2, 1));
%! b = sqrt (sum ((s(:, i) - s(:, j)) .^ 2, 1));
%! e = abs (b / mean (b) - a / mean (a));
%! assert (any (e > 1));
%! expected = mean ((e <= 1) .* e .^ 2 / 2 + (e > 1) .* (e - 0.5));
%! assert (octcompress.distill.rkd_distance (far, s), expected, 1e-13);
%!test octcompress.internal.check_derivative (@(s) octcompress.distill.rkd_distance (t, s), s);
%!test % moved, turned and scaled features have the same relations
%! [loss, gradient] = octcompress.distill.rkd_distance (t, 3 * [0 1; -1 0] * t + [1; 2]);
%! assert (loss, 0, 1e-14);
%! assert (gradient, zeros (2, 5), 1e-8);
%!test % one observation; all alike
%! [loss, gradient] = octcompress.distill.rkd_distance (t(:, 1), s(:, 1));
%! assert ({loss, gradient}, {0, zeros(3, 1)});
%! [loss, gradient] = octcompress.distill.rkd_distance (t, ones (3, 5));
%! assert ({loss, gradient}, {0, zeros(3, 5)});
%!error <rkd_distance: TEACHER_FEATURES and STUDENT_FEATURES must have F x N, with the same N, but are 2x5 double and 3x4 double> octcompress.distill.rkd_distance (t, s(:, 1:4))
