% Load a large and a small network, let the small one learn the large one's outputs (MSE), save it.
%
%   octave examples/distill_network.m

here = fileparts (mfilename ('fullpath'));
addpath (fullfile (here, '..', 'octave_pkg', 'inst'));

teacher = nn_load (fullfile (here, 'models', 'lenet300.mat'));
student = nn_load (fullfile (here, 'models', 'small30.mat'));
data = fullfile (here, 'data', 'mnist.mat');
X = nn_data (data, 'train');
[Xt, Yt] = nn_data (data, 'test');

% No labels: the teacher's outputs are all the student sees.
distilled = nn_distill (teacher, student, X, [], 'loss', 'mse', 'epochs', 5, 'optimizer', ...
                        'adam', ...
                        'learning_rate', 0.002, 'schedule', 'cosine');

file = fullfile (tempdir (), 'small30_distilled.mat');
saved = nn_save (file, distilled);
large = nn_evaluate (teacher, Xt, Yt);
before = nn_evaluate (student, Xt, Yt);
after = nn_evaluate (distilled, Xt, Yt);
fprintf ('test error: teacher %.2f%%, student before %.2f%%, after %.2f%%\n', ...
         100 * large.error, 100 * before.error, 100 * after.error);
fprintf ('saved as %s (%d bytes)\n', file, saved.bytes);
