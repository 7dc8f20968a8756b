function symbols = huffman_decode (bytes, count, lengths)
%HUFFMAN_DECODE  The inverse of huffman_encode.
%
%   symbols = octcompress.coding.huffman_decode (bytes, count, lengths)
%
%   bytes    uint8 column
%   count    how many symbols it holds
%   lengths  A x 1, code lengths of the symbols 0 to A - 1, 0 = no code
%   symbols  count x 1 double
%
%   All blocks advance side by side, a table look-up a symbol.
%
%   Errors: octcompress:nn_unpack:damaged if the lengths make no prefix code or the stream is short.
%
%   See also octcompress.coding.huffman_encode.

  symbols = zeros (count, 1);
  if count == 0
    return
  end
  lengths = lengths(:);
  used = find (lengths);
  width = max (lengths);
  if isempty (used) || sum (2 .^ -lengths(used)) > 1
    octcompress.internal.fail ('nn_unpack', 'damaged', ...
                               'the code lengths of a stream make no prefix code');
  end
  [~, order] = sort (lengths(used));
  owner = zeros (2 ^ width, 1);
  first = octcompress.coding.huffman_codes (lengths) .* 2 .^ (width - lengths);
  owner(first(used(order)) + 1) = diff ([0; used(order)]);
  owner = cumsum (owner);
  step = lengths(owner);

  bytes = double (bytes(:));
  blocks = 1;
  rounds = count;
  if count > 4096
    blocks = ceil (count / 2048);
    rounds = 2048;
  end
  if numel (bytes) < 2 * blocks * (blocks > 1)
    short ();
  end
  position = 0;
  if blocks > 1
    bits = bytes(1:2:2*blocks) + 256 * bytes(2:2:2*blocks);
    bytes = bytes(2*blocks+1:end);
    position = cumsum (bits) - bits;
  end
  limit = 8 * numel (bytes);
  if position(end) > limit
    short ();
  end
  bytes = [bytes; zeros(4, 1)];
  window = 65536 * bytes(1:end-2) + 256 * bytes(2:end-1) + bytes(3:end);
  scale = 2 .^ ((0:7)' + width - 24);
  symbols = zeros (blocks, rounds);
  last = rounds - (blocks * rounds - count);
  for k = 1:rounds
    if k == last + 1
      position = position(1:end-1);
    end
    byte = floor (position / 8);
    x = floor (window(byte + 1) .* scale(position - 8 * byte + 1));
    slot = x - floor (x / 2 ^ width) * 2 ^ width + 1;
    symbols(1:numel (slot), k) = owner(slot);
    position = min (position + step(slot), limit);
  end
  symbols = reshape (symbols', [], 1);
  symbols = symbols(1:count) - 1;
end

function short ()
  octcompress.internal.fail ('nn_unpack', 'damaged', 'a Huffman stream ends too early');
end

%!test % one block, many blocks, a last block of one symbol, a 16-bit alphabet, one symbol only
%! for count = [1 2 4096 4097 6144 6145 20000]
%!   for alphabet = [1 2 16 65536]
%!     symbols = mod (floor ((1:count)' .^ 2 / 7), alphabet);
%!     lengths = octcompress.coding.huffman_lengths (accumarray (symbols + 1, 1, [alphabet 1]), 16);
%!     bytes = octcompress.coding.huffman_encode (symbols, lengths);
%!     assert (octcompress.coding.huffman_decode (bytes, count, lengths), symbols);
%!   end
%! end
%!assert (octcompress.coding.huffman_decode (zeros (0, 1, 'uint8'), 0, [1; 1]), zeros (0, 1))
%!error <nn_unpack: the code lengths of a stream make no prefix code> octcompress.coding.huffman_decode (uint8 (1), 3, [1; 1; 1])
%!error <nn_unpack: a Huffman stream ends too early> octcompress.coding.huffman_decode (uint8 (1), 5000, [1; 1])
