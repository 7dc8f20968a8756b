% Load a network, quantize its weights and activations to 8 bits, save it.
%
%   octave examples/quantize_network.m

here = fileparts (mfilename ('fullpath'));
addpath (fullfile (here, '..', 'octave_pkg', 'inst'));

model = nn_load (fullfile (here, 'models', 'lenet300.mat'));
data = fullfile (here, 'data', 'mnist.mat');
calibration = nn_data (data, 'train', 'limit', 1000);
[X, Y] = nn_data (data, 'test');

[quantized, info] = nn_quantize (model, 8, 'data', calibration);

before = nn_evaluate (model, X, Y);
after = nn_evaluate (quantized, X, Y);
file = fullfile (tempdir (), 'lenet300_int8.mat');
float = nn_save (file, model, 'compress', true);
saved = nn_save (file, quantized, 'compress', true);

for k = 1:numel (info.layers)
  fprintf ('%s: %d distinct codes, largest error %.4f\n', info.layers{k}.tensor, ...
           info.layers{k}.levels, info.layers{k}.max_error);
end
fprintf ('test error:    %.2f%% -> %.2f%%\n', 100 * before.error, 100 * after.error);
fprintf ('bytes on disk: %d -> %d\n', float.bytes, saved.bytes);
fprintf ('saved as %s\n', file);
