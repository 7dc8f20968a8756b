function bytes = encode_bits (bits, frequencies, groups, lanes)
%ENCODE_BITS  Code groups of binary decisions, each with its own probability, by rANS.
%
%   bytes = octcompress.coding.encode_bits (bits, frequencies, groups, lanes)
%
%   bits         n x 1, 0 or 1
%   frequencies  n x 1, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   groups       g x 1 whole numbers whose sum is n: decode_bits will be asked for so many at a time
%   lanes        1, or an even number
%   bytes        uint8 column: the final states, then words of two bytes
%
%   See also octcompress.coding.decode_bits, octcompress.coding.open_stream.

  stop = cumsum (groups);
  if lanes == 1
    bytes = encode_runs (bits, frequencies, stop - groups, stop);
  else
    bytes = encode_lanes (bits, frequencies, stop - groups, stop, lanes);
  end
end

function bytes = encode_runs (bits, frequencies, start, stop)
%  Each 1 is a symbol, and so is a stretch without any.
  ranges = zeros (numel (bits), 2);
  count = 0;
  for group = 1:numel (stop)
    f = frequencies(start(group)+1:stop(group));
    ones_at = bits(start(group)+1:stop(group));
    if sum (f) > 16384 * numel (f)
      f = 32768 - f;
      ones_at = 1 - ones_at;
    end
    ones_at = find (ones_at);
    next = 1;
    done = 0;
    while done < numel (f)
      ahead = min (done + 256, numel (f));
      bounds = [octcompress.coding.run_outcomes(f(done+1:ahead)); 0];
      place = ahead - done + 1;
      if next <= numel (ones_at) && ones_at(next) <= ahead
        place = ones_at(next) - done;
        next = next + 1;
      end
      count = count + 1;
      ranges(count, :) = bounds(place:place+1);
      done = min (done + place, ahead);
    end
  end
  ranges = ranges(1:count, :);
  bytes = octcompress.coding.encode_lane (ranges(:, 1) - ranges(:, 2), ranges(:, 2), 16);
end

function bytes = encode_lanes (bits, frequencies, start, stop, lanes)
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

%!test % what decode_bits reads is what was written, in one lane and in several
%! bits = double (mod ((1:1000)' .^ 2, 7) < 2);
%! for frequencies = {1 + mod((1:1000)' * 7919, 32767), repmat(3000, 1000, 1), ...
%!                    repmat(32767, 1000, 1)}
%!   f = frequencies{1};
%!   groups = [1; 17; 482; 500];
%!   for lanes = [1 2 16 64]
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
%!test % the cost of a single lane is that of the probabilities
%! bits = double (mod ((1:4000)', 50) == 0);
%! f = repmat (655, 4000, 1);
%! cost = -sum (log2 (abs (1 - bits - f / 32768))) / 8;
%! bytes = octcompress.coding.encode_bits (bits, f, repmat (100, 40, 1), 1);
%! assert (numel (bytes) < cost + 4);
