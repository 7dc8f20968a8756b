function [w, bias, mask, losses] = obs_layer (w, bias, stats, rule, damping, method)
%OBS_LAYER  Prune a layer by optimal brain surgeon and fit what remains, from its inputs alone.
%
%   [W, bias, mask, losses] = octcompress.prune.obs_layer (W, bias, stats, rule)
%   [W, bias, mask, losses] = octcompress.prune.obs_layer (W, bias, stats, rule, damping, method)
%
%   W        out x in, the layer's weights (octcompress.model.weights_matrix); double on return
%   bias     out x 1, or [] for a layer without one
%   stats    of octcompress.model.input_gram. With stats.cross the layer learns to give, on the
%            inputs of the compressed network, what the original gave on its own
%   rule     number of weights to remove; or a struct with groups (octcompress.prune.group_map)
%            and keep: N of each group stay; or a logical mask, true where a weight goes
%   damping  (0.01) share of the mean diagonal of the Hessian that is added to it
%   method   'exact': each row in its best order (octcompress.prune.obs_order), the number to
%            remove shared over the rows by comparing losses; 'blocked': one pass over the columns
%            (octcompress.prune.obs_blocked); 'auto' (default): exact where that takes less than
%            about 3e12 operations (with keep: 1e10, for weights then go one by one), and the
%            survivors by least squares where that does
%   mask     true where a weight went
%   losses   with method 'exact' out x in: what removing each weight added to the squared error
%
%   1. Refit: least squares towards the original's outputs, damped towards W.
%   2. Choose: see method. Inputs that are always the same (and those a bias can stand in for)
%      lose their weights first.
%   3. The survivors by least squares (octcompress.prune.fit_survivors), where the layer is small
%      enough for that; the blocked pass has done nearly the same.
%   With a bias, inputs and outputs are centred, and the bias puts the mean output right.
%
%   [1] Frantar, Singh, Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
%   [2] Frantar, Alistarh, SparseGPT, ICML 2023, arXiv:2301.00774.
%
%   See also nn_prune, octcompress.model.input_gram.

  if nargin < 5
    damping = 0.01;
  end
  if nargin < 6
    method = 'auto';
  end
  w = double (w);
  [out, d] = size (w);
  parts = size (stats.gram, 3);
  fits = strcmp (method, 'exact');
  if strcmp (method, 'auto')
    fits = out * d ^ 3 <= 3e12;
    method = 'blocked';
    if fits && (~isstruct (rule) || out * d ^ 3 <= 1e10)
      method = 'exact';
    end
  end
  rows_of = reshape (1:out, out / parts, parts);
  problems = cell (1, parts);
  losses = zeros (out, d);
  mask = false (out, d);
  if islogical (rule)
    mask = rule;
  end
  for g = 1:parts
    rows = rows_of(:, g);
    problems{g} = refit (w(rows, :), stats, g, damping, ~isempty (bias));
    if islogical (rule)
      continue
    end
    problem = problems{g};
    if strcmp (method, 'exact')
      losses(rows, :) = row_losses (problem, rule, rows);
      if isstruct (rule)
        mask(rows, :) = losses(rows, :) < Inf;
      end
    elseif isstruct (rule)
      score = problem.w .^ 2 ./ diag (problem.inverse)';
      mask(rows, :) = octcompress.prune.pattern_mask (score, rule.groups(rows, :), rule.keep);
    else
      [problems{g}.pruned, mask(rows, :)] = octcompress.prune.obs_blocked (problem.w, ...
            problem.inverse, rule / (out * d));
    end
  end
  if isnumeric (rule) && strcmp (method, 'exact')
    mask = octcompress.prune.smallest_mask ({losses}, rule);
    mask = mask{1};
  end
  for g = 1:parts
    rows = rows_of(:, g);
    problem = problems{g};
    if isfield (problem, 'pruned')
      w(rows, :) = problem.pruned;
    elseif fits
      w(rows, :) = octcompress.prune.fit_survivors (problem.w, problem.h, ~mask(rows, :));
    else
      w(rows, :) = octcompress.prune.obs_blocked (problem.w, problem.inverse, mask(rows, :));
    end
    if ~isempty (bias)
      bias(rows) = bias(rows) + problem.mean_output - w(rows, :) * problem.mean_input;
    end
  end
end

function problem = refit (w, stats, g, damping, has_bias)
  gram = stats.gram(:, :, g);
  cross = gram;
  total = stats.total(:, g);
  total_reference = total;
  if isfield (stats, 'cross')
    cross = stats.cross(:, :, g);
    total_reference = stats.total_reference(:, g);
  end
  problem.dead = diag (gram)' == 0;
  if has_bias
    gram = gram - total * (total' / stats.count);
    cross = cross - total_reference * (total' / stats.count);
    gram(problem.dead, :) = 0;
    gram(:, problem.dead) = 0;
  end
  [problem.inverse, problem.h] = octcompress.prune.damped_inverse (gram, damping);
  added = problem.h(1) - gram(1);
  problem.mean_output = w * (total_reference / stats.count);
  problem.mean_input = total / stats.count;
  if isfield (stats, 'cross')
    w = (w * cross + added * w) * problem.inverse;
  end
  problem.w = w;
end

function losses = row_losses (problem, rule, rows)
  % Along each row the losses never fall, so that the smallest ones are the first removals.
  [out, d] = size (problem.w);
  losses = zeros (out, d);
  if isstruct (rule)
    losses(:) = Inf;
    for i = 1:out
      [order, loss] = octcompress.prune.obs_order (problem.w(i, :), problem.inverse, 1, ...
                                                   rule.groups(rows(i), :), rule.keep);
      losses(i, order) = loss;
    end
    return
  end
  live = find (~problem.dead);
  inverse = problem.inverse(live, live);
  for i = 1:out
    [order, loss] = octcompress.prune.obs_order (problem.w(i, live), inverse);
    losses(i, live(order)) = cummax (loss);
  end
end

%!shared w, bias, x, stats
%! x = max (reshape (sin (1:960) + 0.3 * cos ((1:960) .^ 2), 16, 60), 0);
%! x(5, :) = 0;
%! w = reshape (cos ((1:96) .^ 2), 6, 16);
%! bias = (1:6)';
%! stats = struct ('gram', x * x', 'total', sum (x, 2), 'count', 60);
%!function e = error_of (w, bias, p, b, x)
%!  e = norm (w * x + bias - p * x - b, 'fro') ^ 2;
%!endfunction
%!test % exactly so many, better than magnitude, and the mean output is right
%! [p, b, mask] = octcompress.prune.obs_layer (w, bias, stats, 48);
%! assert (nnz (mask), 48);
%! assert (p == 0, mask);
%! assert (mask(:, 5), true (6, 1));
%! assert (mean (p * x + b, 2), mean (w * x + bias, 2), 1e-10);
%! cut = nn_prune (w, 'sparsity', 0.5);
%! assert (error_of (w, bias, p, b, x) < 0.5 * error_of (w, bias, cut, bias, x));
%! [q, c, mask] = octcompress.prune.obs_layer (w, bias, stats, 48, 0.01, 'blocked');
%! assert (nnz (mask), 48);
%! assert (error_of (w, bias, q, c, x) < 0.7 * error_of (w, bias, cut, bias, x));
%!test % nothing to remove: nothing changes
%! [p, b] = octcompress.prune.obs_layer (w, bias, stats, 0);
%! assert (p, w, 1e-10);
%! assert (b, bias, 1e-10);
%!test % N:M
%! groups = octcompress.prune.group_map ([6 16], '2:4');
%! for method = {'exact', 'blocked'}
%!   [p, b, mask] = octcompress.prune.obs_layer (w, bias, stats, ...
%!         struct ('groups', groups, 'keep', 2), 0.01, method{1});
%!   assert (accumarray (groups(:), double (mask(:))), 2 * ones (24, 1));
%!   cut = w;
%!   cut(octcompress.prune.pattern_mask (abs (w), groups, 2)) = 0;
%!   assert (error_of (w, bias, p, b, x) < error_of (w, bias, cut, bias, x));
%! end
%!test % without a bias; a given mask
%! mask = false (6, 16);
%! mask(:, 1:2:end) = true;
%! [p, b] = octcompress.prune.obs_layer (w, [], stats, mask, 1e-9);
%! best = w * x / x(2:2:end, :);
%! assert (p(:, 2:2:end), best, 1e-5);
%! assert (isempty (b));
%!test % towards the outputs of the original network
%! other = x + 0.2 * cos (x * 7);
%! two = struct ('gram', other * other', 'total', sum (other, 2), 'count', 60, 'cross', ...
%!               x * other', 'total_reference', sum (x, 2));
%! [p, b] = octcompress.prune.obs_layer (w, bias, two, 0);
%! assert (norm (w * x + bias - p * other - b, 'fro') < 0.9 * norm (w * x - w * other, 'fro'));
%!test % groups of a convolution read their own inputs
%! both = struct ('gram', cat (3, x(1:8, :) * x(1:8, :)', x(9:16, :) * x(9:16, :)'), 'total', ...
%!                [sum(x(1:8, :), 2), sum(x(9:16, :), 2)], 'count', 60);
%! v = w(:, 1:8);
%! [p, b, mask] = octcompress.prune.obs_layer (v, bias, both, 20);
%! assert (nnz (mask), 20);
%! a = octcompress.prune.obs_layer (v(1:3, :), bias(1:3), ...
%!       struct ('gram', both.gram(:, :, 1), 'total', both.total(:, 1), 'count', 60), mask(1:3, :));
%! assert (p(1:3, :), a, 1e-9);
