function codes = huffman_codes (lengths)
%HUFFMAN_CODES  The canonical prefix code of given lengths.
%
%   codes = octcompress.coding.huffman_codes (lengths)
%
%   lengths  n x 1, 0 to 16; 0 = no code
%   codes    n x 1, as numbers, the first bit the highest: shorter codes come first, equal lengths
%            in the order of the symbols, each code one above the one before
%
%   See also octcompress.coding.huffman_lengths.

  codes = zeros (size (lengths));
  used = find (lengths);
  [sorted, order] = sort (lengths(used));
  place = [0; cumsum(2 .^ -sorted)];
  codes(used(order)) = place(1:end-1) .* 2 .^ sorted;
end

%!assert (octcompress.coding.huffman_codes ([1; 0; 3; 3; 2]), [0; 0; 6; 7; 2])
%!assert (octcompress.coding.huffman_codes ([0; 1]), [0; 0])
