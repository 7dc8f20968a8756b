function bytes = encode_lane (frequencies, starts, precision)
%ENCODE_LANE  Single-lane rANS: each symbol with its own frequency.
%
%   bytes = octcompress.coding.encode_lane (frequencies, starts, precision)
%
%   frequencies  n x 1, of each symbol in turn, in 1/2^precision
%   starts       n x 1, the sum of the frequencies of the symbols before it
%   precision    up to 24
%   bytes        uint8 column: the final state, then words of two bytes
%
%   The state is kept in 2^32 .. 2^48 - 1, where doubles are exact. It begins at 1: the decoder
%   knows the end of the stream and asks for nothing behind it, so that a stream wastes less than a
%   byte. For streams too small for lanes: this is a loop.
%
%   See also octcompress.coding.open_stream, octcompress.coding.rans_encode.

  limits = frequencies * 2 ^ (48 - precision);
  growth = 2 ^ precision - frequencies;
  words = zeros (ceil (numel (starts) * precision / 16) + 3, 1);
  position = numel (words);
  x = 1;
  for k = numel (starts):-1:1
    while x >= limits(k)
      high = floor (x / 65536);
      words(position) = x - 65536 * high;
      position = position - 1;
      x = high;
    end
    x = x + floor (x / frequencies(k)) * growth(k) + starts(k);
  end
  words = words(position+1:end);

  % As few bytes as hold the state: where words follow these are 5 or 6, and the parity of the whole
  % length says which.
  state = uint8 (mod (floor (x ./ 256 .^ (0:5)'), 256));
  least = 5 * ~isempty (words);
  bytes = [state(1:max (least, find (state, 1, 'last'))); octcompress.coding.word_bytes(words)];
end

%!test % one symbol of probability 1/2 after another: a bit each
%! bytes = octcompress.coding.encode_lane (repmat (2, 800, 1), mod ((1:800)' , 2) * 2, 2);
%! assert (numel (bytes), 101, 1);
