function merged = parse_options (caller, defaults, args)
%PARSE_OPTIONS  Merge the user's options into the defaults; an unknown name is an error.
%
%   merged = octcompress.internal.parse_options (caller, defaults, args)
%
%   caller    char, the public function's name, for messages
%   defaults  scalar struct: every known option with its default
%   args      cell, the user's varargin: name-value pairs, or a scalar struct and then pairs
%   merged    defaults with the user's values in place; the later of two equal names wins
%
%   Errors: octcompress:CALLER:unknownOption, :badOption.

  merged = defaults;
  if ~isempty (args) && isstruct (args{1}) && isscalar (args{1})
    given = args{1};
    names = fieldnames (given);
    for k = 1:numel (names)
      merged = set_option (caller, merged, names{k}, given.(names{k}));
    end
    args(1) = [];
  end
  for k = 1:2:numel (args)
    name = args{k};
    if ~ischar (name) || ~isrow (name)
      octcompress.internal.fail (caller, 'badOption', ...
        ['an option''s name must be text, but what came is %s; options are ''name'', value ' ...
         'pairs or a struct'], ...
        octcompress.internal.describe (name));
    end
    if k == numel (args)
      octcompress.internal.fail (caller, 'badOption', 'the option ''%s'' has no value', name);
    end
    merged = set_option (caller, merged, name, args{k + 1});
  end
end

function merged = set_option (caller, merged, name, value)
  if ~isfield (merged, name)
    octcompress.internal.fail (caller, 'unknownOption', ...
      'there is no option ''%s''; the options are %s', name, strjoin (fieldnames (merged)', ', '));
  end
  merged.(name) = value;
end

%!shared d
%! d = struct ('bits', 8, 'scheme', 'symmetric');
%!assert (octcompress.internal.parse_options ('f', d, {}), d)
%!test
%! merged = octcompress.internal.parse_options ('f', d, {'bits', 4});
%! assert (merged, struct ('bits', 4, 'scheme', 'symmetric'));
%!test
%! merged = octcompress.internal.parse_options ('f', d, {struct('bits', 4), 'scheme', 'affine'});
%! assert (merged, struct ('bits', 4, 'scheme', 'affine'));
%!test % the later of two equal names wins
%! merged = octcompress.internal.parse_options ('f', d, {struct('bits', 4), 'bits', 2});
%! assert (merged.bits, 2);
%!error <f: there is no option 'bit'; the options are bits, scheme> octcompress.internal.parse_options ('f', d, {'bit', 4})
%!error <f: the option 'bits' has no value> octcompress.internal.parse_options ('f', d, {'bits'})
%!error <f: an option's name must be text, but what came is 4> octcompress.internal.parse_options ('f', d, {4, 'bits'})
