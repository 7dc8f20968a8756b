function [levels, position] = read_levels (bytes, position, count)
%READ_LEVELS  Read what write_levels wrote.
%
%   [levels, position] = octcompress.coding.read_levels (bytes, position, count)
%
%   bytes     uint8 column
%   position  where to begin; on return, the place behind
%   levels    count x 1 double
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.write_levels.

  if count <= 256
    size_of_stream = ceil (count / 2);
  else
    [size_of_stream, position] = octcompress.coding.read_varint (bytes, position);
  end
  if position + size_of_stream - 1 > numel (bytes)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'the model of a coded stream is cut off');
  end
  part = bytes(position:position+size_of_stream-1);
  position = position + size_of_stream;
  if count <= 256
    levels = octcompress.coding.unpack_bits (part, 4, count);
  else
    levels = double (octcompress.coding.decode_symbols (part, count, 18));
  end
end

%!test % short and long columns
%! for count = [1 16 256 257 5000]
%!   levels = mod ((1:count)' .^ 2, 16);
%!   bytes = octcompress.coding.write_levels (levels);
%!   [back, position] = octcompress.coding.read_levels ([uint8(1); bytes; 7], 2, count);
%!   assert (back, levels);
%!   assert (position, numel (bytes) + 2);
%! end
%!error <nn_unpack: the model of a coded stream is cut off> octcompress.coding.read_levels (uint8 (1), 1, 16)
