function [worst, info] = check_gradient (model, x, y, varargin)
%CHECK_GRADIENT  Hold a network's gradients against central differences, in double.
%
%   worst = octcompress.train.check_gradient (model, X)
%   worst = octcompress.train.check_gradient (model, X, Y)
%   [worst, info] = octcompress.train.check_gradient (model, X, Y, 'samples', 20, ...)
%
%   model  a network with one output
%   X, Y   a few observations, as nn_train takes them; without Y, or with [], the loss is a sum of
%          the outputs times fixed random numbers
%   worst  the largest relative error of all; below 1e-6 the gradients are right
%   info   struct: options, rows (cell of structs with layer, field and error; the layer 'input' is
%          the gradient by X)
%
%   The relative error of an array is the largest difference between gradient and central
%   difference over the samples, divided by the largest of both, or by 1e-4 times the largest
%   gradient of the network where all samples of the array are smaller than that.
%
%   The network computes as in training: batch normalisation by the batch, dropout with the same
%   random numbers each time. Grids are left out, for a step function has no useful
%   derivative. Where an input of relu or max pooling lies within the step of its kink, the central
%   difference is wrong, not the gradient: other observations or a smaller step tell.
%
%   Options, as name-value pairs or a struct:
%     loss ('crossentropy')   with Y: as in nn_train
%     samples (20)            entries of each array that are tried; Inf: all
%     step (1e-5)             of the central differences
%     seed (0)
%
%   Errors: octcompress:check_gradient:badInput, :badLabels, :badTarget, :badValue, :unknownOption,
%   ...
%
%   Example:
%     worst = octcompress.train.check_gradient (nn_load ('lenet300.mat'), rand (784, 3), [1 5 2])
%
%   See also nn_train, octcompress.model.backward.

  if nargin < 3
    y = [];
  end
  defaults = struct ('loss', 'crossentropy', 'samples', 20, 'step', 1e-5, 'seed', 0);
  options = octcompress.internal.parse_options ('check_gradient', defaults, varargin);
  octcompress.internal.check ('check_gradient', 'loss', options.loss, 'choice', ...
                              {'crossentropy', 'binary_crossentropy', 'mse', 'mae', 'huber'});
  if ~isequal (options.samples, Inf)
    octcompress.internal.check ('check_gradient', 'samples', options.samples, 'integer', [1 1e9]);
  end
  octcompress.internal.check ('check_gradient', 'step', options.step, 'number', [1e-12 1]);
  octcompress.internal.check ('check_gradient', 'seed', options.seed, 'integer', [0 2^32 - 1]);
  model = plain_double (octcompress.model.tidy ('check_gradient', model));
  dropped = {};
  if ~isempty (y) && strcmp (options.loss, 'crossentropy')
    dropped = {'softmax', 'logsoftmax'};
  elseif ~isempty (y) && strcmp (options.loss, 'binary_crossentropy')
    dropped = {'sigmoid'};
  end
  plan = octcompress.train.cut ('check_gradient', model, dropped);
  wanted = struct ('loss', options.loss, 'augmentation', [], 'label_smoothing', 0, ...
                   'class_weights', [], ...
                   'huber_delta', 1);
  source = octcompress.train.data_source ('check_gradient', model, plan, x, y, wanted, {'X', 'Y'});
  batch = double (octcompress.train.batch (double (source.x), model, 1:source.count, [], true));
  layers = model.layers(1:numel (plan.run));

  before = octcompress.train.random ('seed', options.seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  run = struct ('plan', plan, 'loss', source.loss, 'count', source.count, 'seed', options.seed, ...
                'weights', []);
  if isempty (y)
    outputs = octcompress.model.forward (plan, layers, batch, true);
    run.weights = 2 * octcompress.train.random ('uniform', size (outputs{1})) - 1;
  end

  [~, dy, trace] = value_of (run, layers, batch);
  [gradients, dx] = octcompress.model.backward (plan, layers, trace, dy, true);
  places = octcompress.train.parameters (model, plan);
  found = cell (1, numel (places) + 1);
  octcompress.train.random ('seed', options.seed);
  for p = 1:numel (places)
    k = places{p}.layer;
    field = places{p}.field;
    gradient = reshape (gradients{k}.(field), size (layers{k}.(field)));
    set = @(w) [layers(1:k-1), {setfield(layers{k}, field, w)}, layers(k+1:end)];
    found{p} = compare (@(w) value_of (run, set (w), batch), layers{k}.(field), gradient, options);
    found{p}.layer = layers{k}.name;
    found{p}.field = field;
  end
  found{end} = compare (@(x) value_of (run, layers, x), batch, dx, options);
  found{end}.layer = 'input';
  found{end}.field = 'x';

  largest = max (cellfun (@(row) row.largest, found));
  for p = 1:numel (found)
    found{p}.error = found{p}.difference / max ([found{p}.largest, 1e-4 * largest, realmin]);
    found{p} = rmfield (found{p}, {'difference', 'largest'});
  end
  worst = max (cellfun (@(row) row.error, found));
  info = struct ('options', options, 'rows', {found});
end

function model = plain_double (model)
  if isfield (model, 'quantization')
    model = rmfield (model, 'quantization');
  end
  for k = 1:numel (model.layers)
    layer = model.layers{k};
    for promise = {'quantization', 'pruning'}
      if isfield (layer, promise{1})
        layer = rmfield (layer, promise{1});
      end
    end
    names = fieldnames (layer);
    for i = 1:numel (names)
      if isfloat (layer.(names{i}))
        layer.(names{i}) = double (layer.(names{i}));
      end
    end
    model.layers{k} = layer;
  end
end

function [value, dy, trace] = value_of (run, layers, batch)
  before = octcompress.train.random ('seed', run.seed);
  [outputs, trace] = octcompress.model.forward (run.plan, layers, batch, true);
  octcompress.train.random ('restore', before);
  if isempty (run.weights)
    [value, dy] = run.loss (outputs, 1:run.count, batch);
  else
    value = sum (outputs{1}(:) .* run.weights(:));
    dy = {run.weights};
  end
end

function row = compare (f, w, gradient, options)
  tried = octcompress.train.random ('order', numel (w));
  tried = tried(1:min (options.samples, numel (w)));
  numeric = zeros (size (tried));
  for i = 1:numel (tried)
    moved = w;
    moved(tried(i)) = w(tried(i)) + options.step;
    above = f (moved);
    moved(tried(i)) = w(tried(i)) - options.step;
    numeric(i) = (above - f (moved)) / (2 * options.step);
  end
  given = reshape (gradient(tried), size (numeric));
  row = struct ('difference', max ([0, abs(numeric - given)]), 'largest', ...
                max ([0, abs(numeric), abs(given)]));
end

%!shared model, X
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', ...
%!                        single (reshape (sin (1:12), 4, 3)), 'bias', ...
%!                        single ([0.3; -0.1; 0.2; 0])), ...
%!                 struct('type', 'tanh', 'name', 't'), ...
%!                 struct('type', 'dropout', 'name', 'd', 'rate', 0.3), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', ...
%!                        single (reshape (cos (1:8), 2, 4))), ...
%!                 struct('type', 'softmax', 'name', 's')};
%! X = reshape (sin ((1:15) * 1.3), 3, 5);
%!test % every loss
%! assert (octcompress.train.check_gradient (model, X, [1 2 2 1 1]) < 1e-6);
%! for loss = {'mse', 'huber', 'mae'}
%!   assert (octcompress.train.check_gradient (model, X, reshape (cos (1:10), 2, 5), 'loss', ...
%!                                             loss{1}) < 1e-6, loss{1});
%! end
%! model.layers{5}.type = 'sigmoid';
%! assert (octcompress.train.check_gradient (model, X, [1 0 1 1 0; 0 0 1 1 1], 'loss', ...
%!                                           'binary_crossentropy') < 1e-6);
%! model.layers{5}.type = 'softmax';
%!test % without labels, with grids, all entries; a row for every array
%! q = nn_quantize (model, 2, 'data', X);
%! [worst, info] = octcompress.train.check_gradient (q, X, [], 'samples', Inf);
%! assert (worst < 1e-6);
%! assert (cellfun (@(row) [row.layer '.' row.field], info.rows, 'UniformOutput', false), ...
%!         {'a.weights', 'a.bias', 'b.weights', 'input.x'});
%! assert (worst, max (cellfun (@(row) row.error, info.rows)));
%!test % the generator is left as it was
%! state = octcompress.train.random ('state');
%! octcompress.train.check_gradient (model, X);
%! assert (octcompress.train.random ('state'), state);
%!test % at a kink the differences are wrong: the check does see faults
%! kink = struct ('layers', {{struct('type', 'dense', 'weights', [1 -1]), struct('type', 'relu')}});
%! assert (octcompress.train.check_gradient (kink, [1 2; 1 1]) > 0.1);
%!test % the network that the examples use
%! file = fullfile (fileparts (which ('nn_train')), '..', '..', 'examples', 'models', ...
%!                  'lenet300.mat');
%! if isfile (file)
%!   assert (octcompress.train.check_gradient (nn_load (file), ...
%!         reshape (abs (sin (1:784*3)), 784, 3), [1 5 2], 'samples', 5) < 1e-6);
%! end
%!error <check_gradient: there is no option 'sample'; the options are loss, samples> octcompress.train.check_gradient (model, X, [], 'sample', 3)
%!error <check_gradient: Y must hold class numbers from 1 to 2, but element 1 is 3> octcompress.train.check_gradient (model, X, [3 1 1 1 1])
