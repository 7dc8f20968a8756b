function bytes = huffman_encode (symbols, lengths)
%HUFFMAN_ENCODE  Write symbols in the canonical prefix code of given lengths.
%
%   bytes = octcompress.coding.huffman_encode (symbols, lengths)
%
%   symbols  n x 1, 0 to A - 1
%   lengths  A x 1, 1 to 16 for every symbol that occurs
%   bytes    uint8 column. More than 4096 symbols are cut into blocks of 2048, so that they can be
%            decoded side by side: the length of each block in bits comes first, two bytes each, the
%            low one first.
%
%   See also octcompress.coding.huffman_decode, octcompress.coding.huffman_lengths.

  lengths = lengths(:);
  codes = octcompress.coding.huffman_codes (lengths);
  symbols = double (symbols(:)) + 1;
  widths = lengths(symbols);
  bytes = octcompress.coding.pack_bits (codes(symbols), widths);
  if numel (symbols) > 4096
    widths(end+1:2048*ceil(numel (widths) / 2048)) = 0;
    bits = sum (reshape (widths, 2048, []), 1);
    index = uint8 ([mod(bits, 256); floor(bits / 256)]);
    bytes = [index(:); bytes];
  end
end

%!test % as many bits as the code lengths say
%! symbols = [0; 1; 0; 2; 0; 0; 1; 0];
%! bytes = octcompress.coding.huffman_encode (symbols, [1; 2; 2]);
%! assert (numel (bytes), 2);
%! assert (octcompress.coding.huffman_decode (bytes, 8, [1; 2; 2]), symbols);
