% Pruning with training, beside the figures of PEERS: 90% in two epochs, Dynamic Network Surgery's
% ratios, and a structured LeNet-5 that is really smaller and faster.
%
%   octave benchmarks/pruning_training.m
%
% Takes about an hour on two free cores. Needs ../shared/models.

addpath (fileparts (mfilename ('fullpath')));
quiet = {'optimizer', 'adam', 'schedule', 'cosine', 'verbose', false};
fprintf ('| what | peer | here | weights left | seconds |\n| --- | --- | --- | --- | --- |\n');

[model, X, Y, Xt, Yt] = pruning_models ('lenet300', 60000);
tic;
p = nn_prune (model, 'sparsity', 0.9, 'criterion', 'obs', 'scope', 'global', 'data', X(:, 1:2000));
pruning_row ('LeNet-300-100, 90%, OBS, no labels', '', p, Xt, Yt, toc);
p = nn_train (p, X, Y, quiet{:}, 'learning_rate', 3e-4, 'batch_size', 64, 'epochs', 2);
pruning_row ('then 2 epochs', 'TensorFlow 97.90', p, Xt, Yt, toc);
tic;
p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.9, 'epochs', 2, 'frequency', 50, ...
                    'batch_size', 128);
pruning_row ('90%, polynomial schedule, 2 epochs', 'TensorFlow 97.90', p, Xt, Yt, toc);
tic;
p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.982, 'epochs', 20, 'batch_size', 128, ...
                    'distill', 0.7, 'prune', {'scope', 'lamp'});
pruning_row ('98.2%, polynomial schedule, LAMP, distilled, 20 epochs', 'DNS 98.01', p, Xt, Yt, toc);
tic;
p = nn_prune (model, 'sparsity', 0.982, 'criterion', 'obs', 'scope', 'lamp', 'data', X(:, 1:2000));
pruning_row ('98.2%, OBS with the LAMP budget, no labels, no training', '', p, Xt, Yt, toc);
for epochs = [4 6]
  p = nn_train (p, X, Y, quiet{:}, 'learning_rate', 2e-3, 'batch_size', 128, 'epochs', epochs);
  pruning_row (sprintf ('then %d epochs', epochs), 'DNS 98.01', p, Xt, Yt, toc);
end

[model, X, Y, Xt, Yt] = pruning_models ('lenet5', 60000);
tic;
table = {'conv1', 1 - 9 / 20; 'conv2', 1 - 18 / 50; 'fc1', 1 - 65 / 500};
small = nn_prune (model, 'sparsity', table, 'structure', 'row', 'criterion', 'taylor', ...
                  'data', X(:, :, :, 1:2000), 'labels', Y(1:2000), 'batch_size', 64);
small = nn_shrink (small);
pruning_row ('LeNet-5, units by Taylor and nn_shrink: 9-18-65-10, no training', '', small, Xt, ...
             Yt, toc);
small = nn_train (small, X, Y, quiet{:}, 'learning_rate', 2e-3, 'batch_size', 128, 'epochs', 14, ...
                  'augmentation', {'shift', 1});
pruning_row ('then 14 epochs', 'Scalpel 99.34', small, Xt, Yt, toc);
left = floor (0.009 * pruning_weights (model));
p = nn_prune_train (small, X, Y, quiet{:}, 'sparsity', 1 - left / pruning_weights (small), ...
                    'learning_rate', 2e-3, ...
                    'batch_size', 128, 'epochs', 7, 'distill', 0.5, 'frequency', 50, ...
                    'prune', {'scope', 'lamp'}, 'augmentation', {'shift', 1});
pruning_row ('then 99.1% of all weights gone, 7 epochs', 'DNS 99.09', p, Xt, Yt, toc);
