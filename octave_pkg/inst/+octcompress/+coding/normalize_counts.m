function frequencies = normalize_counts (counts, precision)
%NORMALIZE_COUNTS  Scale counts to whole frequencies whose sum is a power of two.
%
%   frequencies = octcompress.coding.normalize_counts (counts, precision)
%
%   counts       n x 1, whole numbers, at least one above zero; at most 2^precision above zero
%   precision    scalar: the frequencies' sum is 2^precision
%   frequencies  n x 1, at least 1 where the count is above zero, 0 where it is zero
%
%   Each count is scaled and rounded down, but to 1 at least. What is missing goes to the largest
%   remainders, one each. What is too much is taken from all frequencies in proportion to what they
%   have above 1, rounded down, and the rest from the largest, one each. Of equals the first comes
%   first.
%
%   See also octcompress.coding.rans_encode.

  counts = double (counts(:));
  total = 2 ^ precision;
  scaled = counts * total;
  whole = floor (scaled / sum (counts));
  frequencies = max (whole, counts > 0);
  missing = total - sum (frequencies);
  if missing > 0
    remainder = scaled - whole * sum (counts);
    remainder(whole == 0) = -1;
    [~, order] = sort (remainder, 'descend');
    chosen = order(1:missing);
    frequencies(chosen) = frequencies(chosen) + 1;
  elseif missing < 0
    spare = max (frequencies - 1, 0);
    frequencies = frequencies - floor (spare * -missing / sum (spare));
    [~, order] = sort (frequencies, 'descend');
    chosen = order(1:sum (frequencies) - total);
    frequencies(chosen) = frequencies(chosen) - 1;
  end
end

%!assert (octcompress.coding.normalize_counts ([1; 1; 2], 4), [4; 4; 8])
%!assert (octcompress.coding.normalize_counts ([1; 1; 1], 2), [2; 1; 1])
%!assert (octcompress.coding.normalize_counts ([0; 5], 12), [0; 4096])
%!test % rare symbols keep a frequency of 1, whatever it takes
%! f = octcompress.coding.normalize_counts ([1e9; ones(3000, 1); 0; 2e9], 12);
%! assert (sum (f), 4096);
%! assert (f(2:3001), ones (3000, 1));
%! assert (f(3002), 0);
%! assert (min (f([1 end])) > 1);
%!test % as many symbols as places
%! assert (octcompress.coding.normalize_counts ((1:16)', 4), ones (16, 1));
