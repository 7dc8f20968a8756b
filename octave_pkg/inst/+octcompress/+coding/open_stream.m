function coder = open_stream (bytes, lanes)
%OPEN_STREAM  The decoder of a rANS stream at its beginning.
%
%   coder = octcompress.coding.open_stream (bytes, lanes)
%
%   bytes  uint8 column, from encode_bits or, with one lane, from encode_lane
%   lanes  1 or an even number
%   coder  struct: state (lanes x 1), words (column of uint16 values in double), position (0)
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.decode_bits, octcompress.coding.encode_lane.

  bytes = bytes(:);
  if lanes > 1
    [coder.state, position] = octcompress.coding.read_states (bytes, 1, lanes);
  else
    position = min (numel (bytes), 6 - (numel (bytes) > 6) * mod (numel (bytes), 2)) + 1;
    coder.state = sum (double (bytes(1:position-1)) .* 256 .^ (0:position - 2)');
  end
  if mod (numel (bytes) - position + 1, 2)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream has half a word');
  end
  coder.words = octcompress.coding.byte_words (bytes(position:end));
  coder.position = 0;
end

%!test % a state alone, and of five and six bytes before a word
%! coder = octcompress.coding.open_stream (uint8 ([1; 2]), 1);
%! assert ([coder.state, numel(coder.words)], [513, 0]);
%! coder = octcompress.coding.open_stream (uint8 ([0; 0; 0; 0; 1; 1; 2]), 1);
%! assert ([coder.state, coder.words], [2^32, 513]);
%! coder = octcompress.coding.open_stream (uint8 ([0; 0; 0; 0; 0; 1; 1; 2]), 1);
%! assert ([coder.state, coder.words], [2^40, 513]);
%!error <nn_unpack: a coded stream has half a word> octcompress.coding.open_stream (zeros (8, 1, 'uint8'), 2)
