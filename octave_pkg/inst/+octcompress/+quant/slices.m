function m = slices (w, axis)
%SLICES  An array as a matrix whose columns are the slices of one dimension.
%
%   m = octcompress.quant.slices (w, axis)
%
%   w     any size
%   axis  0: all of w is one column; d: column k is the k-th slice of dimension d, in linear order
%
%   See also octcompress.quant.choose_grid.

  if axis == 0
    m = w(:);
    return
  end
  count = size (w, axis);
  if axis < ndims (w)
    w = permute (w, [1:axis-1, axis+1:ndims(w), axis]);
  end
  m = reshape (w, numel (w) / max (count, 1), count);
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
