function check_pair (caller, name, teacher, student, columns)
%CHECK_PAIR  Refuse what a distillation loss cannot compare.
%
%   octcompress.internal.check_pair (caller, name, teacher, student)
%   octcompress.internal.check_pair (caller, name, teacher, student, true)
%
%   caller   char, the loss
%   name     char, what the two are: 'LOGITS' or 'FEATURES'
%   columns  false (default): the sizes must be the same; true: only the number of columns
%
%   Errors: octcompress:CALLER:badSize.

  wanted = 'the same size';
  fine = ndims (teacher) == ndims (student) && all (size (teacher) == size (student));
  if nargin > 4 && columns
    wanted = 'F x N, with the same N';
    fine = ismatrix (teacher) && ismatrix (student) && size (teacher, 2) == size (student, 2);
  end
  if ~fine
    octcompress.internal.fail (caller, 'badSize', ...
      'TEACHER_%s and STUDENT_%s must have %s, but are %s and %s', name, name, wanted, ...
      octcompress.internal.describe (teacher), octcompress.internal.describe (student));
  end
end

%!error <f: TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are 3x2 double and 2x3 double>
%! octcompress.internal.check_pair ('f', 'LOGITS', ones (3, 2), ones (2, 3));
%!error <f: TEACHER_FEATURES and STUDENT_FEATURES must have F x N, with the same N, but are>
%! octcompress.internal.check_pair ('f', 'FEATURES', ones (3, 2), ones (2, 3), true);
%!test octcompress.internal.check_pair ('f', 'FEATURES', ones (3, 2), ones (1, 2), true);
