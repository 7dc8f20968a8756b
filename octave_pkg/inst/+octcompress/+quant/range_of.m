function [lo, hi] = range_of (w, axis)
%RANGE_OF  The least and greatest value of an array, or of each slice of it.
%
%   [lo, hi] = octcompress.quant.range_of (w, axis)
%
%   w       single or double, any size
%   axis    0: of all; d: of each slice of dimension d
%   lo, hi  double, scalar or size (w, axis) x 1; 0 where there is nothing
%
%   See also octcompress.quant.choose_grid.

  slices = octcompress.quant.slices (w, axis);
  if size (slices, 1) == 0
    lo = zeros (size (slices, 2), 1);
    hi = lo;
  else
    lo = double (min (slices, [], 1))';
    hi = double (max (slices, [], 1))';
  end
end

%!test
%! [lo, hi] = octcompress.quant.range_of (single ([1 -7; 14 0]), 1);
%! assert ({lo, hi}, {[-7; 0], [1; 14]});
%!test
%! [lo, hi] = octcompress.quant.range_of ([], 0);
%! assert ({lo, hi}, {0, 0});
