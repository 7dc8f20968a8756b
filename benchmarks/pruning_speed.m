% Cost of pruning: masks of a large tensor, and OBS of a large layer.
%
%   octave benchmarks/pruning_speed.m
%
% Each beside its floor: the selection alone, the matrix products alone. What a shrunk network gains
% is the table of pruning_inference.m.

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
