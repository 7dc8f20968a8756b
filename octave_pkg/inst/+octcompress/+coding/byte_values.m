function values = byte_values (bytes, class_name)
%BYTE_VALUES  Numbers from their bytes: the inverse of value_bytes.
%
%   values = octcompress.coding.byte_values (bytes, class_name)
%
%   bytes       uint8 column
%   class_name  'double', 'single', 'int8', ..., 'logical' or 'char'
%   values      column
%
%   Errors: octcompress:nn_unpack:damaged if the bytes are not those of whole numbers.
%
%   See also octcompress.coding.value_bytes.

  bytes = bytes(:);
  switch class_name
    case 'logical'
      values = bytes > 0;
      return
    case 'char'
      values = char (bytes);
      return
  end
  width = octcompress.coding.class_width (class_name);
  if mod (numel (bytes), width)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'an array has a part of a number');
  end
  [~, ~, order] = computer ();
  if strcmp (order, 'B')
    bytes = reshape (flipud (reshape (bytes, width, [])), [], 1);
  end
  values = reshape (typecast (bytes, class_name), [], 1);
end

%!test
%! for name = {'double', 'single', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', ...
%!             'int64', 'uint64'}
%!   values = cast ([1; 0; 100], name{1});
%!   assert (octcompress.coding.byte_values (octcompress.coding.value_bytes (values), name{1}), ...
%!           values);
%! end
%!error <nn_unpack: an array has a part of a number> octcompress.coding.byte_values (uint8 ([1; 2]), 'single')
