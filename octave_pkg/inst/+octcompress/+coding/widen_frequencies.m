function frequencies = widen_frequencies (levels, fractions, behind, precision)
%WIDEN_FREQUENCIES  Frequencies from the short form in which a stream keeps them.
%
%   frequencies = octcompress.coding.widen_frequencies (levels, fractions, behind, precision)
%
%   levels       n x 1, 0 for a frequency of zero, else the number of its binary digits
%   fractions    a number for each level above zero: the min (behind, level - 1) digits that follow
%                the first
%   frequencies  n x 1, their sum is 2^precision
%
%   See also octcompress.coding.encode_symbols, octcompress.coding.normalize_counts.

  used = levels > 0;
  level = levels(used) - 1;
  kept = min (behind, level);
  coarse = zeros (size (levels));
  coarse(used) = (2 .^ kept + fractions) .* 2 .^ (level - kept);
  frequencies = octcompress.coding.normalize_counts (coarse, precision);
end

%!assert (octcompress.coding.widen_frequencies ([0; 3; 2], [1; 1], 1, 3), [0; 5; 3])
