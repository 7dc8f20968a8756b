% LeNet-5 (Caffe's, 20-50-500-10) as few bytes: units removed, then weights by magnitude per bit,
% the rest trained on 7 levels.
%
%   octave benchmarks/records/lenet5.m 4k             % writes lenet5_4k.mat beside this file
%   octave benchmarks/records/lenet5.m 2k
%   octave benchmarks/records/lenet5.m 4k validate    % the same on 50,000 images, judged on the
%                                                     % 10,000 training images that are held back
%
% The test images are judged once, at the end.

here = fileparts (mfilename ('fullpath'));
addpath (here);
given = argv ();
% Units of each layer that stay, then weights of 430,500; epochs of pruning and of quantizing.
settings = {'2k', [6 12 48], 1850, 2, 3; ...
            '4k', [8 16 64], 4200, 2, 3};
row = strcmp (given{1}, settings(:, 1));
[units, kept, pruning, quantizing] = settings{row, 2:end};
[model, teacher, X, Y, Xt, Yt, validating] = record_start ('lenet5', given, true);
common = {'optimizer', 'adam', 'learning_rate', 0.002, 'temperature', 4};
started = tic ();

% Units first: what follows costs a tenth.
units = [{'conv1'; 'conv2'; 'fc1'}, num2cell(1 - units(:) ./ [20; 50; 500])];
dense = nn_shrink (nn_prune (model, 'sparsity', units, 'structure', 'row', 'criterion', ...
                             'taylor', 'data', X(:, :, :, 1:2000), 'labels', Y(1:2000), ...
                             'batch_size', 64));
with_weights = dense.layers(cellfun (@(layer) isfield (layer, 'weights'), dense.layers));
count = sum (cellfun (@(layer) numel (layer.weights), with_weights));

% One pass to recover, then single weights.
sparse = nn_prune_train (dense, X, Y, common{:}, 'sparsity', 1 - kept / count, ...
                         'epochs', pruning, 'begin_step', 1000, 'frequency', 50, ...
                         'distill', 0.7, 'teacher', teacher, ...
                         'prune', {'criterion', @record_score});
report_record ('pruned', sparse, Xt, Yt, started);
sparse = nn_shrink (sparse);

small = nn_quantize (sparse, 3, 'fit', 'mse');
small = nn_distill (teacher, small, X, Y, common{:}, 'loss', 'kl', 'alpha', 0.7, ...
                    'epochs', quantizing, 'schedule', 'cosine');
report_record ('quantized', small, Xt, Yt, started);
record_end (small, ['lenet5_' given{1} '.mat'], 4, validating, Xt, Yt, started);
