function bytes = encode_planes (values, method)
%ENCODE_PLANES  Numbers of any class without loss: the bytes of equal rank together.
%
%   bytes = octcompress.coding.encode_planes (values, method)
%
%   values  real array of a numeric class
%   method  as for encode_codes
%   bytes   uint8 column, one stream for each byte of the class, the highest first, each behind its
%           length as a varint. The bits of floating point numbers are turned left by one before, so
%           that the sign comes last and the whole exponent of a single is one byte. A plane that
%           does not get smaller stands as it is, behind a 0 and without a length.
%
%   See also octcompress.coding.decode_planes.

  width = octcompress.coding.class_width (class (values));
  table = reshape (octcompress.coding.value_bytes (values), width, [])';
  if isfloat (values)
    table = turn (table);
  end
  bytes = zeros (0, 1, 'uint8');
  for k = width:-1:1
    plane = octcompress.coding.encode_codes (double (table(:, k)), method, true);
    if numel (plane) < size (table, 1)
      bytes = [bytes; octcompress.coding.write_varint(numel (plane)); plane];
    else
      bytes = [bytes; uint8(0); table(:, k)];
    end
  end
end

function table = turn (table)
  high = double (table);
  carry = floor (high / 128);
  table = uint8 (2 * (high - 128 * carry) + carry(:, [end, 1:end-1]));
end

%!test % the exponents of like numbers cost little
%! values = single (1 + mod ((1:4000)' * 0.754877666, 1));
%! bytes = octcompress.coding.encode_planes (values, 'auto');
%! assert (numel (bytes) < 0.85 * 4 * numel (values));
%! back = octcompress.coding.decode_planes (bytes, numel (values), 'single');
%! assert (back(:), values);
