function codes = decode_codes (bytes, dims)
%DECODE_CODES  The inverse of encode_codes.
%
%   codes = octcompress.coding.decode_codes (bytes, dims)
%
%   bytes  uint8 column, the whole stream
%   dims   size of the array, at least two numbers
%   codes  double array
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.encode_codes.

  bytes = bytes(:);
  count = prod (dims);
  [head, position] = octcompress.coding.read_varint (bytes, 1);
  kind = mod (head, 4);
  least = floor (head / 4);
  least = (-1) ^ mod (least, 2) * ceil (least / 2);
  if kind == 1
    rows = dims(1);
    if numel (dims) > 2
      rows = dims(end);
    end
    matrix = least + octcompress.coding.context_decode (bytes(position:end), rows, ...
                                                        count / max (rows, 1));
    if numel (dims) > 2
      matrix = matrix';
    end
    codes = reshape (matrix, dims);
    return
  end
  [range, position] = octcompress.coding.read_varint (bytes, position);
  if range > 65535 || kind == 3
    octcompress.internal.fail ('nn_unpack', 'damaged', 'the head of coded numbers cannot be');
  end
  if kind == 0
    codes = octcompress.coding.decode_symbols (bytes(position:end), count, range + 1);
  else
    if position > numel (bytes)
      octcompress.internal.fail ('nn_unpack', 'damaged', 'coded numbers end too early');
    end
    bits = double (bytes(position));
    [entries, position] = octcompress.coding.read_varint (bytes, position + 1);
    [size_of_gaps, position] = octcompress.coding.read_varint (bytes, position);
    if bits > 16 || entries > count || position + size_of_gaps - 1 > numel (bytes)
      octcompress.internal.fail ('nn_unpack', 'damaged', 'the head of coded numbers cannot be');
    end
    gaps = octcompress.coding.decode_symbols (bytes(position:position+size_of_gaps-1), entries, ...
                                              2 ^ bits);
    values = octcompress.coding.decode_symbols (bytes(position+size_of_gaps:end), entries, ...
                                                range + 1);
    codes = octcompress.coding.relative_decode (gaps, double (values) + least, count) - least;
  end
  codes = reshape (double (codes) + least, dims);
end

%!test % every method, every kind of array
%! s = mod ((1:40)' * (1:60) * 0.754877666, 1);
%! arrays = {round(4 * s - 2), double(s > 0.95) .* round(6 * s), round(1000 * s), 5 + round(s), ...
%!           zeros(3), 7, -3, zeros(0, 4), reshape(round(3 * s), 5, 4, 3, 40), zeros(2, 0, 3), ...
%!           -32768 + 65535 * (s > 0.5), double(s > 0.99)};
%! for method = {'none', 'huffman', 'rans', 'auto'}
%!   for k = 1:numel (arrays)
%!     [bytes, parts] = octcompress.coding.encode_codes (arrays{k}, method{1});
%!     assert (octcompress.coding.decode_codes (bytes, size (arrays{k})), arrays{k});
%!     assert (parts.codes + parts.indices, numel (bytes));
%!   end
%! end
%!test % auto is the smallest
%! s = mod ((1:40)' * (1:60) * 0.754877666, 1);
%! codes = double (s > 0.9) .* round (6 * s);
%! sizes = cellfun (@(m) numel (octcompress.coding.encode_codes (codes, m)), ...
%!                  {'none', 'huffman', 'rans', 'auto'});
%! assert (sizes(4), min (sizes));
%!error <nn_unpack: the head of coded numbers cannot be> octcompress.coding.decode_codes (uint8 ([3; 1]), [2 2])
