function [order, centre] = book_order (codebook)
%BOOK_ORDER  The entries of a codebook in rising order, and the place of the one nearest to zero.
%
%   [order, centre] = octcompress.coding.book_order (codebook)
%
%   order   column: codebook(order) rises; of equals the first comes first
%   centre  the place in that order of the smallest magnitude, the first of two
%
%   See also octcompress.coding.grid_codes.

  [sorted, order] = sort (double (codebook(:)));
  [~, centre] = min (abs (sorted));
end

%!test
%! [order, centre] = octcompress.coding.book_order ([0.5; -0.1; 0.1; -3]);
%! assert (order, [4; 2; 3; 1]);
%! assert (centre, 2);
