function replace_file (caller, new, old)
%REPLACE_FILE  Give a finished file its name, in one step where the system can.
%
%   octcompress.internal.replace_file (caller, new, old)
%
%   new  the file just written, in the folder of old
%   old  its name from now on; a file of that name is replaced
%
%   Errors: octcompress:CALLER:notWritten.

  if exist ('OCTAVE_VERSION', 'builtin')
    [status, message] = rename (new, old);
    fine = status == 0;
  else
    [fine, message] = movefile (new, old, 'f');
  end
  if ~fine
    octcompress.internal.fail (caller, 'notWritten', '''%s'' cannot be replaced: %s', old, message);
  end
end

%!test
%! old = tempname ();
%! new = tempname ();
%! fclose (fopen (new, 'w'));
%! octcompress.internal.replace_file ('f', new, old);
%! assert ({isfile(new), isfile(old)}, {false, true});
%! delete (old);
%!error <f: '.*' cannot be replaced> octcompress.internal.replace_file ('f', tempname (), tempname ())
