function [choices, loss, bytes] = allocate (loss, bytes, most)
%ALLOCATE  The best choices for all layers together, for every number of bytes.
%
%   [choices, loss, bytes] = octcompress.search.allocate (loss, bytes)
%   [choices, loss, bytes] = octcompress.search.allocate (loss, bytes, most)
%
%   loss, bytes  layers x choices: what each choice costs by itself; NaN where there is none
%   most (2000)  at most so many points are kept after each layer
%   choices      points x layers: the choice of each layer; the points go by rising bytes and
%                falling loss
%   loss, bytes  columns: the sums of each point
%
%   Losses are taken to add up over the layers, as bytes do. Dynamic programming over the layers:
%   the front of the first k layers and the choices of the next one make all sums, of which those
%   stay that no other beats (octcompress.search.pareto_front). With no more than MOST points on
%   each front the result is exact; otherwise fronts are thinned evenly by the logarithm of bytes.
%
%   See also nn_compress, nn_mixed.

  if nargin < 3
    most = 2000;
  end
  costs = {loss, bytes};
  loss = 0;
  bytes = 0;
  choices = zeros (1, 0);
  for k = 1:size (costs{1}, 1)
    loss = loss + costs{1}(k, :);
    bytes = bytes + costs{2}(k, :);
    [point, choice] = ind2sub (size (loss), octcompress.search.pareto_front (loss, bytes));
    [point, choice] = thinned (point(:), choice(:), bytes, most);
    place = sub2ind (size (loss), point, choice);
    loss = reshape (loss(place), [], 1);
    bytes = reshape (bytes(place), [], 1);
    choices = [choices(point, :), choice];
  end
end

function [point, choice] = thinned (point, choice, bytes, most)
  if numel (point) > most
    size_of = log (max (bytes(sub2ind (size (bytes), point, choice)), 1));
    span = max (size_of(end) - size_of(1), realmin);
    cell_of = floor ((size_of - size_of(1)) / span * (most - 1));
    kept = [diff(cell_of); 1] > 0;  % the one with the least loss of each cell
    point = point(kept);
    choice = choice(kept);
  end
end

%!test % as trying everything
%! rand ('twister', 4);
%! loss = rand (3, 4);
%! bytes = ceil (20 * rand (3, 4));
%! loss(2, 3) = NaN;
%! [choices, l, b] = octcompress.search.allocate (loss, bytes);
%! [i, j, k] = ndgrid (1:4, 1:4, 1:4);
%! all_loss = loss(1, i(:)) + loss(2, j(:)) + loss(3, k(:));
%! all_bytes = bytes(1, i(:)) + bytes(2, j(:)) + bytes(3, k(:));
%! front = octcompress.search.pareto_front (all_loss, all_bytes);
%! assert (l', all_loss(front), 1e-12);
%! assert (b', all_bytes(front));
%! assert (choices, [i(front); j(front); k(front)]');
%!test % thinned: few points, near the exact ones
%! rand ('twister', 5);
%! loss = sort (rand (8, 6), 2, 'descend');
%! bytes = cumsum (rand (8, 6), 2) * 1000;
%! [~, l, b] = octcompress.search.allocate (loss, bytes);
%! [choices, few, at] = octcompress.search.allocate (loss, bytes, 60);
%! assert (size (choices, 1) <= 60);
%! assert (interp1 (b, l, at(5:end-5)), few(5:end-5), 0.15);
%! assert (all (diff (at) > 0) && all (diff (few) < 0));
%!assert (octcompress.search.allocate ([2 1], [1 2]), [1; 2])
