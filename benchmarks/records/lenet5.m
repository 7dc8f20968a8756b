% LeNet-5 (Caffe's, 20-50-500-10) as few bytes: units removed, then weights by magnitude per bit,
% the rest trained on 7 levels.
%
%   octave benchmarks/records/lenet5.m 4k             % writes lenet5_4k.mat beside this file
%   octave benchmarks/records/lenet5.m 10k
%   octave benchmarks/records/lenet5.m 4k validate    % the same on 50,000 images, judged on the
%                                                     % 10,000 training images that are held back
%
% The test images are judged once, at the end.

here = fileparts (mfilename ('fullpath'));
addpath (here);
given = argv ();
% Units of each layer that stay, then weights of 430,500; epochs of recovery, of pruning and of
% quantizing.
settings = {'4k', [8 16 64], 5400, 1, 2, 3; ...
            '10k', [10 20 80], Inf, 1, 0, 1};
row = strcmp (given{1}, settings(:, 1));
[units, kept, recovery, pruning, quantizing] = settings{row, 2:end};
[model, X, Y, Xt, Yt, validating] = record_start ('lenet5', given);
common = {'optimizer', 'adam', 'learning_rate', 0.002};
distilled = [common, {'temperature', 4}];
started = tic ();

% Units first: what follows costs a tenth.
units = [{'conv1'; 'conv2'; 'fc1'}, num2cell(1 - units(:) ./ [20; 50; 500])];
model = nn_shrink (nn_prune (model, 'sparsity', units, 'structure', 'row', 'criterion', ...
                             'taylor', 'data', X(:, :, :, 1:2000), 'labels', Y(1:2000), ...
                             'batch_size', 64));

% The first layer has 200 weights in 430,500 but half of the arithmetic: it goes on its grid at
% once, and what it sees in the images is computed once.
head = model;
head.layers = model.layers(1:2);
head = quantize_biases (nn_quantize (head, 4, 'fit', 'mse'), 4);
X = nn_predict (head, X);
tail = model;
tail.layers = model.layers(3:end);
tail.input_size = [12 12 size(X, 3)];
whole = @(tail) setfield (model, 'layers', [head.layers(:)', tail.layers(:)']);

tail = nn_train (tail, X, Y, common{:}, 'epochs', recovery, 'schedule', 'cosine');
report_record ('units', whole (tail), Xt, Yt, started);

with_weights = tail.layers(cellfun (@(layer) isfield (layer, 'weights'), tail.layers));
count = sum (cellfun (@(layer) numel (layer.weights), with_weights));
kept = min (kept - numel (head.layers{1}.weights), count);
sparse = nn_prune_train (tail, X, Y, distilled{:}, 'sparsity', 1 - kept / count, ...
                         'epochs', pruning, 'frequency', 50, 'distill', 0.7, ...
                         'prune', {'criterion', @record_score});
report_record ('pruned', whole (sparse), Xt, Yt, started);
sparse = nn_shrink (sparse);

small = nn_quantize (sparse, 3, 'fit', 'mse');
small = nn_distill (tail, small, X, Y, distilled{:}, 'loss', 'kl', 'alpha', 0.7, ...
                    'epochs', quantizing, 'schedule', 'cosine');
report_record ('quantized', whole (small), Xt, Yt, started);
record_end (whole (small), ['lenet5_' given{1} '.mat'], 4, validating, Xt, Yt, started);
