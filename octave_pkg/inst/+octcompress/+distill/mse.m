function [loss, gradient] = mse (teacher_logits, student_logits)
%MSE  Mean squared error of logits, with the gradient by the student's.
%
%   [loss, gradient] = octcompress.distill.mse (teacher_logits, student_logits)
%
%   teacher_logits, student_logits  the same size, K x N as a rule
%   loss      double: mean over all entries of (student - teacher)^2 [1, 2]
%   gradient  by student_logits: 2 * (student - teacher) / number of entries
%
%   Errors: octcompress:mse:badSize.
%
%   [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184.
%   [2] Kim et al., Comparing Kullback-Leibler divergence and mean squared error loss in knowledge
%       distillation, IJCAI 2021, arXiv:2105.08919.
%
%   See also octcompress.distill.kl, nn_distill.

  octcompress.internal.check_pair ('mse', 'LOGITS', teacher_logits, student_logits);
  [loss, gradient] = octcompress.train.squared_error (student_logits, teacher_logits);
end

%!test
%! [loss, gradient] = octcompress.distill.mse ([1 2; 3 4], [1 0; 3 7]);
%! assert (loss, (4 + 9) / 4);
%! assert (gradient, [0 -4; 0 6] / 4);
%!test % central differences
%! octcompress.internal.check_derivative (@(s) octcompress.distill.mse ([1 2; -1 0.5], s), ...
%!                                       [0.3 -1; 2 0.4]);
%!error <mse: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x2 double and 2x3 double> octcompress.distill.mse (ones (3, 2), ones (2, 3))
