% LeNet-300-100 as few bytes: pruned by magnitude per bit, the rest trained on 7 levels.
%
%   octave benchmarks/records/lenet300.m 5k             % writes lenet300_5k.mat beside this file
%   octave benchmarks/records/lenet300.m 6k
%   octave benchmarks/records/lenet300.m 8k
%   octave benchmarks/records/lenet300.m 5k validate    % the same on 50,000 images, judged on the
%                                                       % 10,000 training images that are held back
%
% The test images are judged once, at the end.

here = fileparts (mfilename ('fullpath'));
addpath (here);
given = argv ();
% Weights of 266,200 that stay; how much their bits count in what goes first; training.
settings = {'5k', 5200, 1.0, 128, 0.002; ...
            '6k', 5300, 0.5, 256, 0.003; ...
            '8k', 7800, 0.5, 128, 0.002};
row = strcmp (given{1}, settings(:, 1));
[kept, rate, batch_size, learning_rate] = settings{row, 2:end};
score = @(w, layer) record_score (w, layer, rate);
[teacher, X, Y, Xt, Yt, validating] = record_start ('lenet300', [], given);
common = {'optimizer', 'adam', 'learning_rate', learning_rate, 'batch_size', batch_size, ...
          'temperature', 4, 'augmentation', {'shift', 1, 'pixels', [28 28 1]}};
started = tic ();

sparse = nn_prune_train (teacher, X, Y, common{:}, 'sparsity', 1 - kept / 266200, 'epochs', 20, ...
                         'frequency', 50, 'distill', 0.7, 'prune', {'criterion', score});
report_record ('pruned', sparse, Xt, Yt, started);
sparse = nn_shrink (sparse);

small = nn_quantize (sparse, 3, 'fit', 'mse');
small = nn_distill (teacher, small, X, Y, common{:}, 'loss', 'kl', 'alpha', 0.7, 'epochs', 40, ...
                    'schedule', 'cosine');
report_record ('quantized', small, Xt, Yt, started);
record_end (small, ['lenet300_' given{1} '.mat'], 4, validating, Xt, Yt, started);
