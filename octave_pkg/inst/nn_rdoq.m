function [model, info] = nn_rdoq (model, varargin)
%NN_RDOQ  Put all weights on grids so that the coded bytes and the error are least together.
%
%   [model, info] = nn_rdoq (model, 'data', X, ...)
%   [model, info] = nn_rdoq (model, 'data', X, 'bytes', n, ...)
%   [model, info] = nn_rdoq (model, 'data', X, 'max_drop', share, ...)
%   [model, info] = nn_rdoq (model, ...)
%
%   model  a network (docs/model-format.md), or without data any struct of arrays
%
%   Options, as name-value pairs or a struct:
%     data ([])         inputs, as nn_predict takes them, unlabelled; without them each tensor's
%                       error counts by its share of the tensor's squares
%     tradeoff (0.02)   how much of the outputs' power may become error to save one bit a weight;
%                       with a target where the search begins
%     bytes ([])        target: a tradeoff at which nn_pack gives at most so many; the search ends
%                       1.5% below
%     max_drop ([])     target: the largest tradeoff at which at most this share of the held-out
%                       observations get another class than from MODEL
%     runs (10)         of the search for a target at most
%     held_out (0.1)    share of the data, the last ones, that is left out of the fit and on which
%                       the result is compared with MODEL
%     sensitivity (1000)  observations that the sensitivity of the outputs is taken from
%     coarseness (1.6)  of the grids, in shares of the steps that would be best at high rates
%     damping (0.01)    of the Hessian, in shares of its mean diagonal
%     layers ([])       names or numbers of the layers; all
%     batch_size (256)  observations at a time
%     seed (0)          of the random signs, where a network has many outputs
%
%   The layers are taken in order. Each is fitted by least squares to give the original network's
%   outputs from what the layers before it, already compressed, now give; then each weight takes the
%   level that makes error / price + bits least (octcompress.quant.rdoq). The price of a bit is in
%   each row the same change of the network's outputs (octcompress.quant.output_sensitivity), so
%   that all rows of all layers have the same slope of error against bytes. Biases put the means
%   right and go the same way on grids of their own. What has no Hessian counts as without data;
%   vectors of such layers get 8 bits.
%
%   A convolution, which sees many places of each image, is fitted to 200,000 of them, of 2000
%   images at least.
%
%   The result is an ordinary network: the grids stand in layer.quantization, pruned weights stay
%   zero, and nn_pack and nn_save code it.
%
%   info.options       the options as merged with the defaults
%   info.tradeoff      as it was used
%   info.bytes         of nn_pack (model)
%   info.agreement     share of the held-out observations with the class that MODEL gave; NaN
%                      without them
%   info.output_error  squared change of the outputs there, in shares of their power
%   info.layers        cell of structs: tensor, bits, step, count, nonzeros, coded_bits (estimate)
%   info.runs          cell of structs, one for each run: tradeoff, bytes, agreement
%
%   Errors: octcompress:nn_rdoq:badValue, :unknownOption, :notFinite, :unknownLayer, :noTensors,
%   :notModel, :badInput, :budget (the target was not reached).
%
%   Example:
%     [small, info] = nn_rdoq (nn_load ('lenet300.mat'), 'data', X, 'bytes', 20000);
%
%   See also nn_quantize, nn_pack, octcompress.quant.rdoq.

  caller = 'nn_rdoq';
  defaults = struct ('data', [], 'tradeoff', 0.02, 'bytes', [], 'max_drop', [], 'runs', 10, ...
                     'held_out', 0.1, 'sensitivity', 1000, 'coarseness', 1.6, 'damping', 0.01, ...
                     'layers', [], 'batch_size', 256, 'seed', 0);
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  check_options (caller, options);
  if octcompress.model.is_network (model)
    model = octcompress.model.tidy (caller, model);
  elseif ~isstruct (model) || ~isscalar (model)
    octcompress.internal.fail (caller, 'notModel', ...
      'MODEL must be a network or a struct of arrays, but is %s', ...
      octcompress.internal.describe (model));
  elseif ~isequal (options.data, [])
    octcompress.internal.fail (caller, 'notModel', ...
      'DATA needs a network that can be computed, but MODEL is a struct of arrays; leave DATA out');
  end
  job = prepare (caller, model, options);
  info = struct ('options', options, 'tradeoff', double (options.tradeoff), 'runs', {{}});
  if isempty (options.bytes) && isempty (options.max_drop)
    best = attempt (model, job, info.tradeoff);
    info.runs = {best.run};
  else
    [best, info.runs] = search (caller, model, job, options);
  end
  model = best.model;
  info.tradeoff = best.run.tradeoff;
  info.bytes = best.run.bytes;
  info.agreement = best.run.agreement;
  info.output_error = best.output_error;
  info.layers = best.layers;
end

function check_options (caller, options)
  check = @(name, kind, range) octcompress.internal.check (caller, name, options.(name), kind, ...
                                                           range);
  check ('tradeoff', 'number', [realmin, Inf]);
  check ('runs', 'integer', [1 Inf]);
  check ('held_out', 'number', [0 0.9]);
  check ('sensitivity', 'integer', [1 Inf]);
  check ('coarseness', 'number', [0.01 100]);
  check ('damping', 'number', [0 Inf]);
  check ('batch_size', 'integer', [1 Inf]);
  check ('seed', 'integer', [0 2^32 - 1]);
  if ~isempty (options.bytes)
    check ('bytes', 'number', [1 Inf]);
  end
  if ~isempty (options.max_drop)
    check ('max_drop', 'number', [0 1]);
    if ~isempty (options.bytes)
      octcompress.internal.fail (caller, 'badValue', 'give one target: BYTES or MAX_DROP');
    elseif isequal (options.data, []) || options.held_out == 0
      octcompress.internal.fail (caller, 'badValue', ...
        'MAX_DROP needs DATA, and a share of them HELD_OUT');
    end
  end
end

function job = prepare (caller, model, options)
  job.options = options;
  job.tensors = octcompress.model.select_tensors (caller, model, options.layers, true);
  job.fitted = false (size (job.tensors));
  job.with_data = ~isequal (options.data, []);
  job.total = 0;
  for i = 1:numel (job.tensors)
    tensor = job.tensors{i};
    w = subsref (model, tensor.path);
    octcompress.internal.check (caller, 'w', w, 'finite', ['''' tensor.name '''']);
    if ~is_vector (w, tensor)
      job.total = job.total + numel (w);
    end
    job.fitted(i) = job.with_data && any (strcmp (tensor.field, {'weights', 'bias'})) ...
                    && any (strcmp (model.layers{tensor.layer}.type, {'dense', 'conv2d'}));
  end
  job.expected = [];
  if ~job.with_data
    return
  end
  plan = octcompress.model.plan (caller, model);
  job.places = cellfun (@(size_of) prod (size_of(1:end-1)), plan.sizes);
  [x, ranges] = octcompress.model.batches (caller, model, options.data, 1);
  count = size (ranges, 1);
  fit = count - floor (double (options.held_out) * count);
  if fit == 0
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  job.x = part_of (x, model, 1:fit);
  job.held = part_of (x, model, fit + 1:count);
  [job.sensitivity, job.power] = octcompress.quant.output_sensitivity (caller, model, ...
      part_of (x, model, 1:min (fit, options.sensitivity)), options.batch_size, options.seed);
  if fit < count
    job.expected = outputs (model, job.held, options.batch_size);
  end
end

function x = part_of (x, model, which)
  if numel (model.input_size) == 3
    x = x(:, :, :, which);
  else
    x = x(:, which, :);
  end
end

function y = outputs (model, x, batch_size)
  y = nn_predict (model, x, 'batch_size', batch_size);
  if iscell (y)
    y = cellfun (@(v) reshape (v, [], octcompress.model.observations (x, model.input_size)), y, ...
                 'UniformOutput', false);
    y = vertcat (y{:});
  end
  y = double (y);
end

function yes = is_vector (w, tensor)
  yes = sum (size (w) > 1) < 2 && ~strcmp (tensor.field, 'weights');
end

function best = attempt (original, job, tradeoff)
  %  The whole network at one tradeoff.
  model = original;
  bit = tradeoff / max (job.total, 1);   % the share of the power that one bit is worth
  coarse = {'coarseness', job.options.coarseness, 'damping', job.options.damping};
  rows = cell (1, numel (job.tensors));
  for i = 1:numel (job.tensors)
    tensor = job.tensors{i};
    w = subsref (model, tensor.path);
    zeros_kept = [];
    if ~isempty (octcompress.model.promise (model, tensor, 'pruning'))
      zeros_kept = w == 0;
    end
    if job.fitted(i)
      price = octcompress.quant.row_prices (bit, job.sensitivity{tensor.layer}, job.power);
    end
    if job.fitted(i) && strcmp (tensor.field, 'weights')
      layer = model.layers{tensor.layer};
      fit = fit_to_inputs (model, original, job, tensor.layer);
      [codes, found] = octcompress.quant.rdoq (fit.target, fit.gram, price, coarse{:}, 'zeros', ...
                                               as_matrix (zeros_kept, tensor, layer));
      codes = octcompress.model.matrix_weights (codes, setfield (layer, 'weights', double (w)));
    elseif job.fitted(i)
      [codes, found] = octcompress.quant.rdoq (w(:), 1, price, coarse{:}, 'context', false);
    elseif is_vector (w, tensor)
      grid = octcompress.quant.choose_grid (double (w), 8);
      found = struct ('step', grid.scale, 'bits', 8 * numel (w));
      codes = double (octcompress.quant.encode_grid (double (w), grid));
    else
      matrix = by_rows (double (w));
      price = bit * max (sum (matrix(:) .^ 2), realmin);
      [codes, found] = octcompress.quant.rdoq (matrix, eye (size (matrix, 2)), price, coarse{:}, ...
                                               'zeros', by_rows (zeros_kept));
      if ndims (w) > 2
        codes = codes';
      end
    end
    codes = reshape (codes, size (w));
    grid = grid_for (codes, found.step, class (w));
    q = octcompress.quant.decode_grid (codes, grid, class (w));
    model = subsasgn (model, tensor.path, q);
    model = octcompress.model.promise (model, tensor, 'quantization', grid);
    if job.fitted(i) && strcmp (tensor.field, 'weights') && ~isempty (fit.bias)
      model.layers{tensor.layer}.bias = mean_bias (fit, model.layers{tensor.layer});
    end
    rows{i} = struct ('tensor', tensor.name, 'bits', grid.bits, 'step', double (grid.scale), ...
                      'count', numel (w), 'nonzeros', nnz (q), 'coded_bits', found.bits);
  end
  best = struct ('model', model, 'layers', {rows}, 'output_error', NaN);
  [~, packed] = nn_pack (model);
  best.run = struct ('tradeoff', tradeoff, 'bytes', packed.bytes, 'agreement', NaN);
  if ~isempty (job.expected)
    y = outputs (model, job.held, job.options.batch_size);
    [~, a] = max (y, [], 1);
    [~, b] = max (job.expected, [], 1);
    best.run.agreement = mean (a(:) == b(:));
    best.output_error = sum ((y(:) - job.expected(:)) .^ 2) / sum (job.expected(:) .^ 2);
  end
end

function fit = fit_to_inputs (model, original, job, k)
  %  What the layer should compute on the inputs that it now gets.
  layer = original.layers{k};
  x = job.x;
  if strcmp (layer.type, 'conv2d')
    count = octcompress.model.observations (x, original.input_size);
    x = part_of (x, original, 1:min (count, max (2000, ceil (2e5 / job.places(k)))));
  end
  stats = octcompress.model.input_gram ('nn_rdoq', model, x, k, job.options.batch_size, original);
  fit.bias = [];
  if isfield (layer, 'bias')
    fit.bias = layer.bias;
  end
  fit.w = double (octcompress.model.weights_matrix (layer));
  fit.target = fit.w;
  fit.gram = zeros (size (stats.gram));
  fit.rows = reshape (1:size (fit.w, 1), [], size (stats.gram, 3));
  for g = 1:size (fit.rows, 2)
    r = fit.rows(:, g);
    fit.parts{g} = octcompress.model.stats_of_group (stats, g);
    fit.target(r, :) = octcompress.quant.refit (fit.parts{g}, fit.w(r, :), ...
                                                bias_of (fit, r), ...
                                                job.options.damping);
    fit.gram(:, :, g) = octcompress.quant.centre (fit.parts{g}, ~isempty (fit.bias)) / stats.count;
  end
end

function bias = bias_of (fit, rows)
  bias = [];
  if ~isempty (fit.bias)
    bias = fit.bias(rows);
  end
end

function bias = mean_bias (fit, layer)
  bias = fit.bias;
  q = double (octcompress.model.weights_matrix (layer));
  for g = 1:numel (fit.parts)
    r = fit.rows(:, g);
    bias(r) = octcompress.quant.corrected_bias (fit.parts{g}, fit.w(r, :), fit.bias(r), q(r, :));
  end
end

function matrix = as_matrix (values, tensor, layer)
  %  As octcompress.model.weights_matrix has the weights.
  matrix = [];
  if ~isempty (values)
    layer.(tensor.field) = values;
    matrix = octcompress.model.weights_matrix (layer);
  end
end

function matrix = by_rows (values)
  %  The last dimension of an array of more than two as the rows, as coding sees it.
  matrix = values;
  if ndims (values) > 2
    matrix = reshape (values, [], size (values, ndims (values)))';
  end
end

function grid = grid_for (codes, step, class_name)
  %  Twelve bits of a step do, and the last ones of what comes from products hang on the BLAS.
  [fraction, exponent] = log2 (step);
  step = round (fraction * 4096) / 4096 * 2 ^ exponent;
  bits = max (2, 1 + ceil (log2 (max ([abs(codes(:)); 0]) + 1)));
  grid = struct ('bits', bits, 'scheme', 'symmetric', 'scale', cast (step, class_name), ...
                 'zero_point', zeros (1, class_name), 'axis', 0);
end

function [best, runs] = search (caller, model, job, options)
  %  Where one tradeoff reaches the target and another does not, log (tradeoff) is halved between
  %  them, or interpolated along log (bytes).
  by_bytes = ~isempty (options.bytes);
  best = [];
  runs = {};
  inside = [];
  outside = [];
  x = log (double (options.tradeoff));
  for run = 1:options.runs
    found = attempt (model, job, exp (x));
    runs{end + 1} = found.run; %#ok<AGROW>
    if by_bytes
      reached = found.run.bytes <= options.bytes;
      place = [x, log(found.run.bytes / double (options.bytes))];
    else
      reached = 1 - found.run.agreement <= options.max_drop;
      place = [x, 0];
    end
    if reached
      best = found;
      inside = place;
    else
      outside = place;
    end
    if isempty (inside) || isempty (outside)
      if by_bytes
        %  Bytes fall about as tradeoff ^ -0.4, where most of them are codes.
        x = x + min (max (2.5 * 2 ^ (run - 1) * place(2), -3), 3) + 0.02;
      elseif isempty (inside)
        x = x - log (4);
      else
        x = x + log (4);
      end
    else
      share = 0.5;
      if by_bytes
        share = min (max (inside(2) / (inside(2) - outside(2)), 0.1), 0.9);
      end
      x = inside(1) + share * (outside(1) - inside(1));
    end
    if by_bytes && reached && place(2) > -0.015 ...
       || ~isempty (inside) && ~isempty (outside) && abs (inside(1) - outside(1)) < 0.01
      break
    end
  end
  if isempty (best)
    if by_bytes
      octcompress.internal.fail (caller, 'budget', ...
        'BYTES is %g, but at a tradeoff of %g the network still takes %d; allow more RUNS', ...
        options.bytes, runs{end}.tradeoff, runs{end}.bytes);
    end
    octcompress.internal.fail (caller, 'budget', ...
      ['MAX_DROP is %g, but at a tradeoff of %g still %g of the observations changed their ' ...
       'class; allow more RUNS'], ...
      options.max_drop, runs{end}.tradeoff, 1 - runs{end}.agreement);
  end
end

%!shared model, X
%! rand ('twister', 3);
%! r = @(varargin) single (rand (varargin{:}) - 0.5);
%! mix = r (20, 20);
%! X = mix * r (20, 600);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', r (30, 20), ...
%!                        'bias', r (30, 1)), ...
%!                 struct('type', 'relu', 'name', 'r'), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', r (5, 30), 'bias', r (5, 1))};
%!function err = output_error (q, model, X)
%!  y = nn_predict (model, X);
%!  err = sum (sum ((nn_predict (q, X) - y) .^ 2)) / sum (y(:) .^ 2);
%!endfunction
%!function fraction = log2_fraction (x)
%!  [fraction, ~] = log2 (x);
%!endfunction
%!test % weights and biases are on their grids, and packing finds them there
%! [q, info] = nn_rdoq (model, 'data', X, 'tradeoff', 0.01);
%! for layer = q.layers([1 3])
%!   for field = {'weights', 'bias'}
%!     grid = layer{1}.quantization.(field{1});
%!     assert (octcompress.quant.snap_to_grid (layer{1}.(field{1}), grid), layer{1}.(field{1}));
%!     assert (mod (4096 * log2_fraction (double (grid.scale)), 1), 0);
%!   end
%! end
%! [packed, what] = nn_pack (q);
%! assert (info.bytes, what.bytes);
%! assert (cellfun (@(row) row.method, what.rows, 'UniformOutput', false), ...
%!         {'grid', 'grid', 'grid', 'grid'});
%! assert (isequaln (nn_unpack (packed), q));
%! assert (info.layers{1}.nonzeros, nnz (q.layers{1}.weights));
%! assert (info.output_error, output_error (q, model, X(:, 541:600)), 1e-6);
%! assert (info.agreement > 0.8);
%!test % a target in bytes: less error in as many than GPTQ
%! other = nn_quantize (model, 2, 'rounding', 'gptq', 'data', X(:, 1:540), 'bias', true);
%! [~, packed] = nn_pack (other);
%! [q, info] = nn_rdoq (model, 'data', X, 'bytes', packed.bytes, 'runs', 8);
%! assert (info.bytes <= packed.bytes);
%! assert (info.bytes > 0.9 * packed.bytes);
%! assert (output_error (q, model, X(:, 541:600)) < output_error (other, model, X(:, 541:600)));
%!test % a target in agreement
%! [q, info] = nn_rdoq (model, 'data', X, 'max_drop', 0.1, 'runs', 4);
%! assert (info.agreement >= 0.9);
%! assert (any (cellfun (@(run) run.agreement < 0.9, info.runs)));
%!test % pruned weights stay zero, a convolution in groups, a layer left alone
%! conv = struct ('type', 'conv2d', 'name', 'c', 'weights', single (rand (3, 3, 2, 6) - 0.5), ...
%!                'bias', single (rand (6, 1)), 'groups', 2);
%! image = struct ('input_size', [8 7 4], 'layers', {{conv, struct('type', 'relu'), ...
%!   struct('type', 'globalaveragepool'), struct('type', 'flatten'), ...
%!   struct('type', 'dense', 'name', 'd', 'weights', single (rand (3, 6)))}});
%! image = nn_prune (image, 'sparsity', 0.3, 'layers', 'c');
%! q = nn_rdoq (image, 'data', single (rand (8, 7, 4, 50)), 'layers', 'c', 'tradeoff', 1e-4);
%! assert (all (q.layers{1}.weights(image.layers{1}.weights == 0) == 0));
%! assert (size (q.layers{1}.weights), [3 3 2 6]);
%! assert (q.layers{5}.weights, image.layers{5}.weights);
%! assert (any (q.layers{1}.bias ~= image.layers{1}.bias));
%!test % without data: the relative error is the tradeoff's affair, whatever the scales
%! bag = struct ('A', rand (40, 30) - 0.5, 'B', single (1e4 * (rand (3, 4, 20) - 0.5)), 'b', ...
%!               rand (9, 1), 'note', 'text');
%! [q, info] = nn_rdoq (bag, 'tradeoff', 1e-3);
%! for field = {'A', 'B'}
%!   e = double (q.(field{1}) - bag.(field{1}));
%!   share = sum (e(:) .^ 2) / sum (double (bag.(field{1})(:)) .^ 2);
%!   assert (share > 1e-5 && share < 1e-2);
%! end
%! assert (class (q.B), 'single');
%! assert (q.note, 'text');
%! assert (isnan (info.agreement));
%! assert (numel (unique (round (q.b * 1e9))) <= 9);
%! [~, coarse] = nn_rdoq (bag, 'tradeoff', 0.1);
%! assert (coarse.bytes < info.bytes);
%!error <nn_rdoq: give one target: BYTES or MAX_DROP> nn_rdoq (model, 'data', X, 'bytes', 9, 'max_drop', 0.1)
%!error <nn_rdoq: MAX_DROP needs DATA, and a share of them HELD_OUT> nn_rdoq (model, 'max_drop', 0.1)
%!error <nn_rdoq: TRADEOFF must be a number from .*, but is 0> nn_rdoq (model, 'tradeoff', 0)
%!error <nn_rdoq: BYTES is 20, but at a tradeoff of 0.4\d* the network still takes \d+; allow more RUNS> nn_rdoq (model, 'bytes', 20, 'runs', 2)
%!error <nn_rdoq: MAX_DROP is 0, but at a tradeoff of 50 still 0\.\d+ of the observations changed> nn_rdoq (model, 'data', X, 'max_drop', 0, 'tradeoff', 50, 'runs', 1)
%!error <nn_rdoq: there is no option 'byte'; the options are data, tradeoff, bytes> nn_rdoq (model, 'byte', 3)
%!error <nn_rdoq: MODEL must be a network or a struct of arrays, but is 3> nn_rdoq (3)
%!error <nn_rdoq: DATA needs a network that can be computed> nn_rdoq (struct ('A', ones (2)), 'data', X)
%!error <nn_rdoq: X must have 20 features in each column> nn_rdoq (model, 'data', ones (3))
%!error <nn_rdoq: DATA must hold at least one observation> nn_rdoq (model, 'data', X(:, []))
%!error <nn_rdoq: W must be finite, but element 1 .*|nn_rdoq: W of 'A' must be finite> nn_rdoq (struct ('A', [NaN 1; 1 1]))
