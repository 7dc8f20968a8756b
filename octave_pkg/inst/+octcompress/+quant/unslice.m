function w = unslice (m, full_size, axis)
%UNSLICE  The array whose slices are the columns of a matrix: octcompress.quant.slices undone.
%
%   w = octcompress.quant.unslice (m, full_size, axis)
%
%   m          as octcompress.quant.slices (w, axis) gives it
%   full_size  of w
%
%   See also octcompress.quant.slices.

  if axis == 0 || axis >= numel (full_size)
    w = reshape (m, full_size);
    return
  end
  order = [1:axis-1, axis+1:numel(full_size), axis];
  w = ipermute (reshape (m, full_size(order)), order);
end

%!test
%! w = reshape (1:24, 2, 3, 4);
%! for axis = 0:5
%!   assert (octcompress.quant.unslice (octcompress.quant.slices (w, axis), size (w), axis), w);
%! end
