function model = tidy_named (caller, name, model)
%TIDY_NAMED  A tidy network; the error names which of several is none.
%
%   model = octcompress.distill.tidy_named (caller, name, model)
%
%   name  char, 'TEACHER' or 'STUDENT'
%
%   Errors: octcompress:CALLER:notModel, and those of octcompress.model.tidy.
%
%   See also nn_distill, nn_student.

  if ~octcompress.model.is_network (model)
    octcompress.internal.fail (caller, 'notModel', ...
      '%s must be a struct with a cell LAYERS of structs that have a TYPE, but is %s', name, ...
      octcompress.internal.describe (model));
  end
  model = octcompress.model.tidy (caller, model);
end

%!error <f: STUDENT must be a struct with a cell LAYERS of structs that have a TYPE, but is 3> octcompress.distill.tidy_named ('f', 'STUDENT', 3)
%!test
%! model.layers = {struct('type', 'dense', 'weights', 1)};
%! model = octcompress.distill.tidy_named ('f', 'TEACHER', model);
%! assert (model.input_size, 1);
