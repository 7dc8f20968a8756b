function list = read_features (caller, given, teachers)
%READ_FEATURES  The option 'features' of a distillation, checked.
%
%   list = octcompress.distill.read_features (caller, given, teachers)
%
%   given     a struct, or a cell of structs, as nn_distill takes them
%   teachers  how many there are
%   list      cell of structs with all fields: loss, teacher, student, weight, from
%
%   Errors: octcompress:CALLER:badValue, :unknownOption.
%
%   See also nn_distill.

  if isempty (given)
    given = {};
  elseif isstruct (given)
    given = num2cell (given);
  end
  if ~iscell (given) || ~all (cellfun (@(one) isstruct (one) && isscalar (one), given(:)'))
    octcompress.internal.fail (caller, 'badValue', ...
      ['FEATURES must be a struct or a cell of structs with loss, teacher and student, but is ' ...
       '%s'], octcompress.internal.describe (given));
  end
  names = {'hint', 'attention', 'rkd_distance', 'rkd_angle', 'similarity'};
  list = cell (1, numel (given));
  for k = 1:numel (given)
    defaults = struct ('loss', 'hint', 'teacher', '', 'student', '', 'weight', 1, 'from', 1);
    one = octcompress.internal.parse_options (caller, defaults, given(k));
    if isempty (one.student)
      one.student = one.teacher;
    end
    if ~isa (one.loss, 'function_handle')
      octcompress.internal.check (caller, 'the loss of features', one.loss, 'choice', names);
    end
    octcompress.internal.check (caller, 'the teacher''s layer of features', one.teacher, 'text');
    octcompress.internal.check (caller, 'the student''s layer of features', one.student, 'text');
    octcompress.internal.check (caller, 'the weight of features', one.weight, 'number', [0 1e9]);
    octcompress.internal.check (caller, 'from', one.from, 'integer', [1 teachers]);
    list{k} = one;
  end
end

%!test
%! list = octcompress.distill.read_features ('f', struct ('teacher', 'a'), 1);
%! assert (list, {struct('loss', 'hint', 'teacher', 'a', 'student', 'a', 'weight', 1, 'from', 1)});
%! assert (octcompress.distill.read_features ('f', [], 1), cell (1, 0));
%! two = struct ('teacher', {'a', 'b'}, 'loss', {'similarity', @(t, s) deal (0, s)});
%! list = octcompress.distill.read_features ('f', two, 2);
%! assert ({list{1}.loss, list{2}.teacher}, {'similarity', 'b'});
%!error <f: THE LOSS OF FEATURES must be one of 'hint', .*, but is 'kl'> octcompress.distill.read_features ('f', struct ('teacher', 'a', 'loss', 'kl'), 1)
%!error <f: THE TEACHER'S LAYER OF FEATURES must be text, but is ''> octcompress.distill.read_features ('f', struct (), 1)
%!error <f: there is no option 'layer'; the options are loss, teacher, student, weight, from> octcompress.distill.read_features ('f', struct ('layer', 'a'), 1)
%!error <f: FROM must be a whole number from 1 to 2, but is 3> octcompress.distill.read_features ('f', struct ('teacher', 'a', 'from', 3), 2)
%!error <f: FEATURES must be a struct or a cell of structs with loss, teacher and student, but is 1x1 cell> octcompress.distill.read_features ('f', {'a'}, 1)
