function fail (caller, tag, template, varargin)
%FAIL  Raise an error of the toolbox: octcompress:CALLER:TAG.
%
%   octcompress.internal.fail (caller, tag, template, ...)
%
%   caller    char, the function the user called
%   tag       char, one word that names the kind of fault
%   template  char, as for sprintf, with its values after it

  error (['octcompress:' caller ':' tag], '%s: %s', caller, sprintf (template, varargin{:}));
end

%!error <nn_x: A must be 3, but is 4> octcompress.internal.fail ('nn_x', 'badValue', 'A must be %d, but is %d', 3, 4)
%!test
%! try
%!   octcompress.internal.fail ('nn_x', 'badValue', 'it is %s wrong', '100%');
%! catch e
%!   assert (e.identifier, 'octcompress:nn_x:badValue');
%!   assert (e.message, 'nn_x: it is 100% wrong');
%! end
