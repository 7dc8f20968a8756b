function bytes = rans_encode (symbols, frequencies, precision, lanes)
%RANS_ENCODE  Code symbols near their entropy with interleaved rANS and a static model.
%
%   bytes = octcompress.coding.rans_encode (symbols, frequencies, precision, lanes)
%
%   symbols      n x 1, 0 to A - 1, any numeric class
%   frequencies  A x 1 whole numbers whose sum is 2^precision; above 0 where a symbol occurs
%   precision    8 to 16
%   lanes        1, or a power of two: the states that advance side by side
%   bytes        uint8 column
%
%   A state x takes a symbol of frequency f that begins at c by x -> floor (x/f) 2^precision
%   + mod (x, f) + c [1, 2]; it is kept in 2^16 .. 2^32 - 1 by moving its low 16 bits out. States
%   are held in doubles, where such numbers are exact. With several lanes the last symbols are coded
%   first, on fewer lanes; the words of that stream are what the states begin with, so that a lane
%   costs only the four bits or so that its final state wastes. docs/packed-format.md has the bytes.
%
%   [1] Duda, Asymmetric numeral systems, 2013, arXiv:1311.2540.
%   [2] Giesen, Interleaved entropy coders, 2014, arXiv:1402.3392.
%
%   See also octcompress.coding.rans_decode, octcompress.coding.normalize_counts.

  symbols = symbols(:);
  if lanes == 1
    starts = cumsum (frequencies(:)) - frequencies(:);
    index = double (symbols) + 1;
    bytes = octcompress.coding.encode_lane (frequencies(index), starts(index), precision);
    return
  end
  count = numel (symbols);
  tail = tail_length (symbols, frequencies, precision, lanes);
  tail_bytes = octcompress.coding.rans_encode (symbols(count-tail+1:end), frequencies, ...
                                               precision, ...
                                               max (1, lanes / 64));
  size_of_tail = numel (tail_bytes);
  padded = zeros (max (2 * lanes, size_of_tail + mod (size_of_tail, 2)), 1);
  padded(1:size_of_tail) = tail_bytes;
  payload = octcompress.coding.byte_words (padded(1:2*lanes));
  [states, words] = encode_lanes (reshape (symbols(1:count-tail), lanes, []), 65536 + payload, ...
                                  frequencies(:), precision);
  bytes = [octcompress.coding.write_varint(tail); octcompress.coding.write_varint(size_of_tail); ...
           octcompress.coding.write_states(states); octcompress.coding.word_bytes(words); ...
           tail_bytes(2*lanes+1:end)];
end

function tail = tail_length (symbols, frequencies, precision, lanes)
%  Enough symbols for the first words of all lanes, by the model's own estimate; what then is left
%  fills all lanes.
  count = numel (symbols);
  prices = octcompress.coding.context_tables ();
  price = prices.price(max (1, min (32767, floor (frequencies(:) * 2 ^ (15 - precision)))));
  bits = sum (price .* frequencies(:)) / 2 ^ precision;
  tail = min (count, ceil ((16 * lanes + 64) * 4608 / max (bits, 1)));
  tail = tail + mod (count - tail, lanes);
end

function [x, words] = encode_lanes (symbols, x, f, precision)
  steps = size (symbols, 2);
  start = cumsum (f) - f;
  growth = 2 ^ precision - f;
  limit = f * 2 ^ (32 - precision);
  inverse = (1 + 2 ^ -40) ./ f;   % so much more that a quotient is never below a whole number
  words = cell (steps, 1);
  for k = steps:-1:1
    s = double (symbols(:, k)) + 1;
    out = find (x >= limit(s));
    if ~isempty (out)
      v = x(out);
      high = floor (v * (1 / 65536));
      words{k} = v - high * 65536;
      x(out) = high;
    end
    x = x + floor (x .* inverse(s)) .* growth(s) + start(s);
  end
  words = vertcat (words{:});
end

%!test % within a percent of the entropy and a few bytes
%! symbols = min (15, floor (-2 * log (mod ((1:50000)' * 0.754877666, 1))));
%! counts = accumarray (symbols + 1, 1, [16 1]);
%! f = octcompress.coding.normalize_counts (counts, 12);
%! bytes = octcompress.coding.rans_encode (symbols, f, 12, 4);
%! used = counts(counts > 0);
%! entropy = -sum (used .* log2 (used / sum (used))) / 8;
%! assert (numel (bytes) >= floor (entropy));
%! assert (numel (bytes) < 1.01 * entropy + 20);
