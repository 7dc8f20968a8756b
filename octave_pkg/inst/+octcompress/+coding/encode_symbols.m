function bytes = encode_symbols (symbols, alphabet, method)
%ENCODE_SYMBOLS  Code symbols together with the static model that decodes them.
%
%   bytes = octcompress.coding.encode_symbols (symbols, alphabet, method)
%
%   symbols   n x 1, 0 to alphabet - 1, any numeric class
%   alphabet  1 to 65536
%   method    'none': bits packed at equal width; 'huffman': canonical Huffman; 'rans': interleaved
%             rANS; 'auto': the smallest of the three
%   bytes     uint8 column. The first byte is 16 h + m. h up to 12: rANS on 2^h lanes, frequencies
%             with m bits behind the first; h = 13: Huffman; h = 14: packed bits
%
%   Nothing is written for no symbols or an alphabet of one.
%
%   See also octcompress.coding.decode_symbols, octcompress.coding.rans_encode,
%   octcompress.coding.huffman_encode.

  bytes = zeros (0, 1, 'uint8');
  if isempty (symbols) || alphabet == 1
    return
  end
  counts = count_symbols (symbols, alphabet);
  switch method
    case 'none'
      bytes = in_bits (symbols, alphabet);
    case 'huffman'
      bytes = in_huffman (symbols, counts);
    case 'rans'
      bytes = in_rans (symbols, counts);
    case 'auto'
      bytes = in_rans (symbols, counts);
      if numel (symbols) <= 65536
        other = in_huffman (symbols, counts);
        if numel (other) < numel (bytes)
          bytes = other;
        end
      end
      [~, width] = log2 (alphabet - 1);
      if 1 + ceil (numel (symbols) * width / 8) < numel (bytes)
        bytes = in_bits (symbols, alphabet);
      end
  end
end

function counts = count_symbols (symbols, alphabet)
%  In blocks that stay in the processor's cache.
  counts = zeros (alphabet, 1);
  block = max (65536, alphabet);
  for first = 1:block:numel (symbols)
    part = double (symbols(first:min (end, first + block - 1)));
    counts = counts + accumarray (part(:) + 1, 1, [alphabet, 1]);
  end
end

function bytes = in_bits (symbols, alphabet)
  [~, width] = log2 (alphabet - 1);
  bytes = [uint8(224); octcompress.coding.pack_bits(symbols, width)];
end

function bytes = in_huffman (symbols, counts)
  limit = 15 + (numel (counts) > 256);   % four bits hold a length up to 15
  lengths = octcompress.coding.huffman_lengths (counts, limit);
  bytes = [uint8(208); octcompress.coding.write_levels(lengths); ...
           octcompress.coding.huffman_encode(symbols, lengths)];
end

function bytes = in_rans (symbols, counts)
%  A frequency is kept as the place of its first bit and a few bits behind it: their error costs
%  some bits over all the symbols, so that more symbols are worth more precision.
  [~, digits] = log2 (numel (symbols));
  behind = min (12, max (0, floor ((digits - 1) / 2) - 3));
  precision = 13;
  if numel (counts) > 1024
    precision = 16;
  end
  frequencies = octcompress.coding.normalize_counts (counts, precision);
  [~, levels] = log2 (frequencies);
  used = frequencies > 0;
  widths = min (behind, levels(used) - 1);
  fractions = floor ((frequencies(used) - 2 .^ (levels(used) - 1)) ...
                     ./ 2 .^ (levels(used) - 1 - widths));
  frequencies = octcompress.coding.widen_frequencies (levels, fractions, behind, precision);
  prices = octcompress.coding.context_tables ();
  bits = sum (counts(used) .* prices.price(max (1, min (32767, ...
        floor (frequencies(used) * 2 ^ (15 - precision))))));
  bits = bits / 4096;
  [~, exponent] = log2 (max (1, max (bits / 4096, numel (symbols) / 4096)));
  exponent = min (12, exponent - 1);
  if numel (symbols) <= 8192
    exponent = 0;
  end
  bytes = [uint8(16 * exponent + behind); octcompress.coding.write_levels(levels); ...
           octcompress.coding.pack_bits(fractions, widths); ...
           octcompress.coding.rans_encode(symbols, frequencies, precision, 2 ^ exponent)];
end

%!test % auto is the smallest
%! symbols = min (7, floor (-2 * log (mod ((1:3000)' * 0.754877666, 1))));
%! sizes = cellfun (@(m) numel (octcompress.coding.encode_symbols (symbols, 8, m)), ...
%!                  {'none', 'huffman', 'rans', 'auto'});
%! assert (sizes(4), min (sizes));
%! assert (sizes(1) >= 3000 * 3 / 8);
%! bytes = octcompress.coding.encode_symbols (symbols, 8, 'auto');
%! assert (double (octcompress.coding.decode_symbols (bytes, 3000, 8)), symbols);
%!assert (isempty (octcompress.coding.encode_symbols (zeros (5, 1), 1, 'auto')))
