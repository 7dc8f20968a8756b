function [model, X, Y, Xt, Yt] = pruning_models (name, limit)
%PRUNING_MODELS  The networks and the data of the pruning benchmarks.
%
%   [model, X, Y, Xt, Yt] = pruning_models (name, limit)
%
%   name   'lenet300' or 'lenet5', of ../shared/models beside the repository; or that of a file
%   limit  number of training images
%
%   X, Y are MNIST's training images, Xt, Yt its 10,000 test images (examples/data/mnist.mat).

  root = fileparts (fileparts (mfilename ('fullpath')));
  addpath (fullfile (root, 'octave_pkg', 'inst'));
  data = fullfile (root, 'examples', 'data', 'mnist.mat');
  file = fullfile (root, '..', 'shared', 'models', [name '.mat']);
  if ~exist (file, 'file')
    error ('pruning_models:noFile', 'pruning_models: there is no %s; these benchmarks need it', ...
           file);
  end
  m = load (file);
  dense = @(name) struct ('type', 'dense', 'name', name, 'weights', m.([name '_weight']), ...
                          'bias', reshape (m.([name '_bias']), [], 1));
  relu = struct ('type', 'relu');
  size_of = {};
  if strcmp (name, 'lenet300')
    model.layers = {dense('fc1'), relu, dense('fc2'), relu, dense('fc3')};
  else
    conv = @(name) struct ('type', 'conv2d', 'name', name, 'weights', ...
                           permute (m.([name '_weight']), [3 4 2 1]), ...
                           'weights_size', [5 5 size(m.([name '_weight']), ...
                                                     2) size(m.([name '_weight']), 1)], ...
                           'bias', reshape (m.([name '_bias']), [], 1));
    pool = struct ('type', 'maxpool', 'pool_size', 2);
    model.input_size = [28 28 1];
    model.layers = {conv('conv1'), pool, conv('conv2'), pool, ...
                    struct('type', 'flatten', 'order', 'chw'), ...
                    dense('fc1'), relu, dense('fc2')};
    size_of = {'input_size', [28 28 1]};
  end
  model = octcompress.model.tidy ('pruning_models', model);
  [X, Y] = nn_data (data, 'train', 'limit', limit, size_of{:});
  [Xt, Yt] = nn_data (data, 'test', size_of{:});
end
