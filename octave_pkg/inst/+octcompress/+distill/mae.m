function [loss, gradient] = mae (teacher_logits, student_logits)
%MAE  Mean magnitude of the difference of logits: large differences pull no harder than small ones.
%
%   [loss, gradient] = octcompress.distill.mae (teacher_logits, student_logits)
%
%   teacher_logits, student_logits  the same size, K x N as a rule
%   loss      double: mean over all entries of abs (student - teacher) [1]
%   gradient  by student_logits: sign (student - teacher) / number of entries
%
%   Errors: octcompress:mae:badSize.
%
%   [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184: regression
%       on logits, here with the L1 norm.
%
%   See also octcompress.distill.mse, nn_distill.

  octcompress.internal.check_pair ('mae', 'LOGITS', teacher_logits, student_logits);
  [loss, gradient] = octcompress.train.absolute_error (student_logits, teacher_logits);
end

%!test
%! [loss, gradient] = octcompress.distill.mae ([1 2; 3 4], [1 0; 3 7]);
%! assert (loss, (2 + 3) / 4);
%! assert (gradient, [0 -1; 0 1] / 4);
%!test % central differences
%! octcompress.internal.check_derivative (@(s) octcompress.distill.mae ([1 2; -1 0.5], s), ...
%!                                       [0.3 -1; 2 0.4]);
%!error <mae: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x2 double and 2x3 double> octcompress.distill.mae (ones (3, 2), ones (2, 3))
