function bytes = write_levels (levels)
%WRITE_LEVELS  Write the column of small numbers that describes a static model.
%
%   bytes = octcompress.coding.write_levels (levels)
%
%   levels  n x 1, 0 to 17 (to 15 where n <= 1024)
%   bytes   uint8 column: four bits each where n <= 256, else coded by encode_symbols with an
%           alphabet of 18, behind the length of that stream as a varint
%
%   See also octcompress.coding.read_levels.

  if numel (levels) <= 256
    bytes = octcompress.coding.pack_bits (levels, 4);
  else
    bytes = octcompress.coding.encode_symbols (levels, 18, 'auto');
    bytes = [octcompress.coding.write_varint(numel (bytes)); bytes];
  end
end

%!test % four bits each where there are few
%! bytes = octcompress.coding.write_levels ((0:9)');
%! assert (numel (bytes), 5);
