function [teacher, X, Y, Xt, Yt] = distillation_teacher (folder)
%DISTILLATION_TEACHER  Hinton's teacher on MNIST, and the data, for benchmarks/distillation.m.
%
%   [teacher, X, Y, Xt, Yt] = distillation_teacher (folder)
%
%   folder  where the trained teacher is kept, so that the parts of the benchmark share it
%
%   784-1200-1200-10 with dropout, on images shifted by up to two pixels, as in Hinton et al., 2015.
%   X is 28 x 28 x 1 x 60000. The teacher learns from the first 50,000, so that the others can judge
%   the settings of students; nothing is chosen by the test images Xt, Yt.

  root = fileparts (fileparts (mfilename ('fullpath')));
  addpath (fullfile (root, 'octave_pkg', 'inst'));
  data = fullfile (root, 'examples', 'data', 'mnist.mat');
  [X, Y] = nn_data (data, 'train', 'input_size', [28 28 1]);
  [Xt, Yt] = nn_data (data, 'test', 'input_size', [28 28 1]);
  file = fullfile (folder, 'distillation_teacher.mat');
  if isfile (file)
    teacher = nn_load (file);
    return
  end
  teacher = nn_new ('input', [28 28 1], 'flatten', 'dense', 1200, 'relu', 'dropout', 0.5, ...
                    'dense', 1200, 'relu', 'dropout', 0.5, 'dense', 10, 'seed', 1);
  options = {'optimizer', 'adam', 'schedule', 'cosine', 'batch_size', 512, 'augmentation', ...
             {'shift', 2}};
  learn = @(teacher, varargin) nn_train (teacher, X(:, :, :, 1:50000), Y(1:50000), options{:}, ...
                                         varargin{:});
  teacher = learn (teacher, 'learning_rate', 2e-3, 'epochs', 15);
  % At the end without dropout: that makes up for the few epochs.
  teacher.layers(strcmp (cellfun (@(layer) layer.type, teacher.layers, 'UniformOutput', false), ...
                         'dropout')) = [];
  teacher = learn (teacher, 'learning_rate', 1e-3, 'epochs', 8);
  nn_save (file, teacher);
end
