function text = decode_text (bytes, count)
%DECODE_TEXT  The inverse of encode_text.
%
%   text = octcompress.coding.decode_text (bytes, count)
%
%   bytes  uint8 column, the whole stream
%   text   count x 1 uint8
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.encode_text.

  coder = octcompress.coding.open_stream (bytes, 1);
  [~, text] = octcompress.coding.text_pass (octcompress.coding.text_model (), zeros (count, 1), ...
                                            coder);
  text = uint8 (text);
end

%!test
%! for text = {zeros(0, 1, 'uint8'), uint8(7), uint8('any text, any text')', uint8((0:255)')}
%!   bytes = octcompress.coding.encode_text (text{1});
%!   assert (octcompress.coding.decode_text (bytes, numel (text{1})), text{1});
%! end
