function check_saveable (caller, value, most)
%CHECK_SAVEABLE  Refuse what a .mat file cannot hold, before anything is written.
%
%   octcompress.internal.check_saveable (caller, value)
%   octcompress.internal.check_saveable (caller, value, most)
%
%   value  struct whose fields become the variables of the file
%   most   bytes that one variable may take (2^31 - 1, the format's limit)
%
%   Errors: octcompress:CALLER:badType (names the place), :tooLarge, :badName.

  if nargin < 3
    most = 2 ^ 31 - 1;
  end
  names = fieldnames (value);
  for k = 1:numel (names)
    if ~isvarname (names{k})
      octcompress.internal.fail (caller, 'badName', ...
        '''%s'' cannot be a variable of a .mat file; rename the field', names{k});
    end
    variable = value.(names{k});
    check_class (caller, variable, names{k});
    listed = whos ('variable');
    if listed.bytes > most
      octcompress.internal.fail (caller, 'tooLarge', ...
        ['the variable ''%s'' has %.0f bytes, but a .mat file holds at most %.0f in one; split ' ...
         'the model'], ...
        names{k}, listed.bytes, most);
    end
  end
end

function check_class (caller, value, place)
  if iscell (value)
    for k = 1:numel (value)
      check_class (caller, value{k}, sprintf ('%s{%d}', place, k));
    end
  elseif isstruct (value)
    names = fieldnames (value);
    for k = 1:numel (value)
      for i = 1:numel (names)
        check_class (caller, value(k).(names{i}), [place '.' names{i}]);
      end
    end
  elseif ~(isnumeric (value) || ischar (value) || islogical (value))
    octcompress.internal.fail (caller, 'badType', ...
      '%s is a %s, which a .mat file cannot hold; remove the field', place, class (value));
  end
end

%!test
%! octcompress.internal.check_saveable ('f', struct ('a', {{1, 'x', true, struct('b', int8 (3))}}));
%!error <f: a.b\{2\} is a function_handle, which a .mat file cannot hold> octcompress.internal.check_saveable ('f', struct ('a', struct ('b', {{1, @sin}})))
%!error <f: the variable 'a' has 800 bytes, but a .mat file holds at most 799 in one> octcompress.internal.check_saveable ('f', struct ('a', ones (10)), 799)
%!error <f: 'a b' cannot be a variable> octcompress.internal.check_saveable ('f', struct ('a b', 1))
