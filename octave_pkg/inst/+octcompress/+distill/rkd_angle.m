function [loss, gradient] = rkd_angle (teacher_features, student_features)
%RKD_ANGLE  Angles between three observations as the teacher has them (relational distillation).
%
%   [loss, gradient] = octcompress.distill.rkd_angle (teacher_features, student_features)
%
%   teacher_features, student_features  F x N; the numbers of features may differ
%   loss      double: mean over all triplets i, j, k of different observations of huber (c_student -
%             c_teacher), where c is the cosine of the angle at j between the directions to i and to
%             k; huber (e) = e^2 / 2 up to 1, abs (e) - 1/2 beyond [1, eq. 7-8]
%   gradient  by student_features
%
%   Takes N^3 numbers' time and N^2 numbers' memory. Fewer than three observations have no loss.
%
%   Errors: octcompress:rkd_angle:badSize.
%
%   [1] Park et al., Relational knowledge distillation, CVPR 2019, arXiv:1904.05068.
%
%   See also nn_distill, octcompress.distill.rkd_distance.

  octcompress.internal.check_pair ('rkd_angle', 'FEATURES', teacher_features, student_features, ...
                                   true);
  count = size (student_features, 2);
  triplets = count * (count - 1) * (count - 2);
  gradient = zeros (size (student_features), class (student_features));
  loss = 0;
  if triplets == 0
    return
  end
  for j = 1:count
    a = directions (teacher_features, j);
    [b, lengths] = directions (student_features, j);
    e = b' * b - a' * a;
    e(1:count + 1:end) = 0;
    clipped = min (max (e, -1), 1);
    loss = loss + sum (double (clipped(:)) .* (double (e(:)) - double (clipped(:)) / 2));
    d = b * clipped * (2 / triplets);
    d = (d - b .* sum (d .* b, 1)) ./ lengths;
    gradient = gradient + d;
    gradient(:, j) = gradient(:, j) - sum (d, 2);
  end
  loss = loss / triplets;
end

function [u, lengths] = directions (z, j)
  % From observation j to each: of length 1, or 0 to itself and to its twins.
  u = z - z(:, j);
  lengths = sqrt (sum (u .^ 2, 1));
  lengths(lengths == 0) = Inf;
  u = u ./ lengths;
end

%!shared t, s
%! t = reshape (sin ((1:10) .^ 2), 2, 5);
%! s = reshape (cos ((1:15) .^ 2), 3, 5);
%!function c = cosine_at (z, i, j, k)
%!  u = z(:, i) - z(:, j);
%!  v = z(:, k) - z(:, j);
%!  c = u' * v / (norm (u) * norm (v));
%!endfunction
%!test % by its definition
%! total = 0;
%! for i = 1:5
%!   for j = 1:5
%!     for k = 1:5
%!       if i ~= j && j ~= k && i ~= k
%!         e = abs (cosine_at (s, i, j, k) - cosine_at (t, i, j, k));
%!         total = total + (e <= 1) * e ^ 2 / 2 + (e > 1) * (e - 0.5);
%!       end
%!     end
%!   end
%! end
%! assert (octcompress.distill.rkd_angle (t, s), total / 60, 1e-14);
%!test octcompress.internal.check_derivative (@(s) octcompress.distill.rkd_angle (t, s), s);
%!test % moved, turned and scaled features have the same relations
%! [loss, gradient] = octcompress.distill.rkd_angle (t, 3 * [0 1; -1 0] * t + [1; 2]);
%! assert (loss, 0, 1e-14);
%! assert (gradient, zeros (2, 5), 1e-14);
%!test % two observations; twins
%! [loss, gradient] = octcompress.distill.rkd_angle (t(:, 1:2), s(:, 1:2));
%! assert ({loss, gradient}, {0, zeros(3, 2)});
%! [~, gradient] = octcompress.distill.rkd_angle (t, s(:, [1 1 2 3 4]));
%! assert (all (isfinite (gradient(:))));
%!error <rkd_angle: TEACHER_FEATURES and STUDENT_FEATURES must have F x N, with the same N, but are 2x5 double and 3x4 double> octcompress.distill.rkd_angle (t, s(:, 1:4))
