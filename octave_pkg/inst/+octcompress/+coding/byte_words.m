function words = byte_words (bytes)
%BYTE_WORDS  Bytes as words of 16 bits, the low byte first.
%
%   words = octcompress.coding.byte_words (bytes)
%
%   bytes  2 n of them, any numeric class
%   words  n x 1 double
%
%   See also octcompress.coding.word_bytes.

  words = double (octcompress.coding.byte_values (uint8 (bytes), 'uint16'));
end

%!assert (octcompress.coding.byte_words (uint8 ([1; 2; 255; 255])), [513; 65535])
%!assert (size (octcompress.coding.byte_words (zeros (0, 1, 'uint8'))), [0 1])
