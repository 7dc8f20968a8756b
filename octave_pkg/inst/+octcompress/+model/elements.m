function list = elements (value)
%ELEMENTS  The elements of a cell or struct array as a row of cells; of anything else none.
%
%   list = octcompress.model.elements (value)
%
%   See also octcompress.model.recognize.

  if iscell (value)
    list = reshape (value, 1, []);
  elseif isstruct (value)
    list = reshape (num2cell (value), 1, []);
  else
    list = {};
  end
end

%!assert (octcompress.model.elements ({1; 2}), {1, 2})
%!assert (octcompress.model.elements (struct ('a', {1, 2})), {struct('a', 1), struct('a', 2)})
%!assert (octcompress.model.elements (3), {})
