function [value, position] = read_varint (bytes, position)
%READ_VARINT  Read what write_varint wrote.
%
%   [value, position] = octcompress.coding.read_varint (bytes, position)
%
%   bytes     uint8 column
%   position  where the number begins, counted from 1; on return, the place behind it
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.write_varint.

  value = 0;
  for k = 0:7
    if position > numel (bytes)
      break
    end
    byte = double (bytes(position));
    position = position + 1;
    value = value + mod (byte, 128) * 128 ^ k;
    if byte < 128
      if value >= 2 ^ 53
        break
      end
      return
    end
  end
  octcompress.internal.fail ('nn_unpack', 'damaged', ...
                             'a number in a header is cut off or too large');
end

%!test
%! for value = [0 1 127 128 16383 16384 2^40 2^53-1]
%!   bytes = octcompress.coding.write_varint (value);
%!   [back, position] = octcompress.coding.read_varint ([uint8(9); bytes], 2);
%!   assert ([back, position], [value, numel(bytes) + 2]);
%! end
%!error <nn_unpack: a number in a header> octcompress.coding.read_varint (uint8 ([200; 200]), 1)
%!error <nn_unpack: a number in a header> octcompress.coding.read_varint (repmat (uint8 (255), 9, 1), 1)
%!error <nn_unpack: a number in a header> octcompress.coding.read_varint (zeros (0, 1, 'uint8'), 1)
