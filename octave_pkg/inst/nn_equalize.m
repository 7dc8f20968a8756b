function [model, info] = nn_equalize (model, varargin)
%NN_EQUALIZE  Rescale channels between layers so that the weights quantize better.
%
%   [model, info] = nn_equalize (model)
%   [model, info] = nn_equalize (model, ...)
%
%   model  a network (docs/model-format.md); fold batch normalisations first (nn_fold)
%
%   Options, as name-value pairs or a struct:
%     method ('weights')  'weights': cross-layer equalization [1]; 'activations': the range of
%                         activations moves into the weights that read them [2]
%     data ([])           for 'activations': calibration inputs, as nn_predict takes them
%     alpha (0.5)         for 'activations': 0 leaves them, 1 takes all of their range
%     iterations (20)     for 'weights': passes over all pairs, at most
%     batch_size (256)    observations at a time
%
%   A pair is a dense or conv2d layer and the one that alone reads it, through relu, leakyrelu,
%   pooling, flatten, dropout or identity, all of which commute with a positive factor. Channel c
%   of the first is divided by s(c), and what the second reads of it multiplied:
%     'weights'      s = sqrt (r1 / r2), r1 and r2 the greatest weights of channel c in the two
%     'activations'  s = rx^alpha / r2^(1 - alpha), rx the greatest activation of channel c
%   Predictions stay the same up to rounding, zeros of pruning stay zeros. A granularity 'channel'
%   of nn_quantize already serves the first layer of a pair; equalization serves the second, and
%   the activations, and granularity 'tensor'.
%
%   info.options  the options as merged with the defaults
%   info.pairs    cell of structs: first, second (names), greatest and least factor
%
%   Errors: octcompress:nn_equalize:notModel, :badValue, :unknownOption, :badInput, :quantized.
%
%   [1] Nagel et al., Data-free quantization through weight equalization and bias correction,
%       ICCV 2019, arXiv:1906.04721.
%   [2] Xiao et al., SmoothQuant, ICML 2023, arXiv:2211.10438.
%
%   See also nn_fold, nn_quantize.

  caller = 'nn_equalize';
  defaults = struct ('method', 'weights', 'data', [], 'alpha', 0.5, 'iterations', 20, ...
                     'batch_size', 256);
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  octcompress.internal.check (caller, 'method', options.method, 'choice', ...
                              {'weights', 'activations'});
  octcompress.internal.check (caller, 'alpha', options.alpha, 'number', [0 1]);
  octcompress.internal.check (caller, 'iterations', options.iterations, 'integer', [1 Inf]);
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  model = octcompress.model.tidy (caller, model);
  plan = octcompress.model.plan (caller, model);
  smooth = strcmp (options.method, 'activations');
  if smooth && isequal (options.data, [])
    octcompress.internal.fail (caller, 'badValue', ...
                               'METHOD ''activations'' needs DATA: calibration inputs');
  end
  pairs = find_pairs (model, plan);
  ranges = {};
  if smooth
    ranges = activation_ranges (caller, model, plan, pairs, options);
  end
  total = cellfun (@(pair) ones (numel (unique (pair.channel)), 1), pairs, 'UniformOutput', false);
  passes = options.iterations;
  if smooth
    passes = 1;
  end
  for pass = 1:passes
    largest = 1;
    for p = 1:numel (pairs)
      pair = pairs{p};
      read = channel_maximum (input_ranges (model.layers{pair.second}), pair.channel);
      if smooth
        s = ranges{p} .^ options.alpha ./ read .^ (1 - options.alpha);
      else
        s = sqrt (output_ranges (model.layers{pair.first}) ./ read);
      end
      s(~isfinite (s) | s <= 0) = 1;   % a channel that is dead on either side
      model.layers{pair.first} = scale_outputs (model.layers{pair.first}, 1 ./ s);
      model.layers{pair.second} = scale_inputs (model.layers{pair.second}, s(pair.channel));
      total{p} = total{p} .* s;
      largest = max ([largest; s; 1 ./ s]);
    end
    if largest < 1.001
      break
    end
  end
  info = struct ('options', options, 'pairs', {cell(1, numel (pairs))});
  for p = 1:numel (pairs)
    info.pairs{p} = struct ('first', model.layers{pairs{p}.first}.name, 'second', ...
                            model.layers{pairs{p}.second}.name, ...
                            'greatest', max (total{p}), 'least', min (total{p}));
  end
end

function pairs = find_pairs (model, plan)
  passing = {'relu', 'leakyrelu', 'maxpool', 'averagepool', 'globalmaxpool', ...
             'globalaveragepool', ...
             'flatten', 'dropout', 'identity'};
  count = numel (model.layers);
  reader = zeros (1, count);
  readers = zeros (1, count);
  for k = 1:count
    for source = plan.inputs{k}(plan.inputs{k} > 0)
      reader(source) = k;
      readers(source) = readers(source) + 1;
    end
  end
  pairs = {};
  for first = 1:count
    if ~is_weighted (model.layers{first})
      continue
    end
    k = first;
    through = [];
    while readers(k) == 1 && ~any (plan.outputs == k) ...
          && any (strcmp (model.layers{reader(k)}.type, passing))
      k = reader(k);
      through(end + 1) = k;
    end
    if readers(k) == 1 && ~any (plan.outputs == k) && is_weighted (model.layers{reader(k)})
      pairs{end + 1} = struct ('first', first, 'second', reader(k), ...
                               'channel', channel_of_inputs (model, plan, first, through));
    end
  end
end

function yes = is_weighted (layer)
  yes = any (strcmp (layer.type, {'dense', 'conv2d'}));
  if yes && isfield (layer, 'quantization') && isfield (layer.quantization, 'weights')
    octcompress.internal.fail ('nn_equalize', 'quantized', ...
      'the weights of layer ''%s'' are quantized; equalize before nn_quantize', layer.name);
  end
end

function channel = channel_of_inputs (model, plan, first, through)
  % For each input channel or feature of the second layer, the channel of the first: its number,
  % sent through the layers between, over a one that is sent with it, for the zeros around an
  % image make an average smaller.
  out_size = plan.sizes{first};
  channels = out_size(end);
  if numel (out_size) < 3
    channels = out_size(1);
  end
  value = [(1:channels)', ones(channels, 1)];
  if numel (out_size) == 3
    value = repmat (reshape (value, channels, 1, 2), [1, out_size(2), 1, out_size(1)]);
  elseif numel (out_size) == 2
    value = repmat (value, [1, 1, max(out_size(2), 1)]);   % NaN: any number of steps, one will do
  end
  for k = through
    value = plan.run{k} ('forward', model.layers{k}, value, false);
  end
  if numel (out_size) == 3 && ndims (value) > 2
    value = reshape (value(:, 1, :, 1), [], 2);   % a pixel
  end
  channel = round (value(:, 1, 1) ./ value(:, 2, 1));
end

function r = channel_maximum (values, channel)
  r = accumarray (channel, values, [], @max);
end

function r = output_ranges (layer)
  m = octcompress.model.weights_matrix (layer);
  r = double (max (abs (m), [], 2));
end

function r = input_ranges (layer)
  if strcmp (layer.type, 'dense')
    r = double (max (abs (layer.weights), [], 1))';
  else
    r = reshape (double (max (max (abs (by_input (layer)), [], 1), [], 3)), [], 1);
  end
end

function w = by_input (layer)
  % kh*kw x cin/groups x cout/groups x groups, as kh*kw x (cin/groups * groups) x cout/groups
  s = [layer.weights_size, ones(1, 4 - numel (layer.weights_size))];
  groups = 1;
  if isfield (layer, 'groups') && ~isempty (layer.groups)
    groups = double (layer.groups);
  end
  w = reshape (layer.weights, s(1) * s(2), s(3), s(4) / groups, groups);
  w = reshape (permute (w, [1 2 4 3]), s(1) * s(2), s(3) * groups, s(4) / groups);
end

function layer = scale_outputs (layer, factor)
  m = octcompress.model.weights_matrix (layer);
  layer.weights = octcompress.model.matrix_weights (cast (double (m) .* factor, class (m)), layer);
  if isfield (layer, 'bias') && ~isempty (layer.bias)
    layer.bias = cast (double (layer.bias) .* factor, class (layer.bias));
  end
end

function layer = scale_inputs (layer, factor)
  kind = class (layer.weights);
  if strcmp (layer.type, 'dense')
    layer.weights = cast (double (layer.weights) .* factor', kind);
    return
  end
  s = [layer.weights_size, ones(1, 4 - numel (layer.weights_size))];
  w = double (by_input (layer)) .* factor';
  groups = size (w, 2) / s(3);
  w = permute (reshape (w, s(1) * s(2), s(3), groups, s(4) / groups), [1 2 4 3]);
  layer.weights = cast (reshape (w, size (layer.weights)), kind);
end

function ranges = activation_ranges (caller, model, plan, pairs, options)
  ranges = cell (1, numel (pairs));
  [x, batches] = octcompress.model.batches (caller, model, options.data, options.batch_size);
  if isempty (batches)
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  for b = 1:size (batches, 1)
    batch = octcompress.model.take_batch (x, model, batches(b, 1):batches(b, 2));
    for p = 1:numel (pairs)
      in = octcompress.model.layer_inputs (plan, model.layers, batch, pairs{p}.second);
      greatest = double (max (abs (reshape (in, size (in, 1), [])), [], 2));
      if b > 1
        greatest = max (greatest, seen{p});
      end
      seen{p} = greatest;
    end
  end
  for p = 1:numel (pairs)
    ranges{p} = channel_maximum (seen{p}, pairs{p}.channel);
  end
end

%!shared model, X
%! rand ('twister', 4);
%! r = @(varargin) single (rand (varargin{:}) - 0.4);
%! model.input_size = [6 5 2];
%! model.layers = {struct('type', 'conv2d', 'name', 'c', 'weights', ...
%!                        r (3, 3, 2, 4) .* reshape (single ([1 20 0.1 3]), 1, 1, 1, 4), ...
%!                        'bias', r (4, 1), 'padding', 'same'), struct('type', 'relu', 'name', ...
%!                                                                     'r'), ...
%!   struct('type', 'conv2d', 'name', 'dw', 'weights', r (3, 3, 1, 4), 'weights_size', ...
%!          [3 3 1 4], 'groups', 4, 'padding', 1), struct('type', 'leakyrelu', 'name', 'l', ...
%!                                                        'slope', 0.1), ...
%!   struct('type', 'conv2d', 'name', 'g', 'weights', r (1, 1, 2, 6), 'weights_size', ...
%!          [1 1 2 6], 'groups', 2, 'bias', r (6, 1)), struct('type', 'maxpool', 'name', 'p', ...
%!                                                            'pool_size', 2), ...
%!   struct('type', 'flatten', 'name', 'f', 'order', 'chw'), ...
%!   struct('type', 'dense', 'name', 'd', 'weights', r (3, 36), 'bias', r (3, 1))};
%! X = single (rand (6, 5, 2, 30));
%!test % the same predictions; equal ranges
%! [q, info] = nn_equalize (model);
%! y = nn_predict (model, X);
%! assert (nn_predict (q, X), y, 1e-4 * max (abs (y(:))));
%! assert (numel (info.pairs), 3);
%! a = squeeze (max (max (max (abs (q.layers{1}.weights), [], 1), [], 2), [], 3));
%! b = squeeze (max (max (abs (q.layers{3}.weights), [], 1), [], 2));
%! assert (a(:), b(:), 0.05 * max (a(:)));
%! assert (info.pairs{1}.greatest / info.pairs{1}.least > 5);
%!test % one scale for the tensor then serves every channel
%! err = @(m) norm (nn_predict (nn_quantize (m, 5), X) - nn_predict (model, X), 'fro');
%! assert (err (nn_equalize (model)) < 0.7 * err (model));
%!test % activations
%! q = nn_equalize (model, 'method', 'activations', 'data', X);
%! y = nn_predict (model, X);
%! assert (nn_predict (q, X), y, 1e-4 * max (abs (y(:))));
%! range = @(m) max (abs (reshape (nn_predict (setfield (m, 'outputs', {'r'}), X), [], 4, 30)), ...
%!                   [], 1);
%! spread = @(m) max (max (range (m), [], 3)) / min (max (range (m), [], 3));
%! [~, info] = nn_equalize (model, 'method', 'activations', 'data', X, 'alpha', 1);
%! assert (info.pairs{1}.greatest > info.pairs{1}.least);
%!test % steps of a sequence, flattened and not
%! rand ('twister', 4);
%! m.input_size = [3 2];
%! m.layers = {struct('type', 'dense', 'weights', rand (4, 3) .* [1; 9; 2; 5]), ...
%!             struct('type', 'relu'), struct('type', 'dense', 'weights', rand (2, 4)), ...
%!             struct('type', 'flatten'), struct('type', 'dense', 'weights', rand (2, 4))};
%! x = rand (3, 5, 2);
%! [q, info] = nn_equalize (m);
%! assert (numel (info.pairs), 2);
%! assert (q.layers{1}.weights ~= m.layers{1}.weights);
%! assert (nn_predict (q, x), nn_predict (m, x), 1e-12);
%!test % averages that count the zeros around an image
%! rand ('twister', 4);
%! m.input_size = [4 4 2];
%! m.layers = {struct('type', 'conv2d', 'weights', rand (1, 1, 2, 3) - 0.5), ...
%!             struct('type', 'averagepool', 'pool_size', 2, 'padding', 1, 'count_include_pad', ...
%!                    true), ...
%!             struct('type', 'conv2d', 'weights', rand (1, 1, 3, 2) - 0.5)};
%! m.layers{1}.weights(:, :, :, 2) = 30 * m.layers{1}.weights(:, :, :, 2);
%! x = rand (4, 4, 2, 3);
%! [q, info] = nn_equalize (m);
%! assert (numel (info.pairs), 1);
%! assert (nn_predict (q, x), nn_predict (m, x), 1e-12);
%!test % all orders of flatten
%! for order = {'hwc', 'chw', 'keras'}
%!   m = model;
%!   m.layers{7}.order = order{1};
%!   y = nn_predict (m, X);
%!   assert (nn_predict (nn_equalize (m), X), y, 1e-4 * max (abs (y(:))));
%! end
%!error <nn_equalize: METHOD 'activations' needs DATA> nn_equalize (model, 'method', 'activations')
%!error <nn_equalize: the weights of layer 'c' are quantized; equalize before> nn_equalize (nn_quantize (model, 8))
