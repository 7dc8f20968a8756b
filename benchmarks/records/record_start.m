function [model, X, Y, Xt, Yt, validating] = record_start (name, given)
%RECORD_START  The trained network of a record, and the images.
%
%   [model, X, Y, Xt, Yt, validating] = record_start (name, given)
%
%   name     'lenet300' or 'lenet5', of examples/models
%   given    cell, the arguments of the script; with 'validate' among them Xt and Yt are the last
%            10,000 training images, and X and Y are made of the others
%   X, Y     the training images five times, 28 x 28 x 1 x N: as they are, and moved by a pixel to
%            each side. A teacher answers each of them once, before training, which costs less than
%            images moved anew in each batch

  examples = fullfile (fileparts (mfilename ('fullpath')), '..', '..', 'examples');
  addpath (fullfile (examples, '..', 'octave_pkg', 'inst'));
  model = nn_load (fullfile (examples, 'models', [name '.mat']));
  data = fullfile (examples, 'data', 'mnist.mat');
  [X, Y] = nn_data (data, 'train', 'input_size', [28 28 1]);
  [Xt, Yt] = nn_data (data, 'test', 'input_size', [28 28 1]);
  validating = any (strcmp (given, 'validate'));
  if validating
    Xt = X(:, :, :, 50001:end);
    Yt = Y(50001:end);
    X = X(:, :, :, 1:50000);
    Y = Y(1:50000);
  end
  up = X([2:28 28], :, :, :);
  down = X([1 1:27], :, :, :);
  left = X(:, [2:28 28], :, :);
  right = X(:, [1 1:27], :, :);
  X = cat (4, X, up, down, left, right);
  Y = repmat (Y, 1, 5);
end
