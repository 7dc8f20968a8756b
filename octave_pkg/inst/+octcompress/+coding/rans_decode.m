function symbols = rans_decode (bytes, count, frequencies, precision, lanes)
%RANS_DECODE  The inverse of rans_encode.
%
%   symbols = octcompress.coding.rans_decode (bytes, count, frequencies, precision, lanes)
%
%   bytes        uint8 column, the whole stream
%   count        how many symbols it holds
%   frequencies, precision, lanes  as they were for rans_encode
%   symbols      count x 1: uint8 if there are at most 256 frequencies, else uint16
%
%   Errors: octcompress:nn_unpack:damaged if the stream is too short or its lengths cannot be.
%
%   See also octcompress.coding.rans_encode.

  total = 2 ^ precision;
  frequencies = frequencies(:);
  start = cumsum (frequencies) - frequencies;
  owner = zeros (total, 1);
  used = find (frequencies);
  owner(start(used) + 1) = diff ([0; used]);
  owner = cumsum (owner);
  model.total = total;
  model.factor = frequencies(owner);
  model.offset = (0:total - 1)' - start(owner);
  if numel (frequencies) <= 256
    model.symbol = uint8 (owner - 1);
  else
    model.symbol = uint16 (owner - 1);
  end
  symbols = decode (bytes(:), count, model, lanes);
end

function symbols = decode (bytes, count, model, lanes)
  if lanes == 1
    symbols = decode_alone (octcompress.coding.open_stream (bytes, 1), count, model);
    return
  end
  [tail, position] = octcompress.coding.read_varint (bytes, 1);
  [tail_size, position] = octcompress.coding.read_varint (bytes, position);
  [states, position] = octcompress.coding.read_states (bytes, position, lanes);
  rest_size = max (0, tail_size - 2 * lanes);
  body = numel (bytes) - rest_size - position + 1;
  if tail > count || mod (count - tail, lanes) || body < 0 || mod (body, 2)
    octcompress.internal.fail ('nn_unpack', 'damaged', ...
                               'the lengths in a coded stream do not agree');
  end
  words = octcompress.coding.byte_words (bytes(position:position+body-1));
  [symbols, states] = decode_lanes (states, words, (count - tail) / lanes, model);
  tail_bytes = [octcompress.coding.word_bytes(states - 65536); bytes(end-rest_size+1:end)];
  symbols = [symbols(:); decode(tail_bytes(1:tail_size), tail, model, max (1, lanes / 64))];
end

function [symbols, x] = decode_lanes (x, words, steps, model)
%  All in units of 2^precision, which doubles hold exactly.
  total = model.total;
  x = x / total;
  words = words / total;
  limit = 65536 / total;
  factor = model.factor / total;
  offset = model.offset / total;
  symbol = model.symbol;
  symbols = zeros (numel (x), steps, class (symbol));
  position = 0;
  for k = 1:steps
    high = floor (x);
    slot = (x - high) * total + 1;
    symbols(:, k) = symbol(slot);
    x = high .* factor(slot) + offset(slot);
    refill = find (x < limit);
    if ~isempty (refill)
      next = position + numel (refill);
      if next > numel (words)
        octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream ends too early');
      end
      x(refill) = x(refill) * 65536 + words(position+1:next);
      position = next;
    end
  end
  x = x * total;
end

function symbols = decode_alone (coder, count, model)
  x = coder.state;
  words = coder.words;
  position = 0;
  total = model.total;
  slots = zeros (count, 1);
  for k = 1:count
    high = floor (x / total);
    slot = x - high * total + 1;
    slots(k) = slot;
    x = high * model.factor(slot) + model.offset(slot);
    while x < 4294967296 && position < numel (words)
      position = position + 1;
      x = 65536 * x + words(position);
    end
  end
  symbols = model.symbol(slots);
end

%!test % all lanes and precisions, down to fewer symbols than lanes
%! for count = [0 1 2 5 100 5000]
%!   for lanes = [1 2 16 256]
%!     for precision = [8 12 16]
%!       symbols = min (15, floor (-2 * log (mod ((1:count)' * 0.754877666, 1))));
%!       counts = accumarray ([symbols; 15] + 1, 1, [16 1]);
%!       f = octcompress.coding.normalize_counts (counts, precision);
%!       bytes = octcompress.coding.rans_encode (symbols, f, precision, lanes);
%!       back = octcompress.coding.rans_decode (bytes, count, f, precision, lanes);
%!       assert (double (back), symbols);
%!     end
%!   end
%! end
%!test % lanes cost next to nothing
%! symbols = min (15, floor (-2 * log (mod ((1:50000)' * 0.754877666, 1))));
%! f = octcompress.coding.normalize_counts (accumarray (symbols + 1, 1, [16 1]), 12);
%! alone = octcompress.coding.rans_encode (symbols, f, 12, 1);
%! many = octcompress.coding.rans_encode (symbols, f, 12, 64);
%! assert (numel (many) < numel (alone) + 64);
%!error <nn_unpack: a number in a header> octcompress.coding.rans_decode (zeros (0, 1, 'uint8'), 9, [4; 4], 3, 2)
