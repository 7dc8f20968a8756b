% Cost of pruning: masks of a large tensor, OBS of a large layer, and what a shrunk network gains.
%
%   octave benchmarks/pruning_speed.m
%
% Each beside its floor: the selection alone, the matrix products alone, the multiply-accumulates.
% Without ../shared/models the last table is left out.

addpath (fullfile (fileparts (mfilename ('fullpath')), '..', 'octave_pkg', 'inst'));
rounds = 3;

fprintf ('| 25 million weights, single | seconds |\n| --- | --- |\n');
rand ('twister', 1);
w = single (rand (5000, 5000)) - 0.5;
best = Inf (1, 4);
for r = 1:rounds
  tic; x = abs (w(:)); v = nth_element (x, floor (0.9 * numel (x))); best(1) = min (best(1), toc);
  tic; x = sort (abs (w(:))); best(2) = min (best(2), toc);
  tic; mask = octcompress.prune.smallest_mask ({abs(w)}, ...
        floor (0.9 * numel (w))); best(3) = min (best(3), toc);
  tic; p = nn_prune (w, 'sparsity', 0.9); best(4) = min (best(4), toc);
end
names = {'floor: abs and one selection (nth_element)', 'a sort', ...
         'octcompress.prune.smallest_mask', ...
         'nn_prune, with checks, zeros and counts'};
for k = 1:4
  fprintf ('| %s | %.2f |\n', names{k}, best(k));
end
clear x mask p

n = 4096;
rand ('twister', 2);
w = rand (n) - 0.5;
x = rand (n, 2 * n) - 0.5;
x = x(:, 1:end-1) + x(:, 2:end);
stats = struct ('gram', x * x', 'total', sum (x, 2), 'count', size (x, 2));
clear x
fprintf ('\n| OBS of one layer of 4096 x 4096, 50%% | seconds |\n| --- | --- |\n');
times = Inf (1, 2);
tic;
% The same products: a Cholesky factor, the inverse, its factor, and one update of all columns.
f = chol (stats.gram + trace (stats.gram) / n / 100 * eye (n));
half = f \ eye (n);
inverse = half * half';
f = chol (inverse);
for first = 1:128:n
  e = w(:, first:first+127);
  rest = w(:, first+128:n) - e * f(first:first+127, first+128:n);
end
times(1) = toc;
clear f half inverse rest e
tic; [p, ~, mask] = octcompress.prune.obs_layer (w, [], stats, n * n / 2, 0.01, ...
                                                 'blocked'); times(2) = toc;
fprintf ('| floor: its matrix products and factorisations | %.1f |\n', times(1));
fprintf ('| octcompress.prune.obs_layer, blocked | %.1f |\n', times(2));
cut = w;
cut(abs (w) < median (abs (w(:)))) = 0;
loss = @(v) sum (sum (((w - v) * stats.gram) .* (w - v)));
fprintf ('\nSquared error of the outputs, share of that of magnitude pruning: %.3f\n', ...
         loss (p) / loss (cut));
clear w p mask stats cut

try
  model = pruning_models ('lenet5', 10);
catch
  return
end
fprintf (['\n| LeNet-5, 3,000 images | MACs | seconds | MACs, times | speed, times |\n| --- | ' ...
          '--- | --- | --- | --- |\n']);
X = single (rand (28, 28, 1, 3000));
models = {model};
names = {'whole'};
for s = [0.25 0.5 0.75]
  [small, info] = nn_shrink (nn_prune (model, 'sparsity', s, 'structure', 'row'));
  models{end + 1} = small;
  names{end + 1} = sprintf ('%d%% of the units of each layer removed', 100 * s);
end
times = Inf (size (models));
for r = 1:rounds
  for k = 1:numel (models)
    tic; nn_predict (models{k}, X); times(k) = min (times(k), toc);
  end
end
macs = zeros (size (models));
for k = 1:numel (models)
  [~, info] = nn_shrink (models{k});
  macs(k) = info.macs(1);
end
for k = 1:numel (models)
  fprintf ('| %s | %d | %.2f | %.2f | %.2f |\n', names{k}, macs(k), times(k), ...
           macs(1) / macs(k), times(1) / times(k));
end
