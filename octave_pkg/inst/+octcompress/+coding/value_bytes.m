function bytes = value_bytes (values)
%VALUE_BYTES  The bytes of numbers, the lowest byte of each first.
%
%   bytes = octcompress.coding.value_bytes (values)
%
%   values  real array of any numeric class, or logical or char
%   bytes   uint8 column
%
%   See also octcompress.coding.byte_values.

  values = full (values(:));
  if islogical (values) || ischar (values)
    bytes = uint8 (values);
    return
  end
  bytes = typecast (values, 'uint8');
  bytes = bytes(:);
  [~, ~, order] = computer ();
  if strcmp (order, 'B')
    width = numel (bytes) / max (numel (values), 1);
    bytes = reshape (flipud (reshape (bytes, max (width, 1), [])), [], 1);
  end
end

%!assert (octcompress.coding.value_bytes (uint16 ([1 258])), uint8 ([1; 0; 2; 1]))
%!assert (octcompress.coding.value_bytes (single (1)), uint8 ([0; 0; 128; 63]))
%!assert (octcompress.coding.value_bytes ([]), zeros (0, 1, 'uint8'))
