function [loss, gradient] = attention (teacher_features, student_features)
%ATTENTION  The student looks at the same places of an image as the teacher (attention transfer).
%
%   [loss, gradient] = octcompress.distill.attention (teacher_features, student_features)
%
%   teacher_features, student_features  C x P x N: channels, places, observations. The numbers of
%             channels may differ.
%   loss      double: mean over n of norm (a_student - a_teacher)^2, where a, P x 1, is the sum of
%             the squares over the channels, divided by its norm [1, eq. 2]; the square of the norm,
%             since the norm has no derivative where both agree
%   gradient  by student_features
%
%   An observation without any activation has the attention 0 everywhere, and no gradient.
%
%   Errors: octcompress:attention:badSize.
%
%   [1] Zagoruyko and Komodakis, Paying more attention to attention, ICLR 2017, arXiv:1612.03928.
%
%   See also nn_distill, octcompress.distill.similarity.

  if ~isequal ([size(teacher_features, 2), size(teacher_features, 3)], ...
               [size(student_features, 2), size(student_features, 3)])
    octcompress.internal.fail ('attention', 'badSize', ...
      ['TEACHER_FEATURES and STUDENT_FEATURES must be C x P x N, with the same P and N, but ' ...
       'are %s and %s'], octcompress.internal.describe (teacher_features), ...
      octcompress.internal.describe (student_features));
  end
  count = size (student_features, 3);
  a = map_of (teacher_features);
  [b, lengths] = map_of (student_features);
  difference = b - a;
  loss = sum (double (difference(:)) .^ 2) / count;
  d = (2 / count) * difference;
  d = (d - b .* sum (d .* b, 2)) ./ lengths;
  d(:, :, isinf (lengths)) = 0;
  gradient = 2 * student_features .* d;
end

function [map, lengths] = map_of (features)
  map = sum (features .^ 2, 1);
  lengths = sqrt (sum (map .^ 2, 2));
  lengths(lengths == 0) = Inf;
  map = map ./ lengths;
end

%!shared t, s
%! t = reshape (sin ((1:24) .^ 2), 2, 4, 3);
%! s = reshape (cos ((1:36) .^ 2), 3, 4, 3);
%!test % by its definition
%! total = 0;
%! for n = 1:3
%!   a = sum (t(:, :, n) .^ 2, 1);
%!   b = sum (s(:, :, n) .^ 2, 1);
%!   total = total + sum ((b / norm (b) - a / norm (a)) .^ 2);
%! end
%! assert (octcompress.distill.attention (t, s), total / 3, 1e-14);
%!test octcompress.internal.check_derivative (@(s) octcompress.distill.attention (t, s), s);
%!test % the size of the features does not count; zeros have no gradient
%! [loss, gradient] = octcompress.distill.attention (t, cat (1, 3 * t, 0 * t));
%! assert (loss, 0, 1e-14);
%! assert (gradient, zeros (4, 4, 3), 1e-14);
%! [~, gradient] = octcompress.distill.attention (t, 0 * s);
%! assert (gradient, zeros (3, 4, 3));
%!error <attention: TEACHER_FEATURES and STUDENT_FEATURES must be C x P x N, with the same P and N, but are 2x4x3 double and 2x3x3 double> octcompress.distill.attention (t, t(:, 1:3, :))
