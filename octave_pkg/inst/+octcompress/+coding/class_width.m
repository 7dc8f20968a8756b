function width = class_width (class_name)
%CLASS_WIDTH  How many bytes a number of a class takes.
%
%   width = octcompress.coding.class_width (class_name)

  widths = [8 4 1 1 2 2 4 4 8 8 1 1];
  width = widths(octcompress.coding.class_number (class_name) + 1);
end

%!assert (octcompress.coding.class_width ('single'), 4)
%!assert (octcompress.coding.class_width ('logical'), 1)
