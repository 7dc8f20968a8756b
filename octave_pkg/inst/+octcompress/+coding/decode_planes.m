function values = decode_planes (bytes, count, class_name)
%DECODE_PLANES  The inverse of encode_planes.
%
%   values = octcompress.coding.decode_planes (bytes, count, class_name)
%
%   bytes   uint8 column, the whole stream
%   values  count x 1, of the class
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.encode_planes.

  width = octcompress.coding.class_width (class_name);
  bytes = bytes(:);
  table = zeros (count, width);
  position = 1;
  for k = width:-1:1
    [size_of_plane, position] = octcompress.coding.read_varint (bytes, position);
    plain = size_of_plane == 0;
    if plain
      size_of_plane = count;
    end
    if position + size_of_plane - 1 > numel (bytes)
      octcompress.internal.fail ('nn_unpack', 'damaged', 'the bytes of an array end too early');
    end
    plane = bytes(position:position+size_of_plane-1);
    position = position + size_of_plane;
    if plain
      table(:, k) = plane;
    else
      table(:, k) = octcompress.coding.decode_codes (plane, [count 1]);
    end
  end
  if any (strcmp (class_name, {'single', 'double'}))
    half = floor (table / 2);
    table = half + 128 * (table(:, [2:end, 1]) - 2 * half(:, [2:end, 1]));
  end
  values = octcompress.coding.byte_values (reshape (uint8 (table)', [], 1), class_name);
end

%!test % every class, every method, to the bit
%! numbers = [mod((1:300)' * 7919, 201) - 100; 0];
%! special = [pi; -pi; Inf; -Inf; NaN; 0; -0; realmin; 1e-45; 1e30];
%! for name = {'double', 'single', 'int8', 'uint16', 'int64'}
%!   values = cast (numbers, name{1});
%!   if isfloat (values)
%!     values = [values; cast(special, name{1})];
%!   end
%!   for method = {'none', 'huffman', 'rans', 'auto'}
%!     bytes = octcompress.coding.encode_planes (values, method{1});
%!     back = octcompress.coding.decode_planes (bytes, numel (values), name{1});
%!     assert (class (back), name{1});
%!     assert (octcompress.coding.value_bytes (back), octcompress.coding.value_bytes (values));
%!   end
%! end
%!test % exponents that are alike make single weights smaller by a sixth
%! w = single (sin ((1:5000)' .^ 2) / 10);
%! assert (numel (octcompress.coding.encode_planes (w, 'auto')) < 0.84 * 20000);
%!error <nn_unpack: the bytes of an array end too early> octcompress.coding.decode_planes (uint8 ([0; 1]), 2, 'int8')
