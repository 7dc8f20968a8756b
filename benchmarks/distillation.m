function distillation (part, folder)
%DISTILLATION  The figures of docs/distillation.md.
%
%   distillation ('hinton')    Hinton's experiment on MNIST: a large teacher, a student of 400 and
%                              400 units, with it and without it; three seeds
%   distillation ('small')     the same, a student of 30 units
%   distillation ('recovery')  LeNet-300-100 pruned to 95% per layer, brought back without labels
%   distillation ('nodata')    a network with batch normalisation, pruned and brought back without
%                              any data
%   distillation ('time')      a step of nn_distill with the teacher cached, beside one of nn_train
%   distillation (part, folder)
%
%   folder  keeps the teacher and its outputs between the runs (tempdir)
%
%   Run from this folder: octave-cli --eval "distillation ('hinton')". Nothing is chosen by the test
%   images: settings were tried on the last 10,000 of the training images, with students that learnt
%   from the first 50,000. So did the teacher; LeNet-300-100 has seen them all, and what brings it
%   back was tried on another network of its sizes that had not.

  if nargin < 2
    folder = tempdir ();
  end
  addpath (fullfile (fileparts (mfilename ('fullpath')), '..', 'octave_pkg', 'inst'));
  switch part
    case 'hinton'
      hinton (folder);
    case 'small'
      small (folder);
    case 'recovery'
      recovery ();
    case 'nodata'
      without_data ();
    case 'time'
      times ();
  end
end

function hinton (folder)
  data = transfer_set (folder);
  options = {'learning_rate', 1e-3, 'batch_size', 250, 'epochs'};
  student = @(seed) nn_new ('input', 784, 'dense', 400, 'relu', 'dense', 400, 'relu', ...
                            'dense', 10, 'seed', seed);
  compare ('784-400-400-10', student, 12, 3, data, options);
end

function small (folder)
  data = transfer_set (folder);
  options = {'learning_rate', 5e-3, 'epochs'};
  student = @(seed) nn_new ('input', 784, 'dense', 30, 'relu', 'dense', 10, 'seed', seed);
  compare ('784-30-10', student, 20, 20, data, options);
end

function data = transfer_set (folder)
  % Images that cost no labels are what distillation has more of than training: each image comes
  % four times, three of them shifted by up to a pixel. The teacher answers each once.
  [teacher, X, Y, Xt, Yt] = distillation_teacher (folder);
  rand ('twister', 1);
  shift = struct ('flip', 'none', 'shift', 1, 'crop', false, 'pixels', []);
  augment = @() octcompress.train.augment (X, [28 28 1], shift, true);
  copies = reshape (cat (4, X, augment (), augment (), augment ()), 784, []);
  % The teacher takes images, the students rows of pixels, in the same order.
  teacher.layers(1) = [];
  teacher.input_size = 784;
  data = struct ('teacher', teacher, 'X', reshape (X, 784, []), 'Y', Y, 'copies', copies, 'Xt', ...
                 reshape (Xt, 784, []), 'Yt', Yt, 'cache', ...
                 fullfile (folder, 'distillation_cache.mat'));
  data.large = wrong (teacher, data.Xt, data.Yt);
  fprintf ('teacher 784-1200-1200-10: %d of 10,000 wrong\n', data.large);
end

function compare (name, student, epochs, passes, data, options)
  % Epochs of the plain images alone, and passes of the four copies with the teacher.
  common = {'optimizer', 'adam', 'schedule', 'cosine', 'verbose', false, 'seed'};
  train = @(seed, X, Y, count) nn_train (student (seed), X, Y, common{:}, seed, options{:}, count);
  teach = @(seed, X, count, varargin) nn_distill (data.teacher, student (seed), X, [], ...
                                                  common{:}, seed, 'loss', 'kl', varargin{:}, ...
                                                  options{:}, count);
  errors_of = @(model) wrong (model, data.Xt, data.Yt);
  fprintf ('| student | seed | alone | with the teacher, no labels | share of the gap closed |\n');
  fprintf ('| --- | --- | --- | --- | --- |\n');
  errors = zeros (3, 2);
  for seed = 1:3
    errors(seed, 1) = errors_of (train (seed, data.X, data.Y, epochs));
    errors(seed, 2) = errors_of (teach (seed, data.copies, passes, 'cache', data.cache));
    row (name, sprintf ('%d', seed), errors(seed, :), data.large);
  end
  row (name, 'mean', mean (errors, 1), data.large);
  fprintf ('%s, seed 1, with the teacher on the plain images only: %d\n', name, ...
           errors_of (teach (1, data.X, 4 * passes)));
  fprintf ('%s, seed 1, alone on the shifted images too, with labels: %d\n', name, ...
           errors_of (train (1, data.copies, repmat (data.Y, 1, 4), passes)));
end

function row (name, seed, errors, large)
  fprintf ('| %s | %s | %.0f | %.0f | %.0f%% |\n', name, seed, errors, ...
           100 * (errors(1) - errors(2)) / (errors(1) - large));
  fflush (stdout ());
end

function count = wrong (model, X, Y)
  result = nn_evaluate (model, X, Y);
  count = result.count - result.correct;
end

function recovery ()
  [model, X, ~, Xt, Yt] = pruning_models ('lenet300', 60000);
  percent = @(m) 100 - wrong (m, Xt, Yt) / 100;
  pruned = nn_prune (model, 'sparsity', 0.95);
  rand ('twister', 1);
  copies = [X, between(X), between(X), between(X)];
  options = {'optimizer', 'adam', 'learning_rate', 5e-3, 'schedule', 'cosine', 'batch_size', ...
             500, 'temperature', 1, 'verbose', false, 'epochs'};
  fprintf ('| LeNet-300-100 | accuracy | weights left |\n| --- | --- | --- |\n');
  show = @(name, m) fprintf ('| %s | %.2f | %d |\n', name, percent (m), weights (m));
  show ('float', model);
  show ('pruned to 95% per layer', pruned);
  show ('its zeros kept', nn_distill (model, pruned, X, [], 'loss', 'kl', options{:}, 40));
  show ('its zeros kept, images and between', ...
        nn_distill (model, pruned, copies, [], 'loss', 'kl', options{:}, 10));
  % From the same weights, all of them free again and pruned to 95% per layer in the course.
  % nn_prune_train wants labels: with 'distill' 1 they count nothing, and are the teacher's own.
  for k = 1:numel (pruned.layers)
    if isfield (pruned.layers{k}, 'pruning')
      pruned.layers{k} = rmfield (pruned.layers{k}, 'pruning');
    end
  end
  [~, answers] = max (nn_predict (model, copies), [], 1);
  anew = @(count, epochs) nn_prune_train (pruned, copies(:, 1:count), answers(1:count), ...
                                          'teacher', model, 'distill', 1, 'sparsity', 0.95, ...
                                          'prune', {'scope', 'layer'}, options{:}, epochs);
  show ('zeros chosen anew', anew (size (X, 2), 40));
  show ('zeros chosen anew, images and between', anew (size (copies, 2), 10));
end

function x = between (X)
  % Each image on its way to itself moved by a pixel: up to 0.8 of it. The teacher has learnt from
  % images in their place, and still knows these.
  images = reshape (X, 28, 28, []);
  steps = [1 0; -1 0; 0 1; 0 -1; 1 1; 1 -1; -1 1; -1 -1];
  step = randi (8, 1, size (images, 3));
  moved = images;
  for k = 1:8
    moved(:, :, step == k) = circshift (images(:, :, step == k), [steps(k, :) 0]);
  end
  part = single (0.8 * rand (1, size (X, 2)));
  x = X .* (1 - part) + reshape (moved, size (X)) .* part;
end

function without_data ()
  data = fullfile (fileparts (mfilename ('fullpath')), '..', 'examples', 'data', 'mnist.mat');
  [X, Y] = nn_data (data, 'train');
  [Xt, Yt] = nn_data (data, 'test');
  model = nn_new ('input', 784, 'dense', 100, 'batchnorm', 'relu', 'dense', 100, 'batchnorm', ...
                  'relu', 'dense', 10, 'seed', 1);
  model = nn_train (model, X, Y, 'optimizer', 'adam', 'schedule', 'cosine', 'epochs', 6, ...
                    'verbose', false);
  pruned = nn_prune (model, 'sparsity', 0.9);
  percent = @(m) 100 - wrong (m, Xt, Yt) / 100;
  options = {'optimizer', 'adam', 'learning_rate', 1e-3, 'schedule', 'cosine', 'batch_size', 50, ...
             'epochs', 30, 'loss', 'kl', 'verbose', false};
  fprintf ('| 784-100-100-10 with batch norm | accuracy |\n| --- | --- |\n');
  fprintf ('| float | %.2f |\n| pruned to 90%% per layer | %.2f |\n', percent (model), ...
           percent (pruned));
  inputs = {'2,000 normal numbers', '2,000 drawn from the batch norms', '2,000 real images'};
  count = {'count', 2000};
  drawn = {octcompress.distill.draw_inputs(model, count{:}, 'steps', 0), ...
           octcompress.distill.draw_inputs(model, count{:}), X(:, 1:2000)};
  for k = 1:3
    back = nn_distill (model, pruned, drawn{k}, [], options{:});
    fprintf ('| taught on %s, no labels | %.2f |\n', inputs{k}, percent (back));
  end
end

function count = weights (model)
  count = 0;
  for k = 1:numel (model.layers)
    if isfield (model.layers{k}, 'weights')
      count = count + nnz (model.layers{k}.weights);
    end
  end
end

function times ()
  % In time of the processor, the four in turn; of the rounds the median, of times and of ratios.
  rand ('twister', 1);
  X = rand (784, 3840, 'single');
  Y = ceil (10 * rand (1, 3840));
  teacher = nn_new ('input', 784, 'dense', 1200, 'relu', 'dense', 10);
  fprintf ('| student | nn_train, ms a step | mse | kl | kl and labels | times nn_train |\n');
  fprintf ('| --- | --- | --- | --- | --- | --- |\n');
  for hidden = {[300 100], [800 800]}
    parts = {'input', 784};
    for n = hidden{1}
      parts = [parts, {'dense', n, 'relu'}]; %#ok<AGROW>
    end
    student = nn_new (parts{:}, 'dense', 10);
    o = {'optimizer', 'adam', 'verbose', false, 'epochs'};
    runs = {@(epochs) nn_train(student, X, Y, o{:}, epochs), ...
            @(epochs) nn_distill(teacher, student, X, [], o{:}, epochs), ...
            @(epochs) nn_distill(teacher, student, X, [], o{:}, epochs, 'loss', 'kl'), ...
            @(epochs) nn_distill(teacher, student, X, Y, o{:}, epochs, 'loss', 'kl')};
    seconds = zeros (5, 4);
    for round = 1:5
      for k = 1:4
        started = cputime ();
        runs{k} (0);   % all that is done once, such as the teacher's outputs
        once = cputime () - started;
        runs{k} (4);
        seconds(round, k) = cputime () - started - 2 * once;
      end
    end
    ratios = median (seconds(:, 2:4) ./ seconds(:, 1), 1);
    seconds = 1000 * median (seconds, 1) / (4 * 30);
    fprintf ('| 784%s-10 | %.2f | %.2f | %.2f | %.2f | %.2f, %.2f, %.2f |\n', ...
             sprintf ('-%d', hidden{1}), seconds, ratios);
    fflush (stdout ());
  end
end
