function bytes = encode_runs (bits, frequencies, groups)
%ENCODE_RUNS  Code groups of binary decisions on a single lane of rANS.
%
%   bytes = octcompress.coding.encode_runs (bits, frequencies, groups)
%
%   bits         n x 1, 0 or 1
%   frequencies  n x 1, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   groups       g x 3, a row for each group as run_group gives it: decode_runs will be asked for
%                it, or decode_singles where it is taken one by one
%   bytes        uint8 column
%
%   See also octcompress.coding.decode_runs, octcompress.coding.decode_singles,
%   octcompress.coding.encode_lane.

  stop = cumsum (groups(:, 1));
  ranges = zeros (numel (bits), 2);
  count = 0;
  for g = 1:size (groups, 1)
    first = stop(g) - groups(g, 1);
    f = frequencies(first+1:stop(g));
    if groups(g, 3) == 0
      % one by one: a 1 comes first
      bit = bits(first+1:stop(g)) > 0;
      span = count + 1:count + numel (f);
      ranges(span, 1) = 65536;
      ranges(span, 2) = 2 * f;
      ranges(span(bit), :) = [2 * f(bit), zeros(sum (bit), 1)];
      count = count + numel (f);
      continue
    end
    if groups(g, 2)
      f = 32768 - f;
      places = find (bits(first+1:stop(g)) == 0);
    else
      places = find (bits(first+1:stop(g)));
    end
    next = 1;
    done = 0;
    while done < numel (f)
      ahead = min (done + groups(g, 3), numel (f));
      count = count + 1;
      if next <= numel (places) && places(next) <= ahead
        last = places(next);
        next = next + 1;
        bounds = octcompress.coding.run_outcomes (f(done+1:last), ahead - done);
        ranges(count, :) = bounds(end-1:end);
      else
        last = ahead;
        bounds = octcompress.coding.run_outcomes (f(done+1:last), ahead - done);
        ranges(count, :) = [bounds(end), 0];
      end
      done = last;
    end
  end
  ranges = ranges(1:count, :);
  bytes = octcompress.coding.encode_lane (ranges(:, 1) - ranges(:, 2), ranges(:, 2), 16);
end

%!test % the cost is that of the probabilities
%! bits = double (mod ((1:4000)', 50) == 0);
%! f = repmat (655, 4000, 1);
%! cost = -sum (log2 (abs (1 - bits - f / 32768))) / 8;
%! bytes = octcompress.coding.encode_runs (bits, f, repmat ([100 0 100], 40, 1));
%! assert (numel (bytes) < cost + 4);
