function [order, losses] = obs_order (w, inverse, step, groups, keep)
%OBS_ORDER  In which order optimal brain surgeon removes the weights of one output unit.
%
%   [order, losses] = octcompress.prune.obs_order (w, inverse)
%   [order, losses] = octcompress.prune.obs_order (w, inverse, step)
%   [order, losses] = octcompress.prune.obs_order (w, inverse, 1, groups, keep)
%
%   w        1 x d double, the weights of one output unit
%   inverse  d x d double, the inverse Hessian (octcompress.prune.damped_inverse)
%   step     how many weights go before the whole inverse is brought up to date (32)
%   groups   1 x d, the number of each weight's group; KEEP of each group stay, and the order ends
%            when no more may go
%   order    1 x d or shorter, the places of the weights in the order of their removal
%   losses   the same size, what each removal adds to the squared error of the unit's output
%
%   Each time the weight of least w(p)^2 / inverse(p, p) goes; the others and the inverse are
%   updated so that the error stays least [1, 2]:
%     w = w - w(p) / inverse(p, p) * inverse(p, :)
%     inverse = inverse - inverse(:, p) * inverse(p, :) / inverse(p, p)
%   With a step above 1 the STEP removals are found, exactly so, among the 2 * STEP weights that
%   are least at its start, and the rest of the inverse gets all of them as one matrix product.
%   With a step of 1 the order is exactly that of [2].
%
%   [1] Hassibi, Stork, Second order derivatives for network pruning: optimal brain surgeon,
%       NIPS 1992.
%   [2] Frantar, Singh, Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
%
%   See also octcompress.prune.obs_layer.

  if nargin < 3
    step = 32;
  end
  d = numel (w);
  if nargin > 3
    [order, losses] = within_groups (w, inverse, groups, keep);
    return
  end
  order = zeros (1, d);
  losses = zeros (1, d);
  places = 1:d;
  done = 0;
  while done < d
    left = d - done;
    take = min (step, left);
    [~, rank] = sort (w .^ 2 ./ inverse(1:left+1:end));
    near = rank(1:min (2 * take, left));
    [chosen, loss] = eliminate (w(near), inverse(near, near), take);
    gone = near(chosen);
    order(done + (1:take)) = places(gone);
    losses(done + (1:take)) = loss;
    done = done + take;
    kept = true (1, left);
    kept(gone) = false;
    columns = inverse(kept, gone);
    factor = inverse(gone, gone) \ [columns', w(gone)'];
    w = w(kept) - (columns * factor(:, end))';
    inverse = inverse(kept, kept) - columns * factor(:, 1:end-1);
    places = places(kept);
  end
end

function [order, losses] = within_groups (w, inverse, groups, keep)
  [~, ~, groups] = unique (groups(:)');
  quota = max (accumarray (groups(:), 1) - keep, 0);
  may_go = quota(groups)' > 0;
  count = sum (quota);
  order = zeros (1, count);
  losses = zeros (1, count);
  for k = 1:count
    saliency = w .^ 2 ./ diag (inverse)';
    saliency(~may_go) = Inf;
    [losses(k), p] = min (saliency);
    order(k) = p;
    may_go(p) = false;
    quota(groups(p)) = quota(groups(p)) - 1;
    if quota(groups(p)) == 0
      may_go(groups == groups(p)) = false;
    end
    column = inverse(:, p) / inverse(p, p);
    w = w - w(p) * column';
    inverse = inverse - column * inverse(p, :);
  end
end

function [order, losses] = eliminate (w, inverse, count)
  n = numel (w);
  order = zeros (1, count);
  losses = zeros (1, count);
  for k = 1:count
    saliency = w .^ 2 ./ inverse(1:n+1:end);
    saliency(order(1:k-1)) = Inf;
    [losses(k), p] = min (saliency);
    order(k) = p;
    column = inverse(:, p) / inverse(p, p);
    w = w - w(p) * column';
    inverse = inverse - column * inverse(p, :);
  end
end

%!shared w, h, inverse
%! x = reshape (sin (1:400) + 0.3 * cos ((1:400) .^ 2), 10, 40);
%! h = x * x';
%! inverse = inv (h);
%! w = cos (1:10);
%!test % the losses are those of least squares on the survivors
%! [order, losses] = octcompress.prune.obs_order (w, inverse, 1);
%! assert (sort (order), 1:10);
%! for k = 1:9
%!   s = order(k+1:end);
%!   best = zeros (1, 10);
%!   best(s) = h(s, s) \ (h(s, :) * w');
%!   assert (sum (losses(1:k)), (w - best) * h * (w - best)', 1e-9 * (w * h * w'));
%! end
%!test % all steps at once: the same as one by one where all are candidates
%! [a, la] = octcompress.prune.obs_order (w, inverse, 1);
%! [b, lb] = octcompress.prune.obs_order (w, inverse, 10);
%! assert (b, a);
%! assert (lb, la, 1e-9 * sum (la));
%!test % with steps, the losses are still true
%! [order, losses] = octcompress.prune.obs_order (w, inverse, 3);
%! assert (sort (order), 1:10);
%! s = order(7:end);
%! best = zeros (1, 10);
%! best(s) = h(s, s) \ (h(s, :) * w');
%! assert (sum (losses(1:6)), (w - best) * h * (w - best)', 1e-9 * (w * h * w'));
%!test % some of each group stay
%! [order, losses] = octcompress.prune.obs_order (w, inverse, 1, [1 1 1 1 2 2 2 2 3 3], 2);
%! assert (numel (order), 4);
%! gone = false (1, 10);
%! gone(order) = true;
%! assert ([sum(gone(1:4)), sum(gone(5:8)), sum(gone(9:10))], [2 2 0]);
%! s = find (~gone);
%! best = zeros (1, 10);
%! best(s) = h(s, s) \ (h(s, :) * w');
%! assert (sum (losses), (w - best) * h * (w - best)', 1e-9 * (w * h * w'));
