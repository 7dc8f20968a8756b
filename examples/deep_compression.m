% Deep Compression (Han, Mao and Dally, ICLR 2016, arXiv:1510.00149): prune, retrain, share weights,
% train what is shared, code by Huffman; the paper's table of each layer beside ours.
%
%   octave examples/deep_compression.m            % LeNet-300-100
%   octave examples/deep_compression.m lenet5

network = 'lenet300';
if exist ('argv') && ~isempty (argv ()) %#ok<EXIST>
  given = argv ();
  network = given{1};
end
switch network
  case 'lenet300'
    names = {'fc1', 'fc2', 'fc3'};
    kept = [0.25 0.25 0.5; 0.12 0.14 0.35; 0.08 0.09 0.26];   % at last the shares of the paper
    bits = [6 6 6];
    % kept %, bits, after Huffman, bits of an index after Huffman, % of the layer's bytes
    paper = [8 6 4.4 3.7 2.32; 9 6 4.4 4.3 3.04; 26 6 4.3 3.2 12.7];
    paper_total = 'error 1.64%, 1.58%; 27 KB, 40x';
  case 'lenet5'
    names = {'conv1', 'conv2', 'fc1', 'fc2'};
    kept = [0.85 0.35 0.25 0.5; 0.75 0.2 0.12 0.3; 0.66 0.12 0.08 0.19];
    bits = [8 8 5 5];
    paper = [66 8 7.2 1.5 67.45; 12 8 7.2 3.9 5.28; 8 5 4.5 4.5 2.45; 19 5 5.2 3.7 6.13];
    paper_total = 'error 0.80%, 0.74%; 44 KB, 39x';
end

here = fileparts (mfilename ('fullpath'));
addpath (fullfile (here, '..', 'octave_pkg', 'inst'));
float = nn_load (fullfile (here, 'models', [network '.mat']));
data = fullfile (here, 'data', 'mnist.mat');
shape = {};
if numel (float.input_size) == 3
  shape = {'input_size', float.input_size};
end
[X, Y] = nn_data (data, 'train', shape{:});
[Xt, Yt] = nn_data (data, 'test', shape{:});

% 1. Prune in steps, each followed by training of what is left.
model = float;
for step = 1:size (kept, 1)
  for k = 1:numel (names)
    model = nn_prune (model, 'sparsity', 1 - kept(step, k), 'layers', names(k));
  end
  model = nn_train (model, X, Y, 'optimizer', 'adam', 'epochs', 2, 'learning_rate', 5e-4);
end
pruned = nn_evaluate (model, Xt, Yt);

% 2. Share: 2^bits values a layer by k-means from evenly spaced ones, then trained.
share = struct ('bits', bits, 'scheme', 'codebook', 'codebook_start', 'linear');
model = nn_quantize_train (model, X, Y, 'quantize', share, 'optimizer', 'adam', ...
                           'learning_rate', 1e-4, 'epochs', 1);
shared = nn_evaluate (model, Xt, Yt);

% 3. Gaps between the weights and their codes by Huffman.
file = fullfile (tempdir (), 'deep_compression.mat');
saved = nn_save (file, model, 'coding', 'huffman');
row_names = cellfun (@(row) row.name, saved.rows, 'UniformOutput', false);
layer_names = cellfun (@(layer) layer.name, model.layers, 'UniformOutput', false);
fprintf ('Each figure: ours / the paper''s\n\n');
fprintf ('| layer | kept %% | bits | after Huffman | of an index | %% of its bytes | bytes |\n');
fprintf ('| --- | --- | --- | --- | --- | --- | --- |\n');
for k = 1:numel (names)
  at = find (strcmp (names{k}, layer_names));
  layer = model.layers{at};
  at = find (strcmp ([names{k} '.weights'], row_names));
  row = saved.rows{at};
  at = find (strcmp ([names{k} '.quantization.weights.codebook'], row_names));
  bytes = row.bytes + saved.rows{at}.bytes;
  left = nnz (layer.weights);
  ours = [100 * left / row.count, bits(k), 8 * row.codes / left, 8 * row.indices / left, ...
          25 * bytes / row.count];
  both = [ours; paper(k, :)];
  fprintf ('| %s | %.0f / %.0f | %d / %d | %.1f / %.1f | %.1f / %.1f | %.2f / %.2f | %d |\n', ...
           names{k}, both(:), bytes);
end
before = nn_evaluate (float, Xt, Yt);
size_before = 4 * nn_info (float).totals.parameters;
fprintf ('\ntest error %.2f%%, pruned %.2f%%, shared %.2f%%; %d bytes on disk, %.0fx\n', ...
         100 * before.error, 100 * pruned.error, 100 * shared.error, saved.bytes, ...
         size_before / saved.bytes);
fprintf ('the paper: %s\n', paper_total);
smallest = nn_save (file, model, 'coding', 'auto');
fprintf ('%d bytes by ''coding'', ''auto'', %.0fx; saved as %s\n', smallest.bytes, ...
         size_before / smallest.bytes, file);
