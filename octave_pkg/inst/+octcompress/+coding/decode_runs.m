function [bits, coder] = decode_runs (group, frequencies, growing, coder)
%DECODE_RUNS  The next group of binary decisions on a single lane of rANS.
%
%   [bits, coder] = octcompress.coding.decode_runs (group, frequencies, [], coder)
%   [bits, coder] = octcompress.coding.decode_runs (group, [], growing, coder)
%
%   group        1 x 3: how many decisions, m; 1 to look for zeros among them, 0 for ones; how far
%                to look ahead (octcompress.coding.run_group)
%   frequencies  m x 1, the probability of a 1 for each, in 1/32768
%   growing      or what makes them, struct: mixed (m x 1), weight, share, reach, stretch, squash:
%                decision k, behind n ones, has the line's input
%                s = stretch (floor ((65536 n + reach share) / (k - 1 + reach))) and the probability
%                squash (floor ((mixed(k) + weight s) / 65536))
%   coder        struct, from open_stream
%   bits         column of 0 and 1
%
%   The place of the first decision that is looked for is one symbol, or that there is none within
%   sight; then the place of the next: a stretch of the others costs one step.
%
%   See also octcompress.coding.encode_runs, octcompress.coding.run_outcomes.

  m = group(1);
  flipped = group(2);
  bits = zeros (m, 1);
  x = coder.state;
  position = coder.position;
  words = coder.words;
  most = numel (words);
  known = 0;
  step = 65536 * flipped;
  if ~isempty (growing)
    squash = growing.squash;
    stretch = growing.stretch;
    mixed = growing.mixed;
    weight = growing.weight;
    trials = (0:m-1)' + growing.reach;
    known = growing.reach * growing.share;
  end
  done = 0;
  while done < m
    last = min (done + group(3), m);
    n = last - done;
    if isempty (growing)
      f = frequencies(done+1:last);
    else
      shares = floor ((known + step * (0:n-1)') ./ trials(done+1:last));
      y = mixed(done+1:last) + weight * stretch(min (shares, 65535) + 1);
      f = squash(min (max (floor (y / 65536), -3072), 3072) + 3073);
    end
    if flipped
      f = 32768 - f;
    end
    bounds = [65536; floor(cumprod (1 - f / 32768) * (65535 - n)) + (n:-1:1)'];   % run_outcomes
    high = floor (x / 65536);
    low = x - 65536 * high;
    k = sum (bounds > low);
    start = 0;
    if k <= n
      start = bounds(k+1);
      n = k;
      bits(done + k) = 1;
      known = known + 65536 - 2 * step;
    end
    done = done + n;
    known = known + step * n;
    x = (bounds(k) - start) * high + low - start;
    while x < 4294967296 && position < most
      position = position + 1;
      x = 65536 * x + words(position);
    end
  end
  if flipped
    bits = 1 - bits;
  end
  coder.state = x;
  coder.position = position;
end

%!test % what encode_runs wrote, looking for ones and for zeros
%! bits = double (mod ((1:700)' * 0.754877666, 1) < 0.1);
%! f = repmat (3300, 700, 1);
%! for flipped = [0 1]
%!   group = [700, flipped, 100];
%!   is_one = abs (bits - flipped);
%!   probability = abs (32768 * flipped - f);
%!   bytes = octcompress.coding.encode_runs (is_one, probability, group);
%!   coder = octcompress.coding.open_stream (bytes, 1);
%!   assert (octcompress.coding.decode_runs (group, probability, [], coder), is_one);
%! end
%!test % the ones before each decision are known
%! t = octcompress.coding.context_tables ();
%! growing = struct ('mixed', (1:90)' * 1e5, 'weight', 50000, 'share', 20000, 'reach', 10, ...
%!                   'stretch', t.stretch, 'squash', t.squash);
%! for flipped = [0 1]
%!   bits = double (mod ((1:90)' * 0.754877666, 1) < 0.3 + 0.4 * flipped);
%!   shares = floor ((65536 * (cumsum (bits) - bits) + 200000) ./ ((0:89)' + 10));
%!   y = floor ((growing.mixed + 50000 * t.stretch(min (shares, 65535) + 1)) / 65536);
%!   f = t.squash(y + 3073);
%!   group = [90, flipped, 40];
%!   coder = octcompress.coding.open_stream (octcompress.coding.encode_runs (bits, f, group), 1);
%!   assert (octcompress.coding.decode_runs (group, [], growing, coder), bits);
%! end
