function bytes = write_varint (value)
%WRITE_VARINT  Write a whole number in as few bytes as it needs (LEB128).
%
%   bytes = octcompress.coding.write_varint (value)
%
%   value  scalar, 0 to 2^53 - 1
%   bytes  uint8 column, 1 to 8 long: seven bits a byte, the lowest first; all but the last have
%          their highest bit set
%
%   See also octcompress.coding.read_varint.

  bytes = zeros (0, 1);
  while value >= 128
    bytes(end+1, 1) = mod (value, 128) + 128;
    value = floor (value / 128);
  end
  bytes = uint8 ([bytes; value]);
end

%!assert (octcompress.coding.write_varint (0), uint8 (0))
%!assert (octcompress.coding.write_varint (300), uint8 ([172; 2]))
%!assert (numel (octcompress.coding.write_varint (2 ^ 53 - 1)), 8)
