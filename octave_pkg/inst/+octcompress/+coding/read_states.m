function [states, position] = read_states (bytes, position, lanes)
%READ_STATES  Read what write_states wrote.
%
%   [states, position] = octcompress.coding.read_states (bytes, position, lanes)
%
%   bytes     uint8 column
%   position  where to begin; on return, the place behind
%   states    lanes x 1 double
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.write_states.

  [digits, position] = take (bytes, position, lanes / 2);
  digits = octcompress.coding.unpack_bits (digits, 4, lanes);
  [high, position] = take (bytes, position, ceil (sum (digits) / 8));
  high = 2 .^ digits + octcompress.coding.unpack_bits (high, digits);
  [low, position] = take (bytes, position, 2 * lanes);
  states = 65536 * high + octcompress.coding.byte_words (low);
end

function [part, position] = take (bytes, position, count)
  if position + count - 1 > numel (bytes)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream ends too early');
  end
  part = bytes(position:position+count-1);
  position = position + count;
end

%!test
%! states = [65536; 2 ^ 32 - 1; 123456; 2 ^ 31];
%! bytes = octcompress.coding.write_states (states);
%! [back, position] = octcompress.coding.read_states ([uint8(7); bytes; 7], 2, 4);
%! assert (back, states);
%! assert (position, numel (bytes) + 2);
%!error <nn_unpack: a coded stream ends too early> octcompress.coding.read_states (uint8 ([0; 0; 1]), 1, 2)
