function [loss, gradient] = hint (teacher_features, student_features)
%HINT  Features of a layer inside the student led by those of one inside the teacher (FitNets).
%
%   [loss, gradient] = octcompress.distill.hint (teacher_features, student_features)
%
%   teacher_features, student_features  the same size. Where the student's layer has another width
%             than the teacher's, its features go through a linear projection first, which is
%             learnt with the student: in nn_distill an ordinary dense layer, or a 1 x 1 convolution
%             of images, that is removed after training.
%   loss      double: half the mean over all entries of (student - teacher)^2 [1, eq. 3]
%   gradient  by student_features: (student - teacher) / number of entries
%
%   Errors: octcompress:hint:badSize.
%
%   [1] Romero et al., FitNets: hints for thin deep nets, ICLR 2015, arXiv:1412.6550.
%
%   See also nn_distill, octcompress.distill.attention.

  octcompress.internal.check_pair ('hint', 'FEATURES', teacher_features, student_features);
  [loss, gradient] = octcompress.train.squared_error (student_features, teacher_features);
  loss = loss / 2;
  gradient = gradient / 2;
end

%!test
%! [loss, gradient] = octcompress.distill.hint ([1 2; 3 4], [1 0; 3 7]);
%! assert (loss, (4 + 9) / 8);
%! assert (gradient, [0 -2; 0 3] / 4);
%!test % central differences
%! octcompress.internal.check_derivative (@(s) octcompress.distill.hint ([1 2; -1 0.5], s), ...
%!                                       [0.3 -1; 2 0.4]);
%!error <hint: TEACHER_FEATURES and STUDENT_FEATURES must have the same size, but are 3x2 double and 2x3 double> octcompress.distill.hint (ones (3, 2), ones (2, 3))
