% Train the networks that the other examples start from, on MNIST: LeNet-300-100 and a small
% 784-30-10.
%
%   octave examples/train_lenet300.m
%
% The learning rate and the weight decay were chosen by the error on 5,000 images held back from the
% training set ('validation', 1/12); the networks themselves are trained on all 60,000. The test set
% is looked at once, at the end. The same seed gives the same files on the same machine and
% libraries.

here = fileparts (mfilename ('fullpath'));
addpath (fullfile (here, '..', 'octave_pkg', 'inst'));
data = fullfile (here, 'data', 'mnist.mat');
[X, Y] = nn_data (data, 'train');
[Xt, Yt] = nn_data (data, 'test');

names = {'lenet300', 'small30'};
widths = {[784 300 100 10], [784 30 10]};
epochs = [25 10];
for n = 1:2
  before = octcompress.train.random ('seed', 0);
  layers = {};
  count = numel (widths{n}) - 1;
  for k = 1:count
    kind = 'he';
    if k == count
      kind = 'glorot';
    end
    in = widths{n}(k);
    out = widths{n}(k + 1);
    layers{end + 1} = struct ('type', 'dense', 'name', sprintf ('fc%d', k), ...
                              'weights', octcompress.train.initial_weights ([out in], kind), ...
                              'bias', zeros (out, 1, 'single')); %#ok<SAGROW>
    if k < count
      layers{end + 1} = struct ('type', 'relu', 'name', sprintf ('relu%d', k)); %#ok<SAGROW>
    end
  end
  layers{end + 1} = struct ('type', 'softmax', 'name', 'softmax'); %#ok<SAGROW>
  octcompress.train.random ('restore', before);

  model = struct ('layers', {layers}, 'input_size', 784, ...
                  'classes', {arrayfun(@(digit) sprintf ('%d', digit), 0:9, 'UniformOutput', ...
                                       false)}, ...
                  'meta', struct ('data', 'MNIST, pixels 0 to 1, along the lines of the image', ...
                                  'script', 'examples/train_lenet300.m'));
  [model, info] = nn_train (model, X, Y, 'learning_rate', 0.1, 'schedule', 'cosine', ...
                            'weight_decay', 2e-4, ...
                            'epochs', epochs(n), 'seed', 0);
  result = nn_evaluate (model, Xt, Yt);
  saved = nn_save (fullfile (here, 'models', [names{n} '.mat']), model);
  fprintf ('%s: test error %.2f%%, %d bytes, %.1f seconds an epoch\n', names{n}, ...
           100 * result.error, ...
           saved.bytes, median (info.history.seconds));
end
