function mask = pattern_mask (score, groups, keep)
%PATTERN_MASK  In each group of weights keep the KEEP highest scores (N:M sparsity).
%
%   mask = octcompress.prune.pattern_mask (score, groups, keep)
%
%   score   array
%   groups  array of the same size, from octcompress.prune.group_map with 'n:m'
%   keep    N
%   mask    logical, true where a weight goes; of equal scores the lower linear index goes
%
%   See also nn_prune.

  mask = false (size (score));
  if isempty (score)
    return
  end
  groups = groups(:);
  [~, order] = sort (score(:));
  [sorted, by_group] = sort (groups(order));
  order = order(by_group);
  sizes = accumarray (groups(:), 1);
  first = cumsum ([0; sizes(1:end-1)]);
  rank = (1:numel (order))' - first(sorted);
  mask(order(rank <= sizes(sorted) - keep)) = true;
end

%!assert (octcompress.prune.pattern_mask ([4 1 2 3], [1 1 1 1], 2), logical ([0 1 1 0]))
%!assert (octcompress.prune.pattern_mask ([1 1 1 1 5], [1 1 1 1 2], 2), logical ([1 1 0 0 0]))
%!test % every group of 4 keeps 2
%! s = sin ((1:48) .^ 2);
%! g = octcompress.prune.group_map ([4 12], '2:4');
%! m = octcompress.prune.pattern_mask (reshape (s, 4, 12), g, 2);
%! assert (accumarray (g(:), double (m(:))), 2 * ones (12, 1));
