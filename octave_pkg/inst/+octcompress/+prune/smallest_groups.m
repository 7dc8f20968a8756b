function [marks, limit] = smallest_groups (scores, sizes, count, spare)
%SMALLEST_GROUPS  Mark the groups of least score, as many as hold no more than COUNT weights.
%
%   [marks, limit] = octcompress.prune.smallest_groups (scores, sizes, count)
%   [marks, limit] = octcompress.prune.smallest_groups (scores, sizes, count, spare)
%
%   scores  cell of columns, one for each layer
%   sizes   cell of columns: the number of weights in each group
%   count   how many weights may go
%   spare   (0) how many groups each layer keeps at least: its highest
%   marks   cell of logical columns, true where a group goes; of equal scores the earlier layer's,
%           and in it the earlier group. Groups go in this order until the next would make too many.
%   limit   the largest score that is marked; -Inf for none
%
%   See also octcompress.prune.smallest_mask, nn_prune.

  if nargin < 4
    spare = 0;
  end
  marks = cell (size (scores));
  for k = 1:numel (scores)
    marks{k} = false (numel (scores{k}), 1);
    if spare > 0
      [~, order] = sort (scores{k});
      scores{k}(order(max (end - spare + 1, 1):end)) = Inf;
    end
  end
  [sorted, order] = sort (vertcat (scores{:}));
  total = vertcat (sizes{:});
  going = false (size (total));
  last = find (cumsum (total(order)) <= count & sorted < Inf, 1, 'last');
  limit = -Inf;
  if ~isempty (last)
    going(order(1:last)) = true;
    limit = sorted(last);
  end
  first = 0;
  for k = 1:numel (scores)
    marks{k} = going(first + (1:numel (scores{k})));
    first = first + numel (scores{k});
  end
end

%!test
%! [marks, limit] = octcompress.prune.smallest_groups ({[3; 1; 2]}, {[2; 2; 2]}, 5);
%! assert (marks, {[false; true; true]});
%! assert (limit, 2);
%!test % over layers, the earlier of equal ones
%! marks = octcompress.prune.smallest_groups ({[1; 5], 1}', {[1; 1], 1}, 1);
%! assert (marks, {[true; false], false}');
%!test % each layer keeps one
%! marks = octcompress.prune.smallest_groups ({[1; 2], [8; 9]}, {[1; 1], [1; 1]}, 4, 1);
%! assert (marks, {[true; false], [true; false]});
%!test % none
%! [marks, limit] = octcompress.prune.smallest_groups ({[1; 2]}, {[4; 4]}, 3);
%! assert (marks, {[false; false]});
%! assert (limit, -Inf);
