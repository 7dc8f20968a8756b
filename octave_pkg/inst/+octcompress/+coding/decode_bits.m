function [bits, coder] = decode_bits (frequencies, coder)
%DECODE_BITS  The next group of binary decisions of a rANS stream.
%
%   [bits, coder] = octcompress.coding.decode_bits (frequencies, coder)
%
%   frequencies  m x 1 double, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   coder        struct, from open_stream: state (lanes x 1 double), words (column of uint16 values
%                in double), position (words read so far)
%   bits         m x 1 double, 0 or 1
%
%   With several lanes decision k belongs to lane mod (k - 1, lanes) + 1 [1]. A single lane decodes
%   where the first 1 is, as one symbol, then where the next is, and so on: a stretch of zeros costs
%   one step. It looks at most 256 ahead. If more than half are expected to be 1 it asks for the
%   first 0 instead.
%
%   Errors: octcompress:nn_unpack:damaged if the stream is too short.
%
%   [1] Giesen, Interleaved entropy coders, 2014, arXiv:1402.3392.
%
%   See also octcompress.coding.encode_bits, octcompress.coding.run_outcomes.

  if isscalar (coder.state)
    [bits, coder] = decode_runs (frequencies, coder);
  else
    [bits, coder] = decode_lanes (frequencies, coder);
  end
end

function [bits, coder] = decode_runs (frequencies, coder)
  m = numel (frequencies);
  flipped = sum (frequencies) > 16384 * m;
  if flipped
    frequencies = 32768 - frequencies;
  end
  bits = zeros (m, 1);
  x = coder.state;
  position = coder.position;
  done = 0;
  while done < m
    ahead = min (done + 256, m);
    bounds = octcompress.coding.run_outcomes (frequencies(done+1:ahead));
    high = floor (x / 65536);
    low = x - 65536 * high;
    k = sum (bounds > low);
    start = 0;
    if k <= ahead - done
      start = bounds(k+1);
      bits(done + k) = 1;
    end
    x = (bounds(k) - start) * high + low - start;
    done = min (done + k, ahead);
    while x < 4294967296 && position < numel (coder.words)
      position = position + 1;
      x = 65536 * x + coder.words(position);
    end
  end
  if flipped
    bits = 1 - bits;
  end
  coder.state = x;
  coder.position = position;
end

function [bits, coder] = decode_lanes (frequencies, coder)
  lanes = numel (coder.state);
  count = numel (frequencies);
  position = coder.position;
  bits = zeros (count, 1);
  for first = 1:lanes:count
    span = first:min (first + lanes - 1, count);
    f = frequencies(span);
    x = coder.state(1:numel (span));
    high = floor (x / 32768);
    low = x - 32768 * high;
    one = low < f;
    zero = ~one;
    bits(span) = one;
    f(zero) = 32768 - f(zero);
    low(zero) = low(zero) - 32768 + f(zero);
    x = f .* high + low;
    refill = find (x < 65536);
    if ~isempty (refill)
      if position + numel (refill) > numel (coder.words)
        octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream ends too early');
      end
      x(refill) = 65536 * x(refill) + coder.words(position + (1:numel (refill))');
      position = position + numel (refill);
    end
    coder.state(1:numel (span)) = x;
  end
  coder.position = position;
end

%!test % the decisions that were coded
%! bits = double (mod ((1:500)' * 0.754877666, 1) < 0.2);
%! frequencies = repmat (6554, 500, 1);
%! for lanes = [1 4]
%!   coded = octcompress.coding.encode_bits (bits, frequencies, 500, lanes);
%!   coder = octcompress.coding.open_stream (coded, lanes);
%!   assert (octcompress.coding.decode_bits (frequencies, coder), bits);
%! end
