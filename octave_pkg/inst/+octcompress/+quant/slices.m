function m = slices (w, axis, group)
%SLICES  An array as a matrix whose columns are the slices of one dimension, or groups of them.
%
%   m = octcompress.quant.slices (w, axis)
%   m = octcompress.quant.slices (w, axis, group)
%
%   w      any size
%   axis   0: all of w is one column; d: column k is the k-th slice of dimension d, in linear order
%   group  cuts each column into groups of so many elements, each a column of its own; the last
%          group of a slice is filled up with zeros
%
%   See also octcompress.quant.choose_grid, octcompress.quant.unslice.

  if axis == 0
    m = w(:);
  else
    count = size (w, axis);
    if axis < ndims (w)
      w = permute (w, [1:axis-1, axis+1:ndims(w), axis]);
    end
    m = reshape (w, numel (w) / max (count, 1), count);
  end
  if nargin > 2
    [rows, count] = size (m);
    missing = mod (-rows, group);
    m = reshape ([m; zeros(missing, count, class (m))], group, (rows + missing) / group * count);
  end
end

%!shared w
%! w = reshape (1:24, 2, 3, 4);
%!assert (octcompress.quant.slices (w, 0), (1:24)')
%!assert (octcompress.quant.slices (w, 1), [1:2:24; 2:2:24]')
%!test
%! m = octcompress.quant.slices (w, 2);
%! assert (m(:, 2), [3 4 9 10 15 16 21 22]');
%!assert (octcompress.quant.slices (w, 3), reshape (1:24, 6, 4))
%!assert (octcompress.quant.slices ([1; 2], 4), [1; 2])
%!assert (octcompress.quant.slices ([1 2 3; 4 5 6], 1, 2), [1 3 4 6; 2 0 5 0])
%!assert (octcompress.quant.slices (single ([1 2 3]), 0, 2), single ([1 3; 2 0]))
