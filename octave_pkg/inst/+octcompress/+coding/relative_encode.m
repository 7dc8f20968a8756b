function [gaps, entries] = relative_encode (values, bits)
%RELATIVE_ENCODE  Sparse values as the gaps between them, as in Deep Compression.
%
%   [gaps, entries] = octcompress.coding.relative_encode (values, bits)
%
%   values   array, mostly zeros; it is read in linear order
%   bits     of a gap, 1 to 16 (the paper: 8 for convolutions, 5 for dense layers)
%   gaps     n x 1, 0 to 2^bits - 1: how many zeros stand before each entry
%   entries  n x 1: the nonzeros. Where more zeros follow each other than a gap can tell, an entry
%            of value zero fills in [1, sec. 2]. Zeros at the end are not told.
%
%   [1] Han, Mao and Dally, Deep Compression, ICLR 2016, arXiv:1510.00149.
%
%   See also octcompress.coding.relative_decode.

  place = find (values(:));
  zeros_before = diff ([0; place]) - 1;
  most = 2 ^ bits;
  fillers = floor (zeros_before / most);
  last = cumsum (fillers + 1);
  count = numel (place) + sum (fillers);
  gaps = repmat (most - 1, count, 1);
  gaps(last) = zeros_before - most * fillers;
  entries = zeros (count, 1, class (values));
  entries(last) = values(place);
end

%!test
%! [gaps, entries] = octcompress.coding.relative_encode ([0 0 7 0 0 0 0 0 8 9 0], 2);
%! assert (gaps, [2; 3; 1; 0]);
%! assert (entries, [7; 0; 8; 9]);
%!test % a gap that fits exactly needs no filler, one more does
%! gaps = octcompress.coding.relative_encode ([0 0 0 1], 2);
%! assert (gaps, 3);
%! [gaps, entries] = octcompress.coding.relative_encode ([0 0 0 0 1], 2);
%! assert ([gaps, entries], [3 0; 0 1]);
%!test % nothing there
%! [gaps, entries] = octcompress.coding.relative_encode (zeros (3), 5);
%! assert (isempty (gaps) && isempty (entries));
