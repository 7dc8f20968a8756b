function text = bytes_to_text (bytes)
%BYTES_TO_TEXT  A text from its UTF-8 bytes: the inverse of text_to_bytes.
%
%   text = octcompress.coding.bytes_to_text (bytes)

  if exist ('OCTAVE_VERSION', 'builtin')
    text = char (bytes(:)');
  else
    text = native2unicode (bytes(:)', 'UTF-8');
  end
end

%!assert (octcompress.coding.bytes_to_text (octcompress.coding.text_to_bytes ('a b')), 'a b')
