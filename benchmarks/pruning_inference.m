% What a shrunk network gains in time: LeNet-5 of fewer units, beside its multiply-accumulates.
%
%   octave benchmarks/pruning_inference.m
%
% "products alone" are the matrix products of the unrolled sizes of all layers, the least that any
% arrangement by products can take: those of few rows run at a lower rate, so that they gain less
% than the multiply-accumulates say. Times are of the processor, the least of the rounds, in turn.

addpath (fullfile (fileparts (mfilename ('fullpath')), '..', 'octave_pkg', 'inst'));
rounds = 8;
batch = 256;
units = {[20 50 500], [15 38 375], [10 25 250], [9 18 65], [5 13 125]};
rand ('twister', 1);
x = rand (28, 28, 1, 4 * batch, 'single');
models = cell (size (units));
products = cell (size (units));
macs = zeros (size (units));
for k = 1:numel (units)
  u = units{k};
  models{k} = nn_new ('input', [28 28 1], 'conv2d', {u(1), 5}, 'maxpool', 2, 'conv2d', ...
                      {u(2), 5}, 'maxpool', 2, 'flatten', 'dense', u(3), 'relu', 'dense', 10);
  % rows, inner size and columns (of an image) of each product
  sizes = [u(1), 25, 576; u(2), 25 * u(1), 64; u(3), 16 * u(2), 1; 10, u(3), 1];
  macs(k) = sum (prod (sizes, 2));
  for s = sizes'
    products{k}(end + 1, :) = {rand(s(1), s(2), 'single'), rand(s(2), s(3) * batch, 'single')};
  end
end
time = Inf (2, numel (units));
for r = 1:rounds
  for k = 1:numel (units)
    started = cputime ();
    nn_predict (models{k}, x, 'batch_size', batch);
    time(1, k) = min (time(1, k), (cputime () - started) / 4);
    started = cputime ();
    for p = products{k}'
      p{1} * p{2};
    end
    time(2, k) = min (time(2, k), cputime () - started);
  end
end
fprintf ('| LeNet-5 of | MACs | ms, %d images | products alone | MACs, times | ', batch);
fprintf ('speed, times | products, times |\n| --- | --- | --- | --- | --- | --- | --- |\n');
for k = 1:numel (units)
  fprintf ('| %d-%d-%d-10 | %d | %.1f | %.1f | %.1f | %.1f | %.1f |\n', units{k}, macs(k), ...
           1e3 * time(:, k), macs(1) / macs(k), time(:, 1) ./ time(:, k));
end
