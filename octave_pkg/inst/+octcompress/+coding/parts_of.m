function parts = parts_of (kind, bytes, class_name)
%PARTS_OF  What the bytes of a coded array are spent on, from its stream alone.
%
%   parts = octcompress.coding.parts_of (kind, bytes, class_name)
%
%   kind, bytes  from encode_array
%   class_name   the array's class
%   parts        struct: codes, codebooks, indices, values, as encode_array gives them
%
%   See also octcompress.coding.encode_array, nn_unpack.

  parts = struct ('codes', 0, 'codebooks', 0, 'indices', 0, 'values', 0);
  if kind >= 8
    kind = kind - 8;
    class_name = 'single';
  end
  switch kind
    case {2, 5}
      parts.indices = indices_of (bytes, 1);
      parts.codes = numel (bytes) - parts.indices;
    case 3
      [distinct, position] = octcompress.coding.read_varint (bytes, 1);
      [~, position] = octcompress.coding.read_varint (bytes, position);
      position = position + (distinct + 1) * octcompress.coding.class_width (class_name);
      parts.codebooks = position - 1;
      parts.indices = indices_of (bytes, position);
      parts.codes = numel (bytes) - parts.codebooks - parts.indices;
    case 4
      [size_of_mask, position] = octcompress.coding.read_varint (bytes, 1);
      parts.indices = position - 1 + size_of_mask;
      parts.values = numel (bytes) - parts.indices;
    otherwise
      parts.values = numel (bytes);
  end
end

function count = indices_of (bytes, position)
%  The gaps of encode_codes, where there are any.
  count = 0;
  [head, position] = octcompress.coding.read_varint (bytes, position);
  if mod (head, 4) == 2
    [~, position] = octcompress.coding.read_varint (bytes, position);
    [~, position] = octcompress.coding.read_varint (bytes, position + 1);
    count = octcompress.coding.read_varint (bytes, position);
  end
end

%!test % what encode_array said
%! s = sin ((1:600)' .^ 2);
%! few = s .* (s > 0.9);
%! arrays = {s, single(s), round(9 * s), round(2 * s) / 7, few, round(4 * few), 'text', ones(5)};
%! for method = {'none', 'huffman', 'rans', 'auto'}
%!   for k = 1:numel (arrays)
%!     [kind, bytes, parts] = octcompress.coding.encode_array (arrays{k}, [], method{1});
%!     assert (octcompress.coding.parts_of (kind, bytes, class (arrays{k})), parts);
%!   end
%! end
