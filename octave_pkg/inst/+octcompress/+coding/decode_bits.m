function [bits, coder] = decode_bits (frequencies, coder)
%DECODE_BITS  The next binary decisions of an interleaved rANS stream.
%
%   [bits, coder] = octcompress.coding.decode_bits (frequencies, coder)
%
%   frequencies  m x 1 double, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   coder        struct: state (lanes x 1 double), words (column of uint16 values in double),
%                position (words read so far)
%   bits         m x 1 double, 0 or 1; decision k belongs to lane mod (k - 1, lanes) + 1
%
%   The inverse of encode_bits [1].
%
%   [1] Giesen, Interleaved entropy coders, 2014, arXiv:1402.3392.
%
%   See also octcompress.coding.encode_bits.

  state = coder.state;
  words = coder.words;
  position = coder.position;
  available = numel (words);
  count = numel (frequencies);
  bits = zeros (count, 1);
  if isscalar (state)
    for k = 1:count
      f = frequencies(k);
      high = floor (state / 32768);
      low = state - 32768 * high;
      if low < f
        bits(k) = 1;
        state = f * high + low;
      else
        state = (32768 - f) * high + low - f;
      end
      if state < 65536 && position < available
        position = position + 1;
        state = 65536 * state + words(position);
      end
    end
  else
    for first = 1:numel (state):count
      span = first:min (first + numel (state) - 1, count);
      f = frequencies(span);
      x = state(1:numel (span));
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
        if position + numel (refill) > available
          octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream ends too early');
        end
        x(refill) = 65536 * x(refill) + words(position + (1:numel (refill))');
        position = position + numel (refill);
      end
      state(1:numel (span)) = x;
    end
  end
  coder.state = state;
  coder.position = position;
end
