function bytes = encode_bits (bits, frequencies, groups, lanes)
%ENCODE_BITS  Code groups of binary decisions, each with its own probability, on lanes of rANS.
%
%   bytes = octcompress.coding.encode_bits (bits, frequencies, groups, lanes)
%
%   bits         n x 1, 0 or 1
%   frequencies  n x 1, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   groups       g x 1 whole numbers whose sum is n: decode_bits will be asked for so many at a time
%   lanes        an even number
%   bytes        uint8 column: the final states, then words of two bytes
%
%   See also octcompress.coding.decode_bits, octcompress.coding.encode_runs.

  stop = cumsum (groups);
  start = stop - groups;
  zero = bits == 0;
  starts = zeros (numel (bits), 1);
  starts(zero) = frequencies(zero);
  frequencies(zero) = 32768 - frequencies(zero);
  x = repmat (65536, lanes, 1);
  words = zeros (numel (bits), 1, 'uint16');
  position = numel (words);
  for group = numel (stop):-1:1
    size_of_group = stop(group) - start(group);
    for first = lanes * floor ((size_of_group - 1) / lanes):-lanes:0
      span = start(group) + (first + 1:min (first + lanes, size_of_group));
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
  bytes = [octcompress.coding.write_states(x); ...
           octcompress.coding.word_bytes(words(position+1:end))];
end

%!test % what decode_bits reads is what was written
%! bits = double (mod ((1:1000)' .^ 2, 7) < 2);
%! for frequencies = {1 + mod((1:1000)' * 7919, 32767), repmat(3000, 1000, 1), ...
%!                    repmat(32767, 1000, 1)}
%!   f = frequencies{1};
%!   groups = [1; 17; 482; 500];
%!   for lanes = [2 16 64]
%!     bytes = octcompress.coding.encode_bits (bits, f, groups, lanes);
%!     coder = octcompress.coding.open_stream (bytes, lanes);
%!     back = [];
%!     for count = groups'
%!       span = numel (back) + (1:count);
%!       [part, coder] = octcompress.coding.decode_bits (f(span), coder);
%!       back = [back; part];
%!     end
%!     assert (back, bits);
%!     assert (coder.position, numel (coder.words));
%!   end
%! end
