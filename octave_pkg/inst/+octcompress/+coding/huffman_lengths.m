function lengths = huffman_lengths (counts, limit)
%HUFFMAN_LENGTHS  The code lengths of the best prefix code whose codes are no longer than a limit.
%
%   lengths = octcompress.coding.huffman_lengths (counts, limit)
%
%   counts   n x 1, how often each symbol occurs
%   limit    1 to 16; 2^limit must be at least the number of symbols that occur
%   lengths  n x 1, bits of each symbol's code; 0 where the symbol does not occur, and 1 where it is
%            the only one
%
%   The package-merge algorithm [1]. Of equal weights symbols come before packages, and symbols in
%   their own order.
%
%   [1] Larmore and Hirschberg, A fast algorithm for optimal length-limited Huffman codes, 1990.
%
%   See also octcompress.coding.huffman_codes.

  counts = double (counts(:));
  lengths = zeros (size (counts));
  used = find (counts);
  n = numel (used);
  if n == 1
    lengths(used) = 1;
  end
  if n < 2
    return
  end
  [weights, order] = sort (counts(used));
  list = weights;
  is_leaf = cell (1, limit);
  is_leaf{1} = true (n, 1);
  for level = 2:limit
    pairs = floor (numel (list) / 2);
    packages = list(1:2:2*pairs) + list(2:2:2*pairs);
    [list, place] = sort ([weights; packages]);
    is_leaf{level} = place <= n;
  end
  taken = 2 * n - 2;
  depth = zeros (n, 1);
  for level = limit:-1:1
    leaves = sum (is_leaf{level}(1:taken));
    depth(1:leaves) = depth(1:leaves) + 1;
    taken = 2 * (taken - leaves);
  end
  lengths(used(order)) = depth;
end

%!assert (octcompress.coding.huffman_lengths ([5; 0; 1; 1; 2], 15), [1; 0; 3; 3; 2])
%!assert (octcompress.coding.huffman_lengths ([0; 7], 15), [0; 1])
%!assert (octcompress.coding.huffman_lengths ([0; 0], 15), [0; 0])
%!test % the limit holds, and the code is full
%! counts = 2 .^ (0:20)';
%! lengths = octcompress.coding.huffman_lengths (counts, 6);
%! assert (max (lengths), 6);
%! assert (sum (2 .^ -lengths), 1);
%!test % without a binding limit the cost is that of Huffman's own algorithm
%! counts = [45; 13; 12; 16; 9; 5];
%! assert (sum (counts .* octcompress.coding.huffman_lengths (counts, 16)), 224);
