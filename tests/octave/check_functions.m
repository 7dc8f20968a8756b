function check_functions (names, file)
%CHECK_FUNCTIONS  What Octave knows of functions, as a user who calls them finds it.
%
%   check_functions (names, file)
%
%   names  cellstr, full names of functions
%   file   char, the file to write: JSON, an array with an object for each name:
%          place (file of the function), help (its text), message (of a call without arguments)

  found = cell (1, numel (names));
  for i = 1:numel (names)
    call = str2func (names{i});
    message = '';
    try
      evalc ('call ();');
    catch e
      message = e.message;
    end
    found{i} = struct ('name', names{i}, 'place', which (names{i}), ...
                       'help', get_help_text (names{i}), 'message', message);
  end
  fid = fopen (file, 'wt');
  fputs (fid, jsonencode (found));
  fclose (fid);
end
