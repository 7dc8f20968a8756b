function bytes = encode_bits (bits, frequencies, groups, lanes)
%ENCODE_BITS  Code binary decisions, each with its own probability, by interleaved rANS.
%
%   bytes = octcompress.coding.encode_bits (bits, frequencies, groups, lanes)
%
%   bits         n x 1, 0 or 1
%   frequencies  n x 1, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   groups       g x 1 whole numbers whose sum is n: decode_bits will be asked for so many at a time
%   lanes        1, or an even number
%   bytes        uint8 column: the final states, then words of two bytes
%
%   Within a group decision k belongs to lane mod (k - 1, lanes) + 1.
%
%   See also octcompress.coding.decode_bits, octcompress.coding.rans_encode.

  zero = bits == 0;
  starts = zeros (numel (bits), 1);
  starts(zero) = frequencies(zero);
  frequencies(zero) = 32768 - frequencies(zero);
  if lanes == 1
    bytes = octcompress.coding.encode_lane (frequencies, starts, 15);
    return
  end
  x = repmat (65536, lanes, 1);
  words = zeros (numel (bits), 1, 'uint16');
  position = numel (words);
  stop = cumsum (groups);
  for group = numel (groups):-1:1
    begin = stop(group) - groups(group);
    for first = lanes * floor ((groups(group) - 1) / lanes):-lanes:0
      span = begin + (first + 1:min (first + lanes, groups(group)));
      f = frequencies(span);
      v = x(1:numel (span));
      out = find (v >= 131072 * f);
      if ~isempty (out)
        high = floor (v(out) / 65536);
        words(position-numel(out)+1:position) = v(out) - 65536 * high;
        position = position - numel (out);
        v(out) = high;
      end
      x(1:numel (span)) = v + floor (v ./ f) .* (32768 - f) + starts(span);
    end
  end
  bytes = [octcompress.coding.write_states(x); octcompress.coding.word_bytes(words(position+1:end))];
end

%!test % what decode_bits reads is what was written, in one lane and in several
%! bits = double (mod ((1:1000)' .^ 2, 7) < 2);
%! frequencies = 1 + mod ((1:1000)' * 7919, 32767);
%! groups = [1; 17; 482; 500];
%! for lanes = [1 2 16 64]
%!   bytes = octcompress.coding.encode_bits (bits, frequencies, groups, lanes);
%!   coder = octcompress.coding.open_stream (bytes, lanes);
%!   back = [];
%!   for count = groups'
%!     span = numel (back) + (1:count);
%!     [part, coder] = octcompress.coding.decode_bits (frequencies(span), coder);
%!     back = [back; part];
%!   end
%!   assert (back, bits);
%!   assert (coder.position, numel (coder.words));
%! end
