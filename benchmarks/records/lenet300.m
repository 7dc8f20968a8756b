% LeNet-300-100 as few bytes: pruned by magnitude per bit, the rest trained on 7 levels.
%
%   octave benchmarks/records/lenet300.m 5k             % writes lenet300_5k.mat beside this file
%   octave benchmarks/records/lenet300.m 8k
%   octave benchmarks/records/lenet300.m 5k validate    % the same on 50,000 images, judged on the
%                                                       % 10,000 training images that are held back
%
% The test images are judged once, at the end.

here = fileparts (mfilename ('fullpath'));
addpath (here);
given = argv ();
% Weights of 266,200 that stay; how much their bits count in what goes first; whether LeNet-5 is the
% teacher, of copies made beforehand, or the network itself, of images moved in each batch; epochs
% of pruning and of quantizing.
settings = {'5k', 5100, 1.0, true, 3, 5; ...
            '8k', 7800, 0.5, false, 20, 40};
row = strcmp (given{1}, settings(:, 1));
[kept, rate, copies, pruning, quantizing] = settings{row, 2:end};
[model, teacher, X, Y, Xt, Yt, validating] = record_start ('lenet300', given, copies);
common = {'optimizer', 'adam', 'learning_rate', 0.002, 'temperature', 4};
if ~copies
  teacher = model;
  common = [common, {'augmentation', {'shift', 1, 'pixels', [28 28 1]}}];
end
score = @(w, layer) record_score (w, layer, rate);
started = tic ();

sparse = nn_prune_train (model, X, Y, common{:}, 'sparsity', 1 - kept / 266200, ...
                         'epochs', pruning, 'frequency', 50, 'distill', 0.7, ...
                         'teacher', teacher, 'prune', {'criterion', score});
report_record ('pruned', sparse, Xt, Yt, started);
sparse = nn_shrink (sparse);

small = nn_quantize (sparse, 3, 'fit', 'mse');
small = nn_distill (teacher, small, X, Y, common{:}, 'loss', 'kl', 'alpha', 0.7, ...
                    'epochs', quantizing, 'schedule', 'cosine');
report_record ('quantized', small, Xt, Yt, started);
record_end (small, ['lenet300_' given{1} '.mat'], 4, validating, Xt, Yt, started);
