function symbols = decode_symbols (bytes, count, alphabet)
%DECODE_SYMBOLS  The inverse of encode_symbols.
%
%   symbols = octcompress.coding.decode_symbols (bytes, count, alphabet)
%
%   bytes    uint8 column, the whole stream
%   symbols  count x 1, 0 to alphabet - 1; double, or uint8 or uint16 from rANS
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.encode_symbols.

  if count == 0 || alphabet == 1
    symbols = zeros (count, 1);
    return
  end
  bytes = bytes(:);
  if isempty (bytes)
    damaged ('a coded stream is empty');
  end
  first = double (bytes(1));
  kind = floor (first / 16);
  if kind == 14
    [~, width] = log2 (alphabet - 1);
    symbols = octcompress.coding.unpack_bits (bytes(2:end), width, count);
  elseif kind == 13
    [lengths, position] = octcompress.coding.read_levels (bytes, 2, alphabet);
    if max (lengths) > 16
      damaged ('a code of a stream is too long');
    end
    symbols = octcompress.coding.huffman_decode (bytes(position:end), count, lengths);
  elseif kind <= 12
    behind = mod (first, 16);
    precision = 13;
    if alphabet > 1024
      precision = 16;
    end
    [levels, position] = octcompress.coding.read_levels (bytes, 2, alphabet);
    used = levels > 0;
    if ~any (used) || max (levels) > precision + 1 || sum (used) > 2 ^ precision
      damaged ('the frequencies of a stream cannot be');
    end
    widths = min (behind, levels(used) - 1);
    size_of_fractions = ceil (sum (widths) / 8);
    if position + size_of_fractions - 1 > numel (bytes)
      damaged ('the model of a coded stream is cut off');
    end
    fractions = octcompress.coding.unpack_bits (bytes(position:position+size_of_fractions-1), ...
                                                widths);
    frequencies = octcompress.coding.widen_frequencies (levels, fractions, behind, precision);
    symbols = octcompress.coding.rans_decode (bytes(position+size_of_fractions:end), count, ...
                                              frequencies, precision, 2 ^ kind);
  else
    damaged ('a coded stream is of an unknown kind');
  end
  if any (symbols >= alphabet)
    damaged ('a coded stream has a symbol that cannot be');
  end
end

function damaged (message)
  octcompress.internal.fail ('nn_unpack', 'damaged', '%s', message);
end

%!test % every method on every kind of input
%! for count = [0 1 2 100 4097 9000]
%!   for alphabet = [1 2 16 257 2000]
%!     for spread = [0.5 40]
%!       symbols = min (alphabet - 1, floor (-spread * log (mod ((1:count)' * 0.754877666, 1))));
%!       for method = {'none', 'huffman', 'rans', 'auto'}
%!         bytes = octcompress.coding.encode_symbols (symbols, alphabet, method{1});
%!         assert (double (octcompress.coding.decode_symbols (bytes, count, alphabet)), symbols);
%!       end
%!     end
%!   end
%! end
%!test % all 65536 symbols of a 16-bit alphabet
%! symbols = mod ((0:65535)' * 40503, 65536);
%! for method = {'huffman', 'rans'}
%!   bytes = octcompress.coding.encode_symbols (symbols, 65536, method{1});
%!   assert (double (octcompress.coding.decode_symbols (bytes, 65536, 65536)), symbols);
%! end
%!test % near the entropy
%! symbols = floor (-2 * log (mod ((1:100000)' * 0.754877666, 1)));
%! counts = accumarray (symbols + 1, 1);
%! counts = counts(counts > 0);
%! entropy = -sum (counts .* log2 (counts / sum (counts))) / 8;
%! bytes = octcompress.coding.encode_symbols (symbols, 64, 'rans');
%! assert (numel (bytes) < 1.003 * entropy);
%!error <nn_unpack: a coded stream is empty> octcompress.coding.decode_symbols (zeros (0, 1, 'uint8'), 3, 4)
%!error <nn_unpack: a coded stream is of an unknown kind> octcompress.coding.decode_symbols (uint8 (255), 3, 4)
%!error <nn_unpack: the frequencies of a stream cannot be> octcompress.coding.decode_symbols (uint8 ([0; 0; 0]), 3, 4)
