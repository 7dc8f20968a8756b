function [model, info] = nn_correct (model, varargin)
%NN_CORRECT  Repair a compressed network without training: batch norm statistics, scales, biases.
%
%   [model, info] = nn_correct (model, 'data', X, ...)
%   [model, info] = nn_correct (model, 'original', original, ...)
%
%   model     a network after pruning or quantization
%
%   Options, as name-value pairs or a struct:
%     data ([])         calibration inputs, as nn_predict takes them; labels are not needed
%     original ([])     the network before its compression, with the same layers
%     methods ({})      char or cellstr, done in this order; {} is all that data and original allow:
%                       'scale'      each output's weights times the norm of its original weights
%                                    over the norm of what is left: the output varies as much as
%                                    before [1]. Needs original; no data
%                       'bias'       the bias makes up for the mean change of the output,
%                                    (original weights - weights) * mean input [2]. Needs original.
%                                    The mean input is that over data; without data it follows from
%                                    the batchnorm layer before, where there is one (its outputs are
%                                    Gaussian with mean offset and deviation scale)
%                       'batchnorm'  means and variances of every batchnorm layer over data, in
%                                    order, each after those before it [3]. Needs data
%     layers ([])       names or numbers of the layers for scale and bias; all of type dense and
%                       conv2d
%     batch_size (256)  observations at a time
%
%   info.options  the options as merged with the defaults
%   info.layers   cell of structs: layer, method, change (the largest change of a scale, a bias or a
%                 mean), known (false: without data nothing is known of the layer's input)
%
%   Zeros stay zeros. 'scale' takes a quantization promise's scales along.
%
%   Errors: octcompress:nn_correct:badValue, :unknownOption, :notModel, :badInput, :unknownLayer.
%
%   [1] Finkelstein et al., Fighting quantization bias with bias, 2019, arXiv:1906.03193.
%   [2] Nagel et al., Data-free quantization through weight equalization and bias correction,
%       ICCV 2019, arXiv:1906.04721.
%   [3] Li et al., EagleEye: fast sub-net evaluation for efficient neural network pruning,
%       ECCV 2020, arXiv:2007.02491.
%
%   See also nn_prune, nn_quantize, nn_train.

  caller = 'nn_correct';
  defaults.data = [];
  defaults.original = [];
  defaults.methods = {};
  defaults.layers = [];
  defaults.batch_size = 256;
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  model = octcompress.model.tidy (caller, model);
  methods = methods_of (caller, options, model);
  original = [];
  if ~isempty (options.original)
    original = octcompress.model.tidy (caller, options.original);
    require_same (caller, model, original);
  end
  tensors = octcompress.model.select_tensors (caller, model, options.layers, false);
  chosen = unique (cellfun (@(t) t.layer, tensors));
  chosen = chosen(arrayfun (@(k) any (strcmp (model.layers{k}.type, {'dense', 'conv2d'})), chosen));

  rows = {};
  for method = methods
    places = chosen;
    if strcmp (method{1}, 'batchnorm')
      places = find (cellfun (@(layer) strcmp (layer.type, 'batchnorm'), model.layers));
    end
    for k = places
      switch method{1}
        case 'scale'
          [model.layers{k}, change] = scaled (model.layers{k}, original.layers{k});
          known = true;
        case 'bias'
          [model.layers{k}, change, known] = with_bias (caller, model, original, k, options);
        case 'batchnorm'
          [model.layers{k}, change] = estimated (caller, model, k, options);
          known = true;
      end
      rows{end + 1} = struct ('layer', model.layers{k}.name, 'method', method{1}, 'change', ...
                              change, ...
                              'known', known); %#ok<AGROW>
    end
  end
  info = struct ('options', options, 'layers', {rows});
end

function methods = methods_of (caller, options, model)
  methods = options.methods;
  if ischar (methods)
    methods = {methods};
  end
  if isempty (methods)
    methods = {'scale', 'bias'};
    if isempty (options.original)
      methods = {};
    end
    if ~isempty (options.data) && any (cellfun (@(layer) strcmp (layer.type, 'batchnorm'), ...
                                                model.layers))
      methods{end + 1} = 'batchnorm';
    end
    if isempty (methods)
      octcompress.internal.fail (caller, 'badValue', ...
        ['give ORIGINAL, the network before its compression, or DATA for batchnorm layers ' ...
         '(MODEL must have one)']);
    end
  end
  for k = 1:numel (methods)
    octcompress.internal.check (caller, 'methods', methods{k}, 'choice', ...
                                {'scale', 'bias', 'batchnorm'});
    if strcmp (methods{k}, 'batchnorm') && isempty (options.data)
      octcompress.internal.fail (caller, 'badValue', 'the method ''batchnorm'' needs DATA');
    elseif ~strcmp (methods{k}, 'batchnorm') && isempty (options.original)
      octcompress.internal.fail (caller, 'badValue', ...
        'the method ''%s'' needs ORIGINAL, the network before its compression', methods{k});
    end
  end
  methods = reshape (methods, 1, []);
end

function require_same (caller, model, original)
  fits = numel (model.layers) == numel (original.layers);
  for k = 1:numel (model.layers)
    fits = fits && strcmp (model.layers{k}.type, original.layers{k}.type);
    if fits && isfield (model.layers{k}, 'weights')
      fits = isequal (size (model.layers{k}.weights), size (original.layers{k}.weights));
    end
  end
  if ~fits
    octcompress.internal.fail (caller, 'badValue', ...
      ['ORIGINAL must have the same layers with weights of the same sizes as MODEL; correct ' ...
       'before nn_shrink']);
  end
end

function [layer, change] = scaled (layer, original)
  w = double (octcompress.model.weights_matrix (layer));
  norms = sqrt (sum (w .^ 2, 2));
  factor = sqrt (sum (double (octcompress.model.weights_matrix (original)) .^ 2, 2)) ./ norms;
  factor(norms == 0) = 1;
  change = max ([0; abs(factor - 1)]);
  layer.weights = octcompress.model.matrix_weights (w .* factor, layer);
  if isfield (layer, 'quantization') && isfield (layer.quantization, 'weights')
    grid = layer.quantization.weights;
    if isfield (grid, 'scale') && numel (grid.scale) == numel (factor)
      layer.quantization.weights.scale = grid.scale .* cast (reshape (factor, ...
            size (grid.scale)), class (grid.scale));
      grid = layer.quantization.weights;
      layer.weights = octcompress.quant.snap_to_grid (layer.weights, grid);
    else
      layer.quantization = rmfield (layer.quantization, 'weights');
    end
  end
end

function [layer, change, known] = with_bias (caller, model, original, k, options)
  layer = model.layers{k};
  whole = double (octcompress.model.weights_matrix (original.layers{k}));
  lost = whole - double (octcompress.model.weights_matrix (layer));
  parts = 1;
  if ~isempty (options.data)
    stats = octcompress.model.input_gram (caller, model, options.data, k, options.batch_size);
    centre = stats.total / stats.count;
    parts = size (centre, 2);
  else
    plan = octcompress.model.plan (caller, model);
    centre = gaussian_mean (model, plan, plan.inputs{k});
    if ~isempty (centre) && strcmp (layer.type, 'conv2d')
      sizes = octcompress.layers.weights_size (layer, 4);
      parts = numel (centre) / sizes(3);
      centre = reshape (repelem (centre, sizes(1) * sizes(2)), [], parts);
    end
  end
  known = ~isempty (centre);
  change = 0;
  if ~known
    return
  end
  each = size (lost, 1) / parts;
  shift = zeros (size (lost, 1), 1);
  for g = 1:parts
    rows = (g - 1) * each + (1:each);
    shift(rows) = lost(rows, :) * centre(:, g);
  end
  change = max (abs (shift));
  if isfield (layer, 'bias') && ~isempty (layer.bias)
    shift = double (layer.bias) + shift;
  end
  layer.bias = cast (shift, class (layer.weights));
end

function centre = gaussian_mean (model, plan, k)
  % The mean of a layer's output where it follows from a batchnorm layer; [] where it does not.
  through = {};
  centre = [];
  while true
    if ~isscalar (k) || k == 0
      return
    end
    layer = model.layers{k};
    switch layer.type
      case 'batchnorm'
        break
      case {'relu', 'relu6', 'leakyrelu', 'prelu', 'elu', 'gelu', 'swish', 'hardswish', ...
            'sigmoid', ...
            'hardsigmoid', 'tanh', 'identity', 'dropout'}
        through = [{k}, through]; %#ok<AGROW>
      case {'averagepool', 'globalaveragepool'}
      otherwise
        return
    end
    k = plan.inputs{k};
  end
  % 1001 equally likely values of a standard normal distribution.
  z = sqrt (2) * erfinv (2 * ((1:1001) - 0.5) / 1001 - 1);
  x = double (layer.offset) + abs (double (layer.scale)) .* z;
  for j = 1:numel (through)
    x = plan.run{through{j}} ('forward', model.layers{through{j}}, x, false);
  end
  centre = mean (double (x), 2);
end

function [layer, change] = estimated (caller, model, k, options)
  layer = model.layers{k};
  plan = octcompress.model.plan (caller, model);
  [x, ranges] = octcompress.model.batches (caller, model, options.data, options.batch_size);
  if isempty (ranges)
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  count = 0;
  centre = 0;
  spread = 0;
  for b = 1:size (ranges, 1)
    % Means and sums of squares of the batches are put together without cancellation.
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    values = octcompress.model.layer_inputs (plan, model.layers, batch, k);
    values = double (reshape (values, size (values, 1), []));
    n = size (values, 2);
    batch_mean = sum (values, 2) / n;
    away = batch_mean - centre;
    spread = spread + sum ((values - batch_mean) .^ 2, 2) + away .^ 2 * (count * n / (count + n));
    centre = centre + away * (n / (count + n));
    count = count + n;
  end
  change = max (abs (centre - double (layer.mean)));
  layer.mean = cast (centre, class (layer.mean));
  layer.variance = cast (spread / max (count - 1, 1), class (layer.variance));
end

%!shared model, pruned, X
%! some = @(varargin) single (reshape (sin ((1:prod ([varargin{:}])) .^ 2), varargin{:}));
%! X = some (6, 300);
%! norm_layer = struct ('type', 'batchnorm', 'name', 'n', 'scale', some (8, 1), 'offset', ...
%!                      single (0.3 * ones (8, 1)), 'mean', zeros (8, 1, 'single'), 'variance', ...
%!                      ones (8, 1, 'single'));
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', some (8, 6), 'bias', ...
%!                        some (8, 1)), norm_layer, struct('type', 'relu', 'name', 'r'), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', some (5, 8), 'bias', ...
%!                        some (5, 1))};
%! model = nn_correct (model, 'data', X);
%! pruned = nn_prune (model, 'sparsity', 0.6);
%!test % batch norm: its outputs have the mean and deviation that it was given
%! [m, info] = nn_correct (pruned, 'data', X, 'batch_size', 70);
%! m.layers = m.layers(1:2);
%! y = double (nn_predict (m, X));
%! assert (mean (y, 2), 0.3 * ones (8, 1), 1e-4);
%! assert (std (y, 0, 2), abs (double (m.layers{2}.scale)), 1e-3);
%! assert (info.layers{1}.method, 'batchnorm');
%! assert (info.layers{1}.change > 0);
%!test % scale: norms of the rows come back, zeros stay
%! m = nn_correct (pruned, 'original', model, 'methods', 'scale');
%! assert (sum (m.layers{1}.weights .^ 2, 2), sum (model.layers{1}.weights .^ 2, 2), 1e-5);
%! assert (m.layers{1}.weights == 0, pruned.layers{1}.weights == 0);
%!test % bias with data: the mean output is that of the original weights on the same inputs
%! m = nn_correct (pruned, 'original', model, 'data', X, 'methods', 'bias', 'layers', 1);
%! a = model;
%! a.layers = a.layers(1);
%! b = m;
%! b.layers = b.layers(1);
%! assert (mean (nn_predict (b, X), 2), mean (nn_predict (a, X), 2), 1e-5);
%!test % bias without data: known behind the batch norm, unknown at the input
%! [m, info] = nn_correct (pruned, 'original', model, 'methods', {'bias'});
%! assert (cellfun (@(row) row.known, info.layers), [false true]);
%! assert (m.layers{1}.bias, pruned.layers{1}.bias);
%! s = abs (double (pruned.layers{2}.scale));
%! z = 0.3 ./ s;
%! centre = 0.3 * 0.5 * erfc (-z / sqrt (2)) + s .* exp (-z .^ 2 / 2) / sqrt (2 * pi);
%! lost = double (model.layers{4}.weights - pruned.layers{4}.weights);
%! expected = double (pruned.layers{4}.bias) + lost * centre;
%! assert (double (m.layers{4}.bias), expected, 1e-3);
%!test % scales of a promise go along
%! q = nn_quantize (pruned, 4, 'granularity', 'channel');
%! m = nn_correct (q, 'original', model, 'methods', 'scale');
%! assert (octcompress.quant.snap_to_grid (m.layers{1}.weights, ...
%!       m.layers{1}.quantization.weights), m.layers{1}.weights, 1e-6);
%!error <nn_correct: give ORIGINAL, the network before its compression, or DATA> nn_correct (model)
%!error <nn_correct: the method 'bias' needs ORIGINAL> nn_correct (model, 'methods', 'bias', 'data', X)
%!error <nn_correct: ORIGINAL must have the same layers> nn_correct (nn_shrink (nn_prune (model, 'sparsity', 0.5, 'structure', 'row')), 'original', model)
