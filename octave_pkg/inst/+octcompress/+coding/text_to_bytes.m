function bytes = text_to_bytes (text)
%TEXT_TO_BYTES  The UTF-8 bytes of a text.
%
%   bytes = octcompress.coding.text_to_bytes (text)
%
%   text   char row; in Octave it is UTF-8 already
%   bytes  uint8 column
%
%   See also octcompress.coding.bytes_to_text.

  if exist ('OCTAVE_VERSION', 'builtin')
    bytes = uint8 (text(:));
  else
    bytes = reshape (unicode2native (text, 'UTF-8'), [], 1);
  end
end

%!assert (octcompress.coding.text_to_bytes ('ab'), uint8 ([97; 98]))
%!assert (octcompress.coding.bytes_to_text (octcompress.coding.text_to_bytes ('ab')), 'ab')
