function [number, names] = class_number (class_name)
%CLASS_NUMBER  The number of a class in a packed file.
%
%   number = octcompress.coding.class_number (class_name)
%   [~, names] = octcompress.coding.class_number ('')
%
%   number  0 to 11, empty for a class that a packed file cannot hold
%   names   cellstr of the twelve, in order

  names = {'double', 'single', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', ...
           'uint64', 'logical', 'char'};
  number = find (strcmp (class_name, names)) - 1;
end

%!assert (octcompress.coding.class_number ('single'), 1)
%!assert (isempty (octcompress.coding.class_number ('function_handle')))
