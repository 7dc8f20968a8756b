function [bits, coder] = decode_bits (frequencies, coder)
%DECODE_BITS  The next group of binary decisions of a rANS stream.
%
%   [bits, coder] = octcompress.coding.decode_bits (frequencies, coder)
%
%   frequencies  m x 1 double, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   coder        struct, from open_stream with several lanes: state (lanes x 1 double), words
%                (column of uint16 values in double), position (words read so far)
%   bits         m x 1 double, 0 or 1
%
%   Decision k belongs to lane mod (k - 1, lanes) + 1 [1].
%
%   Errors: octcompress:nn_unpack:damaged if the stream is too short.
%
%   [1] Giesen, Interleaved entropy coders, 2014, arXiv:1402.3392.
%
%   See also octcompress.coding.encode_bits, octcompress.coding.decode_runs.

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
%! coded = octcompress.coding.encode_bits (bits, frequencies, 500, 4);
%! coder = octcompress.coding.open_stream (coded, 4);
%! assert (octcompress.coding.decode_bits (frequencies, coder), bits);
