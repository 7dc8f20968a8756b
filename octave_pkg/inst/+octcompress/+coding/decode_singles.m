function [bits, coder] = decode_singles (frequencies, coder)
%DECODE_SINGLES  The next binary decisions on a single lane of rANS, one by one.
%
%   [bits, coder] = octcompress.coding.decode_singles (frequencies, coder)
%
%   frequencies  m x 1 double, the probability of a 1 for each, in 1/32768, from 1 to 32767
%   coder        struct, from open_stream
%   bits         m x 1 double, 0 or 1
%
%   For decisions of which neither a 1 nor a 0 is rare; decode_runs takes all others faster.
%
%   See also octcompress.coding.encode_runs.

  bits = zeros (size (frequencies));
  frequencies = 2 * frequencies;
  x = coder.state;
  position = coder.position;
  words = coder.words;
  for k = 1:numel (frequencies)
    f = frequencies(k);
    high = floor (x / 65536);
    low = x - 65536 * high;
    if low < f
      bits(k) = 1;
      x = f * high + low;
    else
      x = (65536 - f) * high + low - f;
    end
    while x < 4294967296 && position < numel (words)
      position = position + 1;
      x = 65536 * x + words(position);
    end
  end
  coder.state = x;
  coder.position = position;
end

%!test % what encode_runs wrote
%! bits = double (mod ((1:700)' * 0.754877666, 1) < 0.4);
%! f = 1 + mod ((1:700)' * 7919, 32767);
%! bytes = octcompress.coding.encode_runs (bits, f, [300 0 0; 400 1 0]);
%! coder = octcompress.coding.open_stream (bytes, 1);
%! [first, coder] = octcompress.coding.decode_singles (f(1:300), coder);
%! assert ([first; octcompress.coding.decode_singles(f(301:end), coder)], bits);
