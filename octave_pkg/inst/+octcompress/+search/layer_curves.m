function curves = layer_curves (caller, model, calibration, probe, grid, verbose)
%LAYER_CURVES  What each layer loses, and what it costs in bytes, under every choice for it alone.
%
%   curves = octcompress.search.layer_curves (caller, model, calibration, probe, grid, verbose)
%
%   model        a tidy network with one output
%   calibration  inputs that weights are fitted on
%   probe        other inputs, on which the outputs are compared
%   grid         struct: sparsity, bits, rank, tradeoff (rows of what to try; ranks in shares of
%                the full rank), layers (cellstr, {} for all with weights)
%   verbose      true: progress is reported
%   curves       cell of structs, one for each layer:
%     layer, tensor, count  which, and how many weights
%     sparsity, bits, rank, tradeoff  rows, a choice each; rank 0: not factored; tradeoff 0: as
%                           sparsity and bits say
%     loss                  row: mean squared change of the network's outputs (before a final
%                           softmax), this layer alone being compressed
%     changed               row: share of the probe whose greatest output is another one
%     bytes                 row: of the weights, by their entropy (octcompress.search.coded_bytes),
%                           with a tradeoff as octcompress.quant.rdoq estimates them
%     fitted                true where the weights were fitted to the calibration inputs
%
%   Weights are chosen and refitted by optimal brain surgeon (octcompress.prune.obs_layer), then
%   rounded by GPTQ (octcompress.quant.quantize_matrix), for dense and convolution layers; those of
%   other layers go by magnitude, to the nearest value. Ranks take 4 bits at least, by
%   nn_lowrank. A tradeoff is that of nn_rdoq.
%
%   See also nn_sensitivity, nn_compress, octcompress.search.allocate.

  plan = octcompress.train.cut (caller, model, {'softmax', 'logsoftmax'});
  tensors = octcompress.model.select_tensors (caller, model, grid.layers, false);
  tensors = tensors(cellfun (@(t) strcmp (t.field, 'weights'), tensors));
  curves = cell (1, numel (tensors));
  prices = [];
  if ~isempty (grid.tradeoff)
    [prices.sensitivity, prices.power] = octcompress.quant.output_sensitivity (caller, model, ...
        octcompress.search.pick (calibration, model.input_size, 1:min (1000, ...
          octcompress.model.observations (calibration, model.input_size))), 256, 0);
    prices.total = sum (cellfun (@(t) numel (subsref (model, t.path)), ...
                                 octcompress.model.tensors (model)));
  end
  for k = 1:numel (tensors)
    number = tensors{k}.layer;
    layer = model.layers{number};
    judge = make_judge (model, plan, number, probe);
    row = struct ('layer', layer.name, 'tensor', tensors{k}.name, 'count', ...
                  numel (layer.weights), 'sparsity', [], 'bits', [], 'rank', [], 'tradeoff', [], ...
                  'loss', [], 'changed', [], 'bytes', [], 'fitted', true);
    [prune, stats] = make_pruner (caller, model, number, calibration, ~isempty (grid.sparsity));
    for share = grid.sparsity
      [quantize, pruned] = prune (share);
      for bits = grid.bits
        squeezed = quantize (pruned, bits);
        row = with_choice (row, [share bits 0 0], squeezed, weights_bytes (squeezed), judge);
      end
    end
    for tradeoff = grid.tradeoff
      [squeezed, bits, bytes] = by_tradeoff (model, number, stats, prices, tradeoff);
      row = with_choice (row, [0 bits 0 tradeoff], squeezed, bytes, judge);
    end
    row.fitted = ~isempty (stats);
    curves{k} = with_ranks (row, layer, stats, grid, judge);
    if verbose
      octcompress.internal.progress ('sensitivity', k, numel (tensors), '%s', layer.name);
    end
  end
end

function row = with_choice (row, choice, layer, bytes, judge)
  names = {'sparsity', 'bits', 'rank', 'tradeoff'};
  for k = 1:4
    row.(names{k})(end + 1) = choice(k);
  end
  [row.loss(end + 1), row.changed(end + 1)] = judge (layer);
  row.bytes(end + 1) = bytes;
end

function bytes = weights_bytes (layer)
  rows = octcompress.search.coded_bytes (struct ('layers', {{layer}}));
  bytes = rows{1}.bytes;
end

function judge = make_judge (model, plan, number, probe)
  % A handle that compares the outputs; in a chain only what comes after the layer is computed.
  count = numel (plan.run);
  [probe, ranges] = octcompress.model.batches ('layer_curves', model, probe, 500);
  batches = cell (1, size (ranges, 1));
  for r = 1:numel (batches)
    batches{r} = octcompress.model.take_batch (probe, model, ranges(r, 1):ranges(r, 2));
  end
  first = 1;
  if all (cellfun (@isequal, plan.inputs, num2cell (0:count - 1))) && number > 1
    before = part_of (plan, 1, number - 1);
    for r = 1:numel (batches)
      batches(r) = octcompress.model.forward (before, model.layers(1:number - 1), batches{r});
    end
    first = number;
  end
  rest = part_of (plan, first, count);
  layers = model.layers(first:count);
  outputs = cell (size (batches));
  for r = 1:numel (batches)
    outputs{r} = flat (octcompress.model.forward (rest, layers, batches{r}));
  end
  judge = @(layer) compare (rest, layers, number - first + 1, layer, batches, outputs);
end

function plan = part_of (plan, first, last)
  for field = {'run', 'inputs', 'several', 'last_use', 'sizes', 'macs'}
    plan.(field{1}) = plan.(field{1})(first:last);
  end
  if first > 1
    plan.inputs = cellfun (@(reads) reads - first + 1, plan.inputs, 'UniformOutput', false);
    plan.last_use = plan.last_use - first + 1;
    plan.outputs = plan.outputs - first + 1;
  end
  if last - first + 1 < plan.outputs
    plan.outputs = last;
    plan.last_use(end) = Inf;
  end
end

function y = flat (outputs)
  % The engine's layouts: images are C x W x N x H, sequences F x N x T.
  y = outputs{1};
  if ndims (y) == 4
    y = permute (y, [1 2 4 3]);
  elseif ndims (y) == 3
    y = permute (y, [1 3 2]);
  end
  y = double (reshape (y, [], size (y, ndims (y))));
end

function [loss, changed] = compare (plan, layers, place, layer, batches, outputs)
  layers{place} = layer;
  total = 0;
  differ = 0;
  for r = 1:numel (batches)
    y = flat (octcompress.model.forward (plan, layers, batches{r}));
    total = total + sum (sum ((y - outputs{r}) .^ 2));
    [~, new] = max (y, [], 1);
    [~, old] = max (outputs{r}, [], 1);
    differ = differ + sum (new ~= old);
  end
  count = sum (cellfun (@(y) size (y, 2), outputs));
  loss = total / count / size (outputs{1}, 1);
  changed = differ / count;
end

function [prune, stats] = make_pruner (caller, model, number, calibration, with_order)
  % A handle that prunes the layer, and says how it is quantized afterwards.
  layer = model.layers{number};
  stats = [];
  if ~any (strcmp (layer.type, {'dense', 'conv2d'}))
    prune = @(share) by_magnitude (model, layer.name, number, share);
    return
  end
  stats = octcompress.model.input_gram (caller, model, calibration, number, 256);
  w = octcompress.model.weights_matrix (layer);
  bias = [];
  if isfield (layer, 'bias')
    bias = double (layer.bias);
  end
  losses = [];
  if with_order && numel (w) * size (w, 2) ^ 2 <= 3e12
    [~, ~, ~, losses] = octcompress.prune.obs_layer (w, bias, stats, 0, 0.01, 'exact');
  end
  prune = @(share) by_surgeon (layer, w, bias, stats, losses, share);
end

function [quantize, model] = by_magnitude (model, name, number, share)
  if share > 0
    model = nn_prune (model, 'layers', name, 'sparsity', share);
  end
  quantize = @(model, bits) layer_of (nn_quantize (model, bits, 'layers', name), number);
end

function layer = layer_of (model, number)
  layer = model.layers{number};
end

function [quantize, pruned] = by_surgeon (layer, w, bias, stats, losses, share)
  pruned = struct ('w', w, 'bias', bias, 'zeros', []);
  rule = floor (share * numel (w));
  if rule > 0
    if ~isempty (losses)
      mask = octcompress.prune.smallest_mask ({losses}, rule);
      rule = mask{1};
    end
    [p, pruned.bias, pruned.zeros] = octcompress.prune.obs_layer (w, bias, stats, rule);
    pruned.w = cast (p, class (w));
  end
  quantize = @(pruned, bits) on_grid (layer, pruned, stats, bits);
end

function layer = on_grid (layer, pruned, stats, bits)
  settings = struct ('scheme', 'symmetric', 'axis', 0, 'group', [], 'power2', false, 'fit', ...
                     'hessian', 'rounding', 'gptq', 'sparsity', 0, 'damping', 0.01, ...
                     'bias_correction', true, 'zeros', pruned.zeros);
  if bits > 6
    settings.fit = 'range';
  end
  [q, bias] = octcompress.quant.quantize_matrix (pruned.w, pruned.bias, stats, bits, settings);
  layer.weights = octcompress.model.matrix_weights (q, layer);
  if ~isempty (bias)
    layer.bias = cast (bias, class (layer.bias));
  end
end

function [layer, bits, bytes] = by_tradeoff (model, number, stats, prices, tradeoff)
  layer = model.layers{number};
  if isempty (stats)
    [model, info] = nn_rdoq (model, 'layers', layer.name, 'tradeoff', tradeoff);
    layer = model.layers{number};
    bits = info.layers{1}.bits;
    bytes = info.layers{1}.coded_bits / 8;
    return
  end
  price = octcompress.quant.row_prices (tradeoff / prices.total, prices.sensitivity{number}, ...
                                        prices.power);
  w = octcompress.model.weights_matrix (layer);
  for g = 1:size (stats.gram, 3)
    part = octcompress.model.stats_of_group (stats, g);
    gram(:, :, g) = octcompress.quant.centre (part, isfield (layer, 'bias')) / stats.count;
  end
  [codes, info] = octcompress.quant.rdoq (double (w), gram, price, 'coarseness', 1.6);
  q = cast (info.step * codes, class (w));
  layer.weights = octcompress.model.matrix_weights (q, layer);
  if isfield (layer, 'bias')
    rows = reshape (1:size (w, 1), [], size (stats.gram, 3));
    for g = 1:size (rows, 2)
      r = rows(:, g);
      part = octcompress.model.stats_of_group (stats, g);
      layer.bias(r) = octcompress.quant.corrected_bias (part, double (w(r, :)), layer.bias(r), ...
                                                        double (q(r, :)));
    end
  end
  bits = max (2, 1 + ceil (log2 (max (abs (codes(:))) + 1)));
  bytes = info.bits / 8;
end

function row = with_ranks (row, layer, stats, grid, judge)
  if isempty (stats) || size (stats.gram, 3) > 1 || isempty (grid.rank)
    return
  end
  w = double (octcompress.model.weights_matrix (layer));
  centre = stats.total / stats.count;
  covariance = stats.gram / stats.count - centre * centre';
  if isfield (layer, 'bias')
    bias = layer.bias;
  end
  for share = grid.rank
    rank = max (1, round (share * min (size (w))));
    if rank * sum (size (w)) >= numel (w)
      continue
    end
    [up, down] = octcompress.prune.low_rank (w, struct ('rank', rank), covariance);
    if isfield (layer, 'bias')
      layer.bias = cast (double (bias) + (w - up * down) * centre, class (bias));
    end
    for bits = grid.bits(grid.bits >= 4)
      parts = {nn_quantize(single (up), bits, 'fit', 'mse'), ...
               nn_quantize(single (down), bits, 'fit', 'mse')};
      layer.weights = octcompress.model.matrix_weights (cast (parts{1} * parts{2}, ...
                                                              class (layer.weights)), layer);
      bytes = weights_bytes (struct ('type', 'dense', 'name', 'up', 'weights', parts{1})) ...
              + weights_bytes (struct ('type', 'dense', 'name', 'down', 'weights', parts{2}));
      row = with_choice (row, [0 bits rank 0], layer, bytes, judge);
    end
  end
end

%!shared model, X
%! rand ('twister', 7);
%! X = single (rand (12, 300) - 0.5);
%! X(7:12, :) = 0.8 * X(1:6, :) + 0.2 * X(7:12, :);
%! model = octcompress.model.tidy ('f', nn_new ('input', 12, 'dense', 20, 'relu', 'dense', 4, ...
%!                                              'softmax'));
%!test % more bytes, less loss; each choice as the verbs make it
%! grid = struct ('sparsity', [0 0.5], 'bits', [3 8], 'rank', 0.3, 'tradeoff', 0.02, ...
%!                'layers', {{}});
%! curves = octcompress.search.layer_curves ('f', model, X(:, 1:200), X(:, 201:300), grid, false);
%! assert (numel (curves), 2);
%! row = curves{1};
%! assert ({row.layer, row.count, row.rank}, {'dense_1', 240, [0 0 0 0 0 4]});
%! assert ({row.sparsity, row.bits}, {[0 0 0.5 0.5 0 0], [3 8 3 8 row.bits(5) 8]});
%! assert (row.loss(1) > row.loss(2) && row.loss(4) > row.loss(2) && row.loss(2) > 0);
%! assert (row.bytes(3) < row.bytes(1) && row.bytes(1) < row.bytes(2));
%! q = nn_quantize (nn_prune (model, 'sparsity', 0.5, 'criterion', 'obs', 'layers', 1, 'data', ...
%!                            X(:, 1:200)), ...
%!                  'bits', 3, 'rounding', 'gptq', 'layers', 1, 'data', X(:, 1:200));
%! model.layers(end) = [];
%! q.layers(end) = [];
%! a = double (nn_predict (model, X(:, 201:300)));
%! b = double (nn_predict (q, X(:, 201:300)));
%! assert (row.loss(3), mean ((a(:) - b(:)) .^ 2), 0.2 * row.loss(3));
%!test % after a batch normalisation, layers that have none keep their activation
%! net = octcompress.model.tidy ('f', nn_new ('input', 12, 'dense', 20, 'batchnorm', 'relu', ...
%!                                            'dense', 10, 'relu', 'dense', 4));
%! grid = struct ('sparsity', 0, 'bits', 2, 'rank', [], 'tradeoff', [], 'layers', {{'dense_4'}});
%! curves = octcompress.search.layer_curves ('f', net, X(:, 1:200), X(:, 201:300), grid, false);
%! q = nn_quantize (net, 'bits', 2, 'rounding', 'gptq', 'layers', 'dense_4', 'data', X(:, 1:200));
%! a = double (nn_predict (net, X(:, 201:300)));
%! b = double (nn_predict (q, X(:, 201:300)));
%! assert (curves{1}.loss, mean ((a(:) - b(:)) .^ 2), 0.01 * curves{1}.loss);
%!test % a layer that no output reads costs no accuracy
%! net = nn_new ('input', 12, 'dense', {8, 'name', 'a'}, 'dense', {5, 'name', 'aside'}, ...
%!               'dense', {4, 'name', 'b', 'inputs', 'a'});
%! net.outputs = {'b'};
%! grid = struct ('sparsity', 0.5, 'bits', 4, 'rank', [], 'tradeoff', 0.01, 'layers', {{}});
%! curves = octcompress.search.layer_curves ('f', octcompress.model.tidy ('f', net), X, X, grid, ...
%!                                           false);
%! assert (cellfun (@(row) any (row.loss), curves), [true false true]);
%! assert (cellfun (@(row) all (isfinite (row.bytes)), curves));
%!test % graphs, images, layers without a Hessian
%! net.input_size = [6 5 2];
%! net.layers = {struct('type', 'conv2d', 'name', 'c', 'weights', single (rand (3, 3, 2, 4)), ...
%!                      'padding', 'same'), ...
%!               struct('type', 'relu', 'name', 'r', 'inputs', {{'c'}}), ...
%!               struct('type', 'add', 'name', 's', 'inputs', {{'c', 'r'}}), ...
%!               struct('type', 'conv2d', 'name', 'd', 'weights', single (rand (3, 3, 4, 2)))};
%! net = octcompress.model.tidy ('f', net);
%! images = single (rand (6, 5, 2, 40));
%! grid = struct ('sparsity', 0.3, 'bits', 4, 'rank', [], 'tradeoff', [0.01 0.1], ...
%!                'layers', {{'d', 'c'}});
%! curves = octcompress.search.layer_curves ('f', net, images, images, grid, false);
%! assert (cellfun (@(row) all (row.loss > 0) && row.bytes(2) > row.bytes(3), curves));
%! lstm = octcompress.model.tidy ('f', nn_new ('input', [3 NaN], 'lstm', 4, 'dense', 2));
%! curves = octcompress.search.layer_curves ('f', lstm, rand (3, 8, 5), rand (3, 8, 5), ...
%!                                           setfield (grid, 'layers', {}), false);
%! assert (all (curves{1}.loss > 0));
%! assert (~curves{1}.fitted && curves{2}.fitted);
