function bytes = write_states (states)
%WRITE_STATES  The final states of an interleaved rANS stream.
%
%   bytes = octcompress.coding.write_states (states)
%
%   states  lanes x 1, 2^16 to 2^32 - 1; lanes an even number
%   bytes   uint8 column. Of the high halves first the place of the highest bit, 0 to 15, four bits
%           each; then the bits below it; then the low halves, two bytes each
%
%   See also octcompress.coding.read_states.

  high = floor (states / 65536);
  [~, digits] = log2 (high);
  bytes = [octcompress.coding.pack_bits(digits - 1, 4); ...
           octcompress.coding.pack_bits(high - 2 .^ (digits - 1), digits - 1); ...
           octcompress.coding.word_bytes(states - 65536 * high)];
end

%!test % what each state is worth
%! bytes = octcompress.coding.write_states ([2 ^ 16; 2 ^ 32 - 1]);
%! assert (class (bytes), 'uint8');
%! assert (numel (bytes), 1 + 2 + 4);
