function [model, teacher, X, Y, Xt, Yt, validating] = record_start (name, given, copies)
%RECORD_START  The trained network of a record, its teacher, and the images.
%
%   [model, teacher, X, Y, Xt, Yt, validating] = record_start (name, given, copies)
%
%   name     'lenet300' or 'lenet5', of examples/models
%   given    cell, the arguments of the script; with a second one, 'validate', Xt and Yt are the
%            last 10,000 training images, and X and Y are made of the others
%   copies   true: X and Y hold the training images five times, as they are and moved by a pixel
%            to each side. A teacher answers each of them once, before training, which for a large
%            one costs less than images moved anew in each batch
%   teacher  LeNet-5; beside LeNet-300-100 it reads features too

  examples = fullfile (fileparts (mfilename ('fullpath')), '..', '..', 'examples');
  addpath (fullfile (examples, '..', 'octave_pkg', 'inst'));
  model = nn_load (fullfile (examples, 'models', [name '.mat']));
  data = fullfile (examples, 'data', 'mnist.mat');
  [X, Y] = nn_data (data, 'train', 'input_size', [28 28 1]);
  [Xt, Yt] = nn_data (data, 'test', 'input_size', [28 28 1]);
  validating = numel (given) > 1;
  if validating
    Xt = X(:, :, :, 50001:end);
    Yt = Y(50001:end);
    X = X(:, :, :, 1:50000);
    Y = Y(1:50000);
  end
  if copies
    up = X([2:28 28], :, :, :);
    down = X([1 1:27], :, :, :);
    left = X(:, [2:28 28], :, :);
    right = X(:, [1 1:27], :, :);
    X = cat (4, X, up, down, left, right);
    Y = repmat (Y, 1, 5);
  end
  teacher = nn_load (fullfile (examples, 'models', 'lenet5.mat'));
  if isscalar (model.input_size)
    features = @(x) reshape (permute (x, [2 1 3 4]), 784, []);   % row by row
    X = features (X);
    Xt = features (Xt);
    teacher.input_size = 784;
    image = struct ('type', 'reshape', 'output_size', [28 28 1], 'order', 'chw');
    teacher.layers = [{image}, teacher.layers(:)'];
  end
end
