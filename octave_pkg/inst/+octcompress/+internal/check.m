function check (caller, name, value, kind, range)
%CHECK  Refuse a value that is not of the kind an argument needs.
%
%   octcompress.internal.check (caller, name, value, kind, range)
%
%   caller  char, the function the user called
%   name    char, the argument or option, as the user knows it
%   kind    'number'   real finite scalar in range = [low high]
%           'integer'  the same, and whole
%           'flag'     true or false (or 1, 0)
%           'choice'   one of range = {'a', 'b', ...}
%           'text'     a row of characters, not empty
%           'finite'   real single or double array without NaN and Inf (empty is fine); range may
%                      be text that says where the array stands, for the message
%
%   Errors: octcompress:CALLER:badValue; for 'finite' octcompress:CALLER:badType and :notFinite.

  shown = upper (name);
  switch kind
    case {'number', 'integer'}
      fine = (isnumeric (value) || islogical (value)) && isscalar (value) && isreal (value) ...
             && isfinite (value) && value >= range(1) && value <= range(2) ...
             && (strcmp (kind, 'number') || value == fix (value));
      if ~fine
        octcompress.internal.fail (caller, 'badValue', ...
                                   '%s must be %s from %g to %g, but is %s', shown, ...
          article (kind), range(1), range(2), octcompress.internal.describe (value));
      end
    case 'flag'
      fine = (islogical (value) || isnumeric (value)) && isscalar (value) ...
            && (value == 0 || value == 1);
      if ~fine
        octcompress.internal.fail (caller, 'badValue', '%s must be true or false, but is %s', ...
                                   shown, ...
          octcompress.internal.describe (value));
      end
    case 'choice'
      if ~ischar (value) || ~any (strcmp (value, range))
        octcompress.internal.fail (caller, 'badValue', '%s must be one of ''%s'', but is %s', ...
                                   shown, ...
          strjoin (range, ''', '''), octcompress.internal.describe (value));
      end
    case 'text'
      if ~ischar (value) || ~isrow (value)
        octcompress.internal.fail (caller, 'badValue', '%s must be text, but is %s', shown, ...
          octcompress.internal.describe (value));
      end
    case 'finite'
      where = '';
      if nargin > 4 && ~isempty (range)
        where = [' of ' range];
      end
      if ~isfloat (value) || ~isreal (value)
        octcompress.internal.fail (caller, 'badType', ...
                                   '%s%s must be a real single or double array, but is %s', ...
          shown, where, octcompress.internal.describe (value));
      end
      flat = value(:);
      if isfinite (dot (flat, flat))   % as fast as memory; an overflow is looked at again
        return
      end
      finite = isfinite (flat);
      if ~all (finite)
        k = find (~finite, 1);
        octcompress.internal.fail (caller, 'notFinite', ...
          '%s%s must be finite, but element %d of %d is %g; repair or retrain the model first', ...
          shown, where, k, numel (value), value(k));
      end
  end
end

function text = article (kind)
  if strcmp (kind, 'integer')
    text = 'a whole number';
  else
    text = 'a number';
  end
end

%!test % values that are fine pass
%! octcompress.internal.check ('f', 'a', 0.5, 'number', [0 1]);
%! octcompress.internal.check ('f', 'a', 3, 'integer', [1 16]);
%! octcompress.internal.check ('f', 'a', 1, 'flag');
%! octcompress.internal.check ('f', 'a', 'x', 'choice', {'x', 'y'});
%! octcompress.internal.check ('f', 'a', [], 'finite');
%!error <f: A must be a number from 0 to 1, but is NaN> octcompress.internal.check ('f', 'a', NaN, 'number', [0 1])
%!error <f: A must be a whole number from 1 to 16, but is 2.5> octcompress.internal.check ('f', 'a', 2.5, 'integer', [1 16])
%!error <f: A must be a whole number from 1 to 16, but is 17> octcompress.internal.check ('f', 'a', 17, 'integer', [1 16])
%!error <f: A must be true or false, but is 'no'> octcompress.internal.check ('f', 'a', 'no', 'flag')
%!error <f: A must be one of 'x', 'y', but is 'z'> octcompress.internal.check ('f', 'a', 'z', 'choice', {'x', 'y'})
%!error <f: A must be text, but is 4> octcompress.internal.check ('f', 'a', 4, 'text')
%!error <f: W of layer 'fc' must be finite, but element 2 of 3 is NaN> octcompress.internal.check ('f', 'w', [1 NaN 2], 'finite', 'layer ''fc''')
%!error <f: W must be a real single or double array, but is 1x3 int8> octcompress.internal.check ('f', 'w', int8 ([1 2 3]), 'finite')
%!error <f: W must be a real single or double array, but is 1x2 double> octcompress.internal.check ('f', 'w', [1i 2], 'finite')
