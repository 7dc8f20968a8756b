% Load a network, prune at 0.2 of each layer's largest weight, save it.
%
%   octave examples/prune_network.m
%
% The rule of the article that this project grew from: weights whose magnitude is below a share of
% the largest one become zero.

here = fileparts (mfilename ('fullpath'));
addpath (fullfile (here, '..', 'octave_pkg', 'inst'));

model = nn_load (fullfile (here, 'models', 'lenet300.mat'));
[X, Y] = nn_data (fullfile (here, 'data', 'mnist.mat'), 'test');

[pruned, info] = nn_prune (model, 'threshold', 0.2);

before = nn_evaluate (model, X, Y);
after = nn_evaluate (pruned, X, Y);
file = fullfile (tempdir (), 'lenet300_pruned.mat');
dense = nn_save (file, model, 'compress', true);
saved = nn_save (file, pruned, 'compress', true);

fprintf ('weights that are zero: %d of %d (%.1f%%)\n', info.zeros, info.count, 100 * info.sparsity);
fprintf ('test error:            %.2f%% -> %.2f%%\n', 100 * before.error, 100 * after.error);
fprintf ('bytes on disk:         %d -> %d\n', dense.bytes, saved.bytes);
fprintf ('saved as %s\n', file);
nn_info (pruned);
