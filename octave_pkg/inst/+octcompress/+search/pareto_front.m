function front = pareto_front (loss, bytes)
%PARETO_FRONT  Which of some choices no other one beats.
%
%   front = octcompress.search.pareto_front (loss, bytes)
%
%   loss, bytes  vectors of one length; choices that hold NaN or Inf are left out
%   front        row of numbers, by rising bytes: each has less loss than all before it. Of equal
%                ones the first is taken
%
%   See also octcompress.search.allocate.

  loss = loss(:);
  bytes = bytes(:);
  order = find (isfinite (loss) & isfinite (bytes));
  [~, by] = sortrows ([bytes(order), loss(order), order]);
  order = order(by);
  sorted = loss(order);
  least = [Inf; cummin(sorted)];
  front = order(sorted < least(1:numel (sorted)))';
end

%!assert (octcompress.search.pareto_front ([3 1 2 2], [1 3 2 2]), [1 3 2])
%!assert (octcompress.search.pareto_front ([1 NaN 0.5], [2 1 3]), [1 3])
%!assert (isempty (octcompress.search.pareto_front ([], [])))
%!test % no choice beats one of the front
%! rand ('twister', 2);
%! l = rand (1, 50);
%! b = round (10 * rand (1, 50));
%! front = octcompress.search.pareto_front (l, b);
%! for k = front
%!   assert (~any (l <= l(k) & b <= b(k) & (l < l(k) | b < b(k))));
%! end
%! assert (all (arrayfun (@(k) any (l(front) <= l(k) & b(front) <= b(k)), 1:50)));
