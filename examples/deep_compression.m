% Deep Compression (Han, Mao and Dally, ICLR 2016, arXiv:1510.00149) on LeNet-300-100: prune,
% retrain, share weights, train what is shared, code by Huffman; its table beside the paper's.
%
%   octave examples/deep_compression.m

here = fileparts (mfilename ('fullpath'));
addpath (fullfile (here, '..', 'octave_pkg', 'inst'));

float = nn_load (fullfile (here, 'models', 'lenet300.mat'));
data = fullfile (here, 'data', 'mnist.mat');
[X, Y] = nn_data (data, 'train');
[Xt, Yt] = nn_data (data, 'test');
names = {'fc1', 'fc2', 'fc3'};
kept = [0.08 0.09 0.26];   % the shares that the paper keeps
bits = 6;

% 1. Prune in steps, each followed by training of what is left.
model = float;
for share = {[0.25 0.25 0.5], [0.12 0.14 0.35], kept}
  for k = 1:numel (names)
    model = nn_prune (model, 'sparsity', 1 - share{1}(k), 'layers', names(k));
  end
  model = nn_train (model, X, Y, 'optimizer', 'adam', 'epochs', 2, 'learning_rate', 5e-4);
end
pruned = nn_evaluate (model, Xt, Yt);

% 2. Share: 2^6 values a layer by k-means from evenly spaced ones, then trained.
share = struct ('bits', bits, 'scheme', 'codebook', 'codebook_start', 'linear');
model = nn_quantize_train (model, X, Y, 'quantize', share, 'optimizer', 'adam', ...
                           'learning_rate', 1e-4, 'epochs', 1);
shared = nn_evaluate (model, Xt, Yt);

% 3. Gaps between the weights and their codes by Huffman.
file = fullfile (tempdir (), 'deep_compression.mat');
saved = nn_save (file, model, 'coding', 'huffman');

before = nn_evaluate (float, Xt, Yt);
paper = [8 6 4.4; 9 6 4.4; 26 6 4.3];
rows = containers.Map ();
for k = 1:numel (saved.rows)
  rows(saved.rows{k}.name) = saved.rows{k};
end
fprintf ('| layer | kept %% | bits | after Huffman | index bits | bytes | paper |\n');
fprintf ('| --- | --- | --- | --- | --- | --- | --- |\n');
for k = 1:numel (names)
  layer = model.layers{cellfun(@(l) strcmp (l.name, names{k}), model.layers)};
  row = rows([names{k} '.weights']);
  left = nnz (layer.weights);
  fprintf ('| %s | %.0f | %d | %.1f | %.1f | %d | %d, %d, %.1f |\n', names{k}, ...
           100 * left / numel (layer.weights), bits, 8 * row.codes / left, ...
           8 * row.indices / left, row.bytes, paper(k, :));
end
parameters = nn_info (float);
parameters = parameters.totals.parameters;
fprintf ('test error %.2f%%, pruned %.2f%%, shared %.2f%% (paper 1.64%%, 1.58%%)\n', ...
         100 * before.error, 100 * pruned.error, 100 * shared.error);
fprintf ('%d bytes on disk, %.0fx (paper 27 KB, 40x)\n', saved.bytes, 4 * parameters / saved.bytes);
smallest = nn_save (file, model, 'coding', 'auto');
fprintf ('%d bytes by ''coding'', ''auto'', %.0fx; saved as %s\n', smallest.bytes, ...
         4 * parameters / smallest.bytes, file);
