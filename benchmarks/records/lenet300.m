% LeNet-300-100 as few bytes: pruned by magnitude for the bits it costs, the rest trained on 7
% levels, all of it taught by LeNet-5.
%
%   octave benchmarks/records/lenet300.m            % writes lenet300_4k.mat beside this file
%   octave benchmarks/records/lenet300.m validate   % the same on 50,000 images, judged on the
%                                                   % 10,000 training images that are held back
%
% The test images are judged at the end and chose nothing.

here = fileparts (mfilename ('fullpath'));
addpath (here);
[model, X, Y, Xt, Yt, validating] = record_start ('lenet300', argv ());
features = @(x) reshape (permute (x, [2 1 3 4]), 784, []);   % row by row
X = features (X);
Xt = features (Xt);
teacher = nn_load (fullfile (here, '..', '..', 'examples', 'models', 'lenet5.mat'));
teacher.input_size = 784;
image = struct ('type', 'reshape', 'output_size', [28 28 1], 'order', 'chw');
teacher.layers = [{image}, teacher.layers(:)'];

common = {'optimizer', 'adam', 'learning_rate', 0.002, 'temperature', 4};
score = @(w, layer) record_score (w, layer, 1);
kept = 5100;   % of 266,200 weights; training on the grid takes some more
started = tic ();

sparse = nn_prune_train (model, X, Y, common{:}, 'sparsity', 1 - kept / 266200, 'epochs', 3, ...
                         'frequency', 50, 'distill', 0.7, 'teacher', teacher, ...
                         'prune', {'criterion', score});
report_record ('pruned', sparse, Xt, Yt, started);
sparse = nn_shrink (sparse);

small = nn_quantize (sparse, 3, 'fit', 'mse');
small = nn_distill (teacher, small, X, Y, common{:}, 'loss', 'kl', 'alpha', 0.7, 'epochs', 5, ...
                    'schedule', 'cosine');
report_record ('quantized', small, Xt, Yt, started);
record_end (small, 'lenet300_4k.mat', 4, validating, Xt, Yt, started);
