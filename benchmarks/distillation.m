function distillation (part, folder)
%DISTILLATION  The figures of docs/distillation.md.
%
%   distillation ('hinton')    Hinton's experiment on MNIST: a large teacher, a small student, with
%                              and without it; three seeds
%   distillation ('small')     the same with a student of 30 hidden units
%   distillation ('recovery')  LeNet-300-100 pruned to 95% per layer, brought back without labels
%   distillation ('nodata')    a network with batch normalisation, pruned and brought back without
%                              any data
%   distillation ('time')      a step of nn_distill with the teacher cached, beside one of nn_train
%   distillation (part, folder)
%
%   folder  keeps the teacher and its outputs between the parts (tempdir)
%
%   Run from this folder: octave-cli --eval "distillation ('small')". Nothing is chosen by the test
%   images: the temperatures are those that Hinton et al., 2015, found best, 8 where layers have 300
%   or more units and 2.5 to 4 where they have 30.

  if nargin < 2
    folder = tempdir ();
  end
  switch part
    case 'hinton'
      compare ([300 100], 8, 256, 10, folder);
    case 'small'
      compare (30, 4, 128, 30, folder);
    case 'recovery'
      recovery ();
    case 'nodata'
      without_data ();
    case 'time'
      times ();
  end
end

function compare (hidden, temperature, batch_size, epochs, folder)
  [teacher, X, Y, Xt, Yt] = distillation_teacher (folder);
  % The teacher takes images, the student rows of pixels, in the same order.
  X = reshape (X, 784, []);
  Xt = reshape (Xt, 784, []);
  teacher.layers(1) = [];
  teacher.input_size = 784;
  large = wrong (teacher, Xt, Yt);
  fprintf ('teacher 784-1200-1200-10: %d of 10,000 wrong\n', large);
  parts = {'input', 784};
  for n = hidden
    parts = [parts, {'dense', n, 'relu'}]; %#ok<AGROW>
  end
  options = {'optimizer', 'adam', 'learning_rate', 2e-3, 'schedule', 'cosine', 'batch_size', ...
             batch_size, 'epochs', epochs, 'verbose', false};
  fprintf ('student 784%s-10, %d epochs\n', sprintf ('-%d', hidden), epochs);
  fprintf ('| seed | alone | with the teacher, no labels | share of the gap closed |\n');
  fprintf ('| --- | --- | --- | --- |\n');
  errors = zeros (3, 2);
  for seed = 1:3
    student = nn_new (parts{:}, 'dense', 10, 'seed', seed);
    alone = nn_train (student, X, Y, options{:}, 'seed', seed);
    taught = nn_distill (teacher, student, X, options{:}, 'seed', seed, 'loss', 'kl', ...
                         'temperature', temperature, 'cache', ...
                         fullfile (folder, 'distillation_cache.mat'));
    errors(seed, :) = [wrong(alone, Xt, Yt), wrong(taught, Xt, Yt)];
    row (sprintf ('%d', seed), errors(seed, :), large);
  end
  row ('mean', mean (errors, 1), large);
end

function row (name, errors, large)
  fprintf ('| %s | %.0f | %.0f | %.0f%% |\n', name, errors, ...
           100 * (errors(1) - errors(2)) / (errors(1) - large));
  fflush (stdout);
end

function count = wrong (model, X, Y)
  result = nn_evaluate (model, X, Y);
  count = result.count - result.correct;
end

function recovery ()
  [model, X, ~, Xt, Yt] = pruning_models ('lenet300', 60000);
  percent = @(m) 100 - wrong (m, Xt, Yt) / 100;
  pruned = nn_prune (model, 'sparsity', 0.95);
  options = {'optimizer', 'adam', 'learning_rate', 3e-3, 'schedule', 'cosine', ...
             'batch_size', 128, 'epochs', 20, 'verbose', false};
  fprintf ('| LeNet-300-100 | accuracy | weights left |\n| --- | --- | --- |\n');
  fprintf ('| float | %.2f | %d |\n', percent (model), weights (model));
  fprintf ('| pruned to 95%% per layer | %.2f | %d |\n', percent (pruned), weights (pruned));
  for loss = {'kl'}
    back = nn_distill (model, pruned, X, [], options{:}, 'loss', loss{1});
    fprintf ('| taught by the float network, no labels, %s | %.2f | %d |\n', loss{1}, ...
             percent (back), weights (back));
  end
end

function without_data ()
  addpath (fullfile (fileparts (mfilename ('fullpath')), '..', 'octave_pkg', 'inst'));
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
  rand ('twister', 1);
  X = rand (784, 6000, 'single');
  Y = ceil (10 * rand (1, 6000));
  options = {'optimizer', 'adam', 'verbose', false, 'epochs', 2};
  fprintf ('| student | nn_train, ms a step | mse | kl | kl and labels | times nn_train |\n');
  fprintf ('| --- | --- | --- | --- | --- | --- |\n');
  for hidden = {[300 100], [800 800]}
    parts = {'input', 784};
    for n = hidden{1}
      parts = [parts, {'dense', n, 'relu'}]; %#ok<AGROW>
    end
    teacher = nn_new ('input', 784, 'dense', 1200, 'relu', 'dense', 10);
    student = nn_new (parts{:}, 'dense', 10);
    runs = {@() nn_train(student, X, Y, options{:}), ...
            @() nn_distill(teacher, student, X, [], options{:}), ...
            @() nn_distill(teacher, student, X, [], options{:}, 'loss', 'kl'), ...
            @() nn_distill(teacher, student, X, Y, options{:}, 'loss', 'kl')};
    seconds = Inf (1, 4);
    for round = 1:7
      for k = 1:4
        [~, info] = runs{k} ();
        seconds(k) = min (seconds(k), info.history.seconds(2));
      end
    end
    seconds = 1000 * seconds / ceil (6000 / 128);
    fprintf ('| 784%s-10 | %.2f | %.2f | %.2f | %.2f | %.2f, %.2f, %.2f |\n', ...
             sprintf ('-%d', hidden{1}), seconds, seconds(2:4) / seconds(1));
  end
end
