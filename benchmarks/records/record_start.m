function [model, X, Y, Xt, Yt, validating] = record_start (name, input_size, given)
%RECORD_START  The trained network of a record, and the images.
%
%   [model, X, Y, Xt, Yt, validating] = record_start (name, input_size, given)
%
%   name        'lenet300' or 'lenet5', of examples/models
%   input_size  [] or [28 28 1]
%   given       cell, the arguments of the script; with a second one, 'validate', Xt and Yt are the
%               last 10,000 training images, and X and Y the others

  examples = fullfile (fileparts (mfilename ('fullpath')), '..', '..', 'examples');
  addpath (fullfile (examples, '..', 'octave_pkg', 'inst'));
  model = nn_load (fullfile (examples, 'models', [name '.mat']));
  data = fullfile (examples, 'data', 'mnist.mat');
  [X, Y] = nn_data (data, 'train', 'input_size', input_size);
  [Xt, Yt] = nn_data (data, 'test', 'input_size', input_size);
  validating = numel (given) > 1;
  if validating
    all_of = repmat ({':'}, 1, ndims (X) - 1);
    Xt = X(all_of{:}, 50001:60000);
    Yt = Y(50001:end);
    X = X(all_of{:}, 1:50000);
    Y = Y(1:50000);
  end
end
