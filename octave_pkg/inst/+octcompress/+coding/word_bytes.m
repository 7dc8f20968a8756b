function bytes = word_bytes (words)
%WORD_BYTES  Words of 16 bits as bytes, the low byte first.
%
%   bytes = octcompress.coding.word_bytes (words)
%
%   words  n x 1, 0 to 65535
%   bytes  uint8 column, 2 n long
%
%   See also octcompress.coding.byte_words.

  bytes = octcompress.coding.value_bytes (uint16 (words));
end

%!assert (octcompress.coding.word_bytes ([513; 65535]), uint8 ([1; 2; 255; 255]))
