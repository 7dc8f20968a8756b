function text = describe (value)
%DESCRIBE  A few words on a value, for error messages.
%
%   text = octcompress.internal.describe (value)
%
%   Text, numbers and flags are shown as they are; anything larger by its size and class.

  if ischar (value) && size (value, 1) <= 1 && numel (value) <= 60
    text = ['''' value ''''];
  elseif isempty (value)
    text = ['empty (' sizes(value) ' ' class(value) ')'];
  elseif (isnumeric (value) || islogical (value)) && isscalar (value) && isreal (value)
    text = sprintf ('%.6g', value);
  elseif isa (value, 'double') && isrow (value) && numel (value) <= 6 && isreal (value)
    text = ['[' strtrim(sprintf ('%.6g ', value)) ']'];
  else
    text = [sizes(value) ' ' class(value)];
  end
end

function text = sizes (value)
  text = sprintf ('%dx', size (value));
  text = text(1:end-1);
end

%!assert (octcompress.internal.describe ('abc'), '''abc''')
%!assert (octcompress.internal.describe (1.5), '1.5')
%!assert (octcompress.internal.describe (NaN), 'NaN')
%!assert (octcompress.internal.describe (true), '1')
%!assert (octcompress.internal.describe ([1 2 3]), '[1 2 3]')
%!assert (octcompress.internal.describe (zeros (3, 4, 'single')), '3x4 single')
%!assert (octcompress.internal.describe ({}), 'empty (0x0 cell)')
%!assert (octcompress.internal.describe (struct ('a', 1)), '1x1 struct')
