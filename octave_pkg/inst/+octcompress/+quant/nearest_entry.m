function place = nearest_entry (w, codebook)
%NEAREST_ENTRY  The place of the nearest entry of a codebook.
%
%   place = octcompress.quant.nearest_entry (w, codebook)
%
%   w         single or double, any size, finite
%   codebook  K x 1, in any order
%   place     double, the size of w, 1 to K; where two entries are equally near, the greater
%
%   Half-way points and comparisons are in double.
%
%   See also octcompress.quant.encode_grid, octcompress.quant.kmeans.

  [sorted, order] = sort (double (codebook(:)));
  middle = (sorted(1:end-1) + sorted(2:end)) / 2;
  if isempty (middle)
    rank = ones (size (w));
  elseif exist ('lookup', 'builtin')
    rank = lookup (middle, double (w)) + 1;
  else
    rank = ones (size (w));
    for k = 1:numel (middle)
      rank = rank + (w >= middle(k));
    end
  end
  place = reshape (order(rank), size (w));
end

%!assert (octcompress.quant.nearest_entry ([-5 0.4 0.5 0.6 9], [1; 0]), [2 2 1 1 1])
%!assert (octcompress.quant.nearest_entry (single ([1 2; 3 4]), 7), [1 1; 1 1])
%!assert (octcompress.quant.nearest_entry (zeros (0, 3), [1; 2]), zeros (0, 3))
