function [masks, limit] = smallest_mask (scores, count)
%SMALLEST_MASK  Mark the COUNT smallest scores over several arrays, ties by position.
%
%   [masks, limit] = octcompress.prune.smallest_mask (scores, count)
%
%   scores  cell of arrays of one class, not negative
%   count   whole, 0 to the number of all entries
%   masks   cell of logicals of the same sizes; exactly COUNT entries are true. Of equal scores
%           those of the earlier array, and in it of the lower linear index, go first.
%   limit   the largest score that is marked; -Inf for none
%
%   A selection in linear time, not a sort, where the interpreter has one.
%
%   See also nn_prune.

  masks = cell (size (scores));
  if count == 0
    limit = -Inf;
    for k = 1:numel (scores)
      masks{k} = false (size (scores{k}));
    end
    return
  end
  if isscalar (scores)
    limit = kth_smallest (scores{1}(:), count);
  else
    columns = cellfun (@(s) s(:), scores(:), 'UniformOutput', false);
    limit = kth_smallest (vertcat (columns{:}), count);
  end
  left = count;
  for k = 1:numel (scores)
    masks{k} = scores{k} < limit;
    left = left - nnz (masks{k});
  end
  for k = 1:numel (scores)
    if left == 0
      break
    end
    equal = find (scores{k} == limit, left);
    masks{k}(equal) = true;
    left = left - numel (equal);
  end
end

function value = kth_smallest (x, k)
  if exist ('nth_element', 'builtin')
    value = nth_element (x, k);
  else
    x = sort (x);
    value = x(k);
  end
end

%!test
%! [masks, limit] = octcompress.prune.smallest_mask ({[3 1 2]}, 2);
%! assert (masks, {[false true true]});
%! assert (limit, 2);
%!test % ties: the earlier array, then the lower index
%! masks = octcompress.prune.smallest_mask ({[5; 1], [1 1 0]}, 3);
%! assert (masks, {[false; true], [true false true]});
%!test % none and all
%! assert (octcompress.prune.smallest_mask ({[1 2]}, 0), {[false false]});
%! assert (octcompress.prune.smallest_mask ({[1 1], 1}, 3), {[true true], true});
%!test % the same as a stable sort
%! s = mod ((1:1000) * 7919, 101);
%! [~, order] = sort (s);
%! expected = false (1, 1000);
%! expected(order(1:437)) = true;
%! assert (octcompress.prune.smallest_mask ({s}, 437), {expected});
