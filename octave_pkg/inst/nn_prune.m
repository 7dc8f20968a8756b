function [model, info] = nn_prune (model, varargin)
%NN_PRUNE  Set the least important weights to zero.
%
%   [model, info] = nn_prune (model, 'threshold', t, ...)
%   [model, info] = nn_prune (model, 'sparsity', s, ...)
%   [model, info] = nn_prune (model, 'keep', n, ...)
%   [model, info] = nn_prune (model, 'structure', '2:4', ...)
%   [model, info] = nn_prune (model, 'target_macs', m, ...)
%   [w, info] = nn_prune (w, ...)
%
%   model  a network (docs/model-format.md), or any struct of arrays
%   w      a single or double array of any size; comes back in the same class and size
%
%   Options, as name-value pairs or a struct:
%     threshold ([])      zero where abs (w) < threshold * scale; with another criterion or
%                         structure where the score is below threshold * scale of the scores
%     scale ('max')       'max': the largest magnitude; 'std': the standard deviation; 'none': 1
%     sparsity ([])       zero the share 0 to 1 of smallest magnitude: exactly
%                         floor (sparsity * number of weights); of equal ones the first go. With a
%                         structure: as many groups as hold no more weights than that. A table,
%                         {'fc1', 0.9; 'fc2', 0.5} or a struct, gives each layer its own share;
%                         layers that it does not name are left alone
%     scope ('layer')     'layer': each tensor by itself; 'row': each output by itself; 'global':
%                         all of them as one; 'lamp': as one, by scores relative to the layer [5];
%                         'erk': by layer, with shares from the layers' sizes [6]
%     layers ([])         names or numbers of the layers to prune; all
%     bias (false)        true: biases and other vectors too
%     keep ([])           instead of sparsity: how many weights (or groups) stay, in each layer, or
%                         of all with the scopes global, lamp and erk
%     target_macs ([])    instead of sparsity: the least share at which the pruned network needs no
%                         more multiply-accumulates for an observation
%     target_bytes ([])   likewise, no more bytes (octcompress.prune.cost says how they are counted)
%     criterion ('magnitude')  what is least important:
%                         'magnitude'  the smallest weights [1]
%                         'taylor'     least gradient times weight [2]; needs data and labels
%                         'movement'   moved towards zero, by the gradient (data and labels) or
%                                      since the network BEFORE
%                         'obd'        least diag (Hessian) .* w .^ 2 [3]; needs data
%                         'obs'        optimal brain surgeon by layer [4]: chooses, and updates the
%                                      remaining weights and the bias; needs data, no labels
%                         'wanda'      least weight times norm of its input; needs data
%                         'batchnorm'  filters with the least scale in the next batchnorm layer
%                         'fpgm'       filters nearest to the geometric median
%                         'random'     the baseline
%                         a function   score = f (w) or f (w, layer), of the size of w
%     structure ('weight')  what is removed together: 'weight'; 'n:m' as '2:4': n of m neighbours
%                         stay; 'block'; 'row'; 'filter' (rows of convolutions); 'neuron' (rows of
%                         dense layers); 'column' (an input); 'channel' (an input channel). Rows,
%                         filters and neurons of the last layer stay unless layers names it, and
%                         each layer keeps one. nn_shrink makes the network smaller afterwards
%     block ([4 4])       rows and columns of a block, of octcompress.model.weights_matrix
%     norm ('l1')         'l1' or 'l2': how the magnitudes of a group are put together
%     data ([])           inputs for the criterion, as nn_predict takes them
%     labels ([])         their labels
%     before ([])         the network before its training, for 'movement'
%     batch_size (256)    observations at a time; 'taylor' and 'movement' make one gradient of them
%     seed (0)            for 'random' and the random signs of 'obd'
%     damping (0.01)      of 'obs' (octcompress.prune.obs_layer)
%     method ('auto')     of 'obs': 'exact', 'blocked' or 'auto'
%
%   info.options  the options as merged with the defaults
%   info.count, info.zeros, info.sparsity  over all the tensors that were chosen
%   info.layers   cell of structs, one for each tensor: tensor, count, zeros, sparsity, limit
%                 (smallest score kept with 'threshold', largest removed otherwise)
%   info.mask     for an array: logical, true where a weight is kept
%
%   The model keeps the promise in layer.pruning.weights: nn_train and nn_distill leave the zeros
%   where they are. Rule and choice by magnitude are those of [1]. For an array, data are the inputs
%   of a layer with these weights: the criteria obs and wanda can be had without a network.
%
%   Errors: octcompress:nn_prune:badValue, :unknownOption, :notFinite (names the layer),
%   :unknownLayer, :noTensors, :badType, :notModel, :badLayer, :badScore, :badInput, :badLabels.
%
%   Example:
%     model = nn_load ('lenet300.mat');
%     [small, info] = nn_prune (model, 'sparsity', 0.9, 'scope', 'global');
%
%   [1] Han et al., Learning both weights and connections for efficient neural networks,
%       NIPS 2015, arXiv:1506.02626.
%   [2] Molchanov et al., Pruning convolutional neural networks for resource efficient inference,
%       ICLR 2017, arXiv:1611.06440.
%   [3] LeCun, Denker, Solla, Optimal brain damage, NIPS 1989.
%   [4] Frantar, Singh, Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
%   [5] Lee et al., Layer-adaptive sparsity, ICLR 2021, arXiv:2010.07611.
%   [6] Evci et al., Rigging the lottery, ICML 2020, arXiv:1911.11134.
%
%   See also nn_shrink, nn_prune_train, nn_correct, nn_lowrank, nn_quantize, nn_train, nn_info.

  defaults.threshold = [];
  defaults.scale = 'max';
  defaults.sparsity = [];
  defaults.scope = 'layer';
  defaults.layers = [];
  defaults.bias = false;
  defaults.keep = [];
  defaults.target_macs = [];
  defaults.target_bytes = [];
  defaults.criterion = 'magnitude';
  defaults.structure = 'weight';
  defaults.block = [4 4];
  defaults.norm = 'l1';
  defaults.data = [];
  defaults.labels = [];
  defaults.before = [];
  defaults.batch_size = 256;
  defaults.seed = 0;
  defaults.damping = 0.01;
  defaults.method = 'auto';
  options = octcompress.internal.parse_options ('nn_prune', defaults, varargin);
  check_options (options);

  is_array = ~isstruct (model);
  if is_array
    if ~isempty (options.sparsity)
      octcompress.internal.check ('nn_prune', 'sparsity', options.sparsity, 'number', [0 1]);
    end
    octcompress.internal.check ('nn_prune', 'w', model, 'finite');
    tensors = {struct('name', 'array', 'owner', 'array', 'layer', 0, 'field', '')};
    arrays = {model};
    network = as_layer (model, options);
  else
    if octcompress.model.is_network (model)
      model = octcompress.model.tidy ('nn_prune', model);
    end
    require_network (model, options);
    [tensors, options.sparsity] = choose_tensors (model, options);
    arrays = cell (size (tensors));
    for k = 1:numel (tensors)
      arrays{k} = subsref (model, tensors{k}.path);
      octcompress.internal.check ('nn_prune', 'w', arrays{k}, 'finite', ...
                                  ['''' tensors{k}.name '''']);
    end
    network = model;
  end
  shapes = shapes_of (model, tensors, arrays);
  if is_array && ~isempty (network)
    tensors{1}.layer = 1;
    tensors{1}.field = 'weights';
  end

  wants_obs = strcmp (options.criterion, 'obs');
  scoring = options;
  if wants_obs
    scoring.criterion = 'magnitude';
  end
  scores = octcompress.prune.score_tensors ('nn_prune', network, tensors, arrays, shapes, scoring);
  rule = rule_of (options, scores, arrays, shapes);
  if ~isempty (options.target_macs) || ~isempty (options.target_bytes)
    rule.sparsity = share_for_target (model, tensors, arrays, scores, shapes, rule, options);
  end
  [masks, limits] = octcompress.prune.choose_masks ('nn_prune', scores, shapes, rule);
  if wants_obs
    [network, arrays, masks] = surgeon (network, tensors, shapes, masks, rule, options);
    for k = 1:numel (tensors)
      gone = double (scores{k}(masks{k}));
      limits(k) = max ([-Inf; gone(:)]);
    end
    if ~is_array
      model = network;
    end
  end

  info = struct ('options', options, 'count', 0, 'zeros', 0, 'sparsity', 0, 'layers', ...
                 {cell(1, numel (tensors))});
  for k = 1:numel (tensors)
    w = arrays{k};
    arrays{k} = [];
    w(masks{k}) = 0;
    zeros_now = numel (w) - nnz (w);
    row = struct ('tensor', tensors{k}.name, 'count', numel (w), 'zeros', zeros_now, ...
                  'sparsity', share (zeros_now, numel (w)), 'limit', double (limits(k)));
    info.layers{k} = row;
    info.count = info.count + row.count;
    info.zeros = info.zeros + row.zeros;
    if is_array
      info.mask = ~masks{k};
      model = w;
    else
      model = subsasgn (model, tensors{k}.path, w);
      model = octcompress.model.promise (model, tensors{k}, 'pruning', ...
                                         pruning_promise (options, rule, row, k));
    end
  end
  info.sparsity = share (info.zeros, info.count);
end

function check_options (options)
  caller = 'nn_prune';
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  structures = {'weight', 'block', 'row', 'filter', 'neuron', 'column', 'channel'};
  is_pattern = ischar (options.structure) && ~isempty (regexp (options.structure, '^\d+:\d+$', ...
                                                               'once'));
  if is_pattern
    n_m = sscanf (options.structure, '%d:%d');
    is_pattern = n_m(1) < n_m(2);
  end
  if ~is_pattern && ~any (strcmp (options.structure, structures))
    octcompress.internal.fail (caller, 'badValue', ...
      'STRUCTURE must be one of ''%s'', or ''n:m'' with n below m, as ''2:4'', but is %s', ...
      strjoin (structures, ''', '''), octcompress.internal.describe (options.structure));
  end
  ways = {'threshold', 'sparsity', 'keep', 'target_macs', 'target_bytes'};
  given = ways(~cellfun (@(name) isempty (options.(name)), ways));
  if is_pattern && ~isempty (given)
    octcompress.internal.fail (caller, 'badValue', ...
      'STRUCTURE ''%s'' says how much is removed: leave %s out', options.structure, ...
      upper (strjoin (given, ', ')));
  elseif ~is_pattern && numel (given) ~= 1
    octcompress.internal.fail (caller, 'badValue', ...
      'give either THRESHOLD or SPARSITY, as in nn_prune (model, ''sparsity'', 0.9)');
  elseif ~is_pattern
    if strcmp (given{1}, 'sparsity') && (isstruct (options.sparsity) || iscell (options.sparsity))
      check_table (options);
    elseif strcmp (given{1}, 'sparsity')
      check ('sparsity', 'number', [0 1]);
    elseif strcmp (given{1}, 'keep')
      check ('keep', 'integer', [0 Inf]);
    else
      check (given{1}, 'number', [0 Inf]);
    end
  end
  check ('scale', 'choice', {'max', 'none', 'std'});
  check ('scope', 'choice', {'layer', 'global', 'row', 'lamp', 'erk'});
  check ('bias', 'flag');
  if ~isa (options.criterion, 'function_handle')
    check ('criterion', 'choice', ...
           {'magnitude', 'taylor', 'movement', 'obd', 'obs', 'wanda', 'batchnorm', 'fpgm', ...
            'random'});
  end
  check ('norm', 'choice', {'l1', 'l2'});
  check ('batch_size', 'integer', [1 Inf]);
  check ('seed', 'integer', [0 2^32 - 1000]);
  check ('damping', 'number', [1e-12 1e6]);
  check ('method', 'choice', {'auto', 'exact', 'blocked'});
  block = options.block;
  if ~isnumeric (block) || numel (block) ~= 2 || any (block < 1) || any (block ~= fix (block))
    octcompress.internal.fail (caller, 'badValue', ...
                               'BLOCK must be two whole numbers from 1, but is %s', ...
                               octcompress.internal.describe (block));
  end
  check_together (caller, options);
end

function check_together (caller, options)
  by_rows = any (strcmp (options.structure, {'row', 'filter', 'neuron'}));
  if any (strcmp (options.criterion, {'batchnorm', 'fpgm'})) && ~by_rows
    octcompress.internal.fail (caller, 'badValue', ...
      ['the criterion ''%s'' judges whole filters: ' ...
       'STRUCTURE must be ''row'', ''filter'' or ''neuron'', ' ...
       'but is ''%s'''], options.criterion, options.structure);
  end
  if strcmp (options.criterion, 'obs') && (by_rows || options.bias || ~isempty (options.threshold))
    octcompress.internal.fail (caller, 'badValue', ...
      ['the criterion ''obs'' removes a given number of a layer''s inputs: it goes with the ' ...
       'structures ' ...
       '''weight'', ''n:m'', ''block'', ''column'' and ''channel'', without BIAS and THRESHOLD']);
  end
  if ~strcmp (options.structure, 'weight')
    if strcmp (options.scope, 'row')
      octcompress.internal.fail (caller, 'badValue', ...
                                 'SCOPE can be ''row'' with the structure ''weight'' only');
    elseif options.bias
      octcompress.internal.fail (caller, 'badValue', ...
                                 'BIAS can be true with the structure ''weight'' only');
    end
  end
end

function check_table (options)
  [names, shares] = table_of (options.sparsity);
  if isempty (names) || ~all (cellfun (@ischar, names)) ...
        || ~any (strcmp (options.scope, {'layer', 'row'}))
    octcompress.internal.fail ('nn_prune', 'badValue', ...
      ['a table in SPARSITY must be {''name'', share; ...} or a struct, and goes with the ' ...
       'scopes ' ...
       '''layer'' and ''row''']);
  end
  for k = 1:numel (names)
    octcompress.internal.check ('nn_prune', 'sparsity', shares{k}, 'number', [0 1]);
  end
end

function [names, shares] = table_of (table)
  if isstruct (table)
    names = fieldnames (table);
    shares = struct2cell (table);
  elseif size (table, 2) == 2
    names = table(:, 1);
    shares = table(:, 2);
  else
    names = {};
    shares = {};
  end
end

function require_network (model, options)
  criterion = options.criterion;
  if isa (criterion, 'function_handle')
    criterion = 'a function';
  end
  needs_labels = strcmp (criterion, 'taylor') || (strcmp (criterion, 'movement') ...
                                                  && isempty (options.before));
  needs_data = needs_labels || any (strcmp (criterion, {'obd', 'obs', 'wanda'}));
  if needs_data && isempty (options.data)
    octcompress.internal.fail ('nn_prune', 'badValue', ...
      'the criterion ''%s'' needs DATA, inputs as nn_predict takes them', criterion);
  end
  if needs_labels && isempty (options.labels)
    octcompress.internal.fail ('nn_prune', 'badValue', ...
                               'the criterion ''%s'' needs LABELS of DATA', criterion);
  end
  needs_network = needs_data || any (strcmp (criterion, {'batchnorm', 'movement'})) ...
        || ~isempty (options.target_macs);
  if needs_network && ~octcompress.model.is_network (model)
    octcompress.internal.fail ('nn_prune', 'notModel', ...
      ['the criterion ''%s'' and TARGET_MACS need a network that can be computed, but MODEL ' ...
       'is %s; ' ...
       'take another criterion, and SPARSITY'], criterion, octcompress.internal.describe (model));
  end
end

function network = as_layer (w, options)
  % An array with data is a layer of its own.
  network = [];
  if any (strcmp (options.criterion, {'obs', 'wanda'})) && ~isempty (options.data)
    layer = struct ('type', 'dense', 'name', 'array', 'weights', w);
    in = size (w, 2);
    if ndims (w) > 2
      layer.type = 'conv2d';
      in = [size(options.data, 1), size(options.data, 2), size(options.data, 3)];
    end
    network = octcompress.model.tidy ('nn_prune', struct ('layers', {{layer}}, 'input_size', in));
  end
  require_network (network, options);
end

function [tensors, shares] = choose_tensors (model, options)
  tensors = octcompress.model.select_tensors ('nn_prune', model, options.layers, options.bias);
  shares = options.sparsity;
  if isstruct (shares) || iscell (shares)
    [names, values] = table_of (shares);
    octcompress.model.select_tensors ('nn_prune', model, names, options.bias);
    owners = cellfun (@(t) t.owner, tensors, 'UniformOutput', false);
    [named, place] = ismember (owners, names);
    tensors = tensors(named);
    shares = [values{place(named)}];
  end
  if strcmp (options.structure, 'weight') || ~octcompress.model.is_network (model)
    return
  end
  wanted = {'dense', 'conv2d'};
  if strcmp (options.structure, 'filter')
    wanted = {'conv2d'};
  elseif strcmp (options.structure, 'neuron')
    wanted = {'dense'};
  end
  fits = cellfun (@(t) any (strcmp (model.layers{t.layer}.type, wanted)), tensors);
  if any (strcmp (options.structure, {'row', 'filter', 'neuron'})) && isempty (options.layers)
    last = last_weights (octcompress.model.plan ('nn_prune', model), model.layers);
    fits = fits & ~cellfun (@(t) any (t.layer == last), tensors);
  end
  if ~any (fits)
    octcompress.internal.fail ('nn_prune', 'noTensors', ...
      'MODEL has no layer of type %s (before the last one) that could be pruned by ''%s''', ...
      strjoin (wanted, ' or '), options.structure);
  end
  tensors = tensors(fits);
  if numel (shares) > 1
    shares = shares(fits);
  end
end

function last = last_weights (plan, layers)
  % The layers whose output reaches the network's with no other weights between.
  last = [];
  open = plan.outputs;
  while ~isempty (open)
    k = open(1);
    open(1) = [];
    if isfield (layers{k}, 'weights')
      last(end + 1) = k; %#ok<AGROW>
    else
      open = [open, plan.inputs{k}(plan.inputs{k} > 0)]; %#ok<AGROW>
    end
  end
end

function shapes = shapes_of (model, tensors, arrays)
  shapes = cell (size (tensors));
  for k = 1:numel (tensors)
    layer = [];
    if tensors{k}.layer > 0
      layer = model.layers{tensors{k}.layer};
    end
    shapes{k} = octcompress.prune.matrix_shape (arrays{k}, layer);
  end
end

function rule = rule_of (options, scores, arrays, shapes)
  rule = struct ('structure', options.structure, 'scope', options.scope, 'sparsity', ...
                 options.sparsity, ...
                 'keep', options.keep, 'threshold', {{}}, 'spare', 0);
  if any (strcmp (options.structure, {'row', 'filter', 'neuron'}))
    rule.structure = 'row';
    rule.spare = 1;
  elseif strcmp (options.structure, 'block')
    rule.structure = options.block;
  end
  if isempty (options.threshold)
    return
  end
  values = arrays;
  if ~strcmp (options.structure, 'weight')
    for k = 1:numel (scores)
      groups = octcompress.prune.group_map ([shapes{k}.rows shapes{k}.columns], rule.structure, ...
                                            shapes{k}.taps, shapes{k}.parts);
      groups = octcompress.prune.from_matrix (groups, shapes{k}, size (scores{k}));
      values{k} = octcompress.prune.group_score (scores{k}, groups);
    end
  elseif ~strcmp (options.criterion, 'magnitude') || strcmp (options.norm, 'l2')
    values = scores;
  end
  limit_of = @(v) octcompress.prune.threshold_limit (v, double (options.threshold), options.scale);
  if any (strcmp (options.scope, {'global', 'lamp'}))
    columns = cellfun (@(v) v(:), values(:), 'UniformOutput', false);
    rule.threshold = repmat ({limit_of(vertcat (columns{:}))}, 1, numel (values));
  else
    rule.threshold = cellfun (limit_of, values, 'UniformOutput', false);
  end
end

function s = share_for_target (model, tensors, arrays, scores, shapes, rule, options)
  % The cost falls as the share grows: halve the interval.
  kind = 'macs';
  target = double (options.target_macs);
  if isempty (target)
    kind = 'bytes';
    target = double (options.target_bytes);
  end
  cost = @(s) cost_at (s, kind, model, tensors, arrays, scores, shapes, rule);
  least = cost (1);
  if least > target
    octcompress.internal.fail ('nn_prune', 'badValue', ...
      'TARGET_%s is %g, but with all gone that may go MODEL still needs %g', upper (kind), ...
      target, least);
  end
  low = 0;
  high = 1;
  if cost (0) <= target
    high = 0;
  end
  while high - low > 2e-5
    middle = (low + high) / 2;
    if cost (middle) <= target
      high = middle;
    else
      low = middle;
    end
  end
  s = high;
end

function value = cost_at (s, kind, model, tensors, arrays, scores, shapes, rule)
  rule.sparsity = s;
  masks = octcompress.prune.choose_masks ('nn_prune', scores, shapes, rule);
  for k = 1:numel (tensors)
    w = arrays{k};
    w(masks{k}) = 0;
    if isstruct (model)
      model = subsasgn (model, tensors{k}.path, w);
    else
      model = w;
    end
  end
  value = octcompress.prune.cost (model, kind);
end

function [network, arrays, masks] = surgeon (network, tensors, shapes, masks, rule, options)
  % Layer after layer: each is fitted to the inputs that the pruned layers before it give.
  original = network;
  arrays = cell (size (tensors));
  for k = 1:numel (tensors)
    number = tensors{k}.layer;
    stats = octcompress.model.input_gram ('nn_prune', network, options.data, number, ...
                                          options.batch_size, original);
    layer = network.layers{number};
    w = octcompress.model.weights_matrix (layer);
    mask = octcompress.prune.to_matrix (masks{k}, shapes{k});
    if strcmp (rule.structure, 'weight')
      wish = nnz (mask);
    elseif ischar (rule.structure) && any (rule.structure == ':')
      n_m = sscanf (rule.structure, '%d:%d');
      groups = octcompress.prune.group_map (size (mask), rule.structure, shapes{k}.taps, ...
                                            shapes{k}.parts);
      wish = struct ('groups', groups, 'keep', n_m(1));
    else
      wish = by_saliency (w, stats, rule, nnz (mask), shapes{k}, options);
    end
    bias = [];
    if isfield (layer, 'bias')
      bias = double (layer.bias);
    end
    [w, bias, mask] = octcompress.prune.obs_layer (w, bias, stats, wish, options.damping, ...
                                                   options.method);
    network.layers{number}.weights = octcompress.model.matrix_weights (w, layer);
    if ~isempty (bias)
      network.layers{number}.bias = cast (bias, class (layer.bias));
    end
    arrays{k} = network.layers{number}.weights;
    masks{k} = octcompress.prune.from_matrix (mask, shapes{k}, size (arrays{k}));
  end
end

function mask = by_saliency (w, stats, rule, count, shape, options)
  % Whole groups: those whose weights have the least w^2 / diag (inverse Hessian).
  score = zeros (size (w));
  each = shape.rows / shape.parts;
  for g = 1:shape.parts
    rows = (g - 1) * each + (1:each);
    inverse = octcompress.prune.damped_inverse (stats.gram(:, :, g), options.damping);
    score(rows, :) = double (w(rows, :)) .^ 2 ./ diag (inverse)';
  end
  shape.by_rows = true;
  rule.counts = count;
  rule.scope = 'layer';
  rule.keep = [];
  mask = octcompress.prune.choose_masks ('nn_prune', {score}, {shape}, rule);
  mask = mask{1};
end

function value = pruning_promise (options, rule, row, k)
  amount = rule.sparsity;
  name = 'sparsity';
  if ~isempty (options.threshold)
    name = ['threshold-' options.scale];
    amount = options.threshold;
  elseif ~isempty (options.keep)
    name = 'keep';
    amount = options.keep;
  elseif isempty (amount)
    name = 'pattern';
    n_m = sscanf (options.structure, '%d:%d');
    amount = 1 - n_m(1) / n_m(2);
  end
  criterion = options.criterion;
  if isa (criterion, 'function_handle')
    criterion = func2str (criterion);
  end
  value = struct ('criterion', criterion, 'structure', options.structure, 'scope', ...
                  options.scope, ...
                  'rule', name, 'amount', double (amount(min (k, numel (amount)))), ...
                  'limit', row.limit, 'zeros', row.zeros);
end

function s = share (part, whole)
  s = part / max (whole, 1);
end

%!shared w, model
%! w = single ([0.1 -2; 1 -0.4; 0.39 10]);
%! dense = @(name, weights) struct ('type', 'dense', 'name', name, 'weights', single (weights), ...
%!                                  'bias', single (0.01 * ones (size (weights, 1), 1)));
%! model = struct ('layers', {{dense('a', [1 2; 3 4]), struct('type', 'relu'), ...
%!                             dense('b', [10 20; 30 0.5])}});
%!test % the article's rule: below 0.2 of the largest
%! [p, info] = nn_prune (w, 'threshold', 0.2);
%! assert (p, single ([0 -2; 0 0; 0 10]) .* (abs (w) >= 2));
%! assert ({info.count, info.zeros, info.sparsity}, {6, 4, 4 / 6});
%! assert (info.mask, abs (w) >= 2);
%! assert (class (p), 'single');
%!assert (nn_prune ([1 -2 3], 'threshold', 2, 'scale', 'none'), [0 -2 3])
%!assert (nn_prune ([1 3], 'threshold', 2, 'scale', 'std'), [0 3])
%!test % exactly floor (s * n), the first of equal ones
%! assert (nn_prune ([1 1 1 1 1], 'sparsity', 0.5), [0 0 1 1 1]);
%! assert (nn_prune ([3 -1 2], 'sparsity', 0.34), [3 0 2]);
%! assert (nn_prune ([3 -1 2], 'sparsity', 1), [0 0 0]);
%! assert (nn_prune ([3 -1 2], 'sparsity', 0), [3 -1 2]);
%!test % nothing in, nothing out
%! [p, info] = nn_prune (single ([]), 'sparsity', 0.5);
%! assert (p, single ([]));
%! assert (info.sparsity, 0);
%!test % a network: each layer by itself, biases untouched, the promise kept
%! [p, info] = nn_prune (model, 'sparsity', 0.5);
%! assert (p.layers{1}.weights, single ([0 0; 3 4]));
%! assert (p.layers{3}.weights, single ([0 20; 30 0]));
%! assert (p.layers{1}.bias, model.layers{1}.bias);
%! assert (p.layers{3}.pruning.weights.zeros, 2);
%! assert (info.layers{2}.tensor, 'b.weights');
%! assert (info.options.scope, 'layer');
%!test % all layers as one
%! p = nn_prune (model, 'sparsity', 0.5, 'scope', 'global');
%! assert ({p.layers{1}.weights, p.layers{3}.weights}, {single([0 0; 0 4]), single([10 20; 30 0])});
%! p = nn_prune (model, 'threshold', 0.1, 'scope', 'global');
%! assert (p.layers{1}.weights, single ([0 0; 3 4]));
%!test % one layer by name; biases when asked
%! p = nn_prune (model, 'sparsity', 1, 'layers', 'b', 'bias', true);
%! assert (p.layers{1}, setfield (model.layers{1}, 'weights_size', [2 2]));
%! assert ({p.layers{3}.weights, p.layers{3}.bias}, {single(zeros (2)), single([0; 0])});
%!test % not a network: other fields come back unchanged
%! bag = struct ('Theta1', [1 2; 3 4], 'note', 'text', 'b', [1 2]);
%! p = nn_prune (bag, 'sparsity', 0.5);
%! assert (p.Theta1, [0 0; 3 4]);
%! assert ({p.note, p.b}, {'text', [1 2]});
%! assert (p.octcompress_promises{1}.tensor, 'Theta1');
%!test % single and double together are compared as doubles
%! bag = struct ('A', single ([1 2; 3 4]), 'B', 1 + [1 2; 3 4] * 1e-12);
%! [~, info] = nn_prune (bag, 'sparsity', 0.5, 'scope', 'global');
%! assert (info.zeros, 4);
%!test % a table of shares; the number to keep
%! p = nn_prune (model, 'sparsity', {'b', 0.75});
%! assert ({p.layers{1}.weights, p.layers{3}.weights}, {model.layers{1}.weights, ...
%!                                                      single([0 0; 30 0])});
%! assert (p.layers{3}.pruning.weights.amount, 0.75);
%! q = nn_prune (model, 'sparsity', struct ('b', 0.75));
%! assert (q.layers, p.layers);
%! assert (nn_prune (w, 'keep', 2), single ([0 -2; 0 0; 0 10]));
%! p = nn_prune (model, 'keep', 2, 'scope', 'global');
%! assert ({nnz(p.layers{1}.weights), p.layers{3}.weights}, {0, single([0 20; 30 0])});
%!test % structures of an array
%! assert (nn_prune ([1 2; 3 4; 0 9], 'sparsity', 0.4, 'structure', 'row'), [0 0; 3 4; 0 9]);
%! assert (nn_prune ([1 2; 3 4; 0 9], 'sparsity', 0.5, 'structure', 'column'), [0 2; 0 4; 0 9]);
%! assert (nn_prune ([4 1 -3 2], 'structure', '2:4'), [4 0 -3 0]);
%! assert (nn_prune ([2 1 -3 2], 'sparsity', 0.5, 'structure', 'block', 'block', [1 2]), ...
%!         [0 0 -3 2]);
%!test % l1 and l2 of a row
%! assert (nn_prune ([3 3; 0 5], 'keep', 1, 'structure', 'row'), [3 3; 0 0]);
%! assert (nn_prune ([3 3; 0 5], 'keep', 1, 'structure', 'row', 'norm', 'l2'), [0 0; 0 5]);
%!test % neurons: not those of the last layer, and never all
%! p = nn_prune (model, 'sparsity', 0.5, 'structure', 'neuron');
%! assert ({p.layers{1}.weights, p.layers{3}.weights}, {single([0 0; 3 4]), ...
%!                                                      model.layers{3}.weights});
%! assert (p.layers{1}.pruning.weights.structure, 'neuron');
%! p = nn_prune (model, 'sparsity', 1, 'structure', 'neuron');
%! assert (p.layers{1}.weights, single ([0 0; 3 4]));
%! p = nn_prune (model, 'sparsity', 0.5, 'structure', 'row', 'layers', 'b');
%! assert (p.layers{3}.weights, single ([0 0; 30 0.5]));
%!test % criteria that read data, on a network and on an array
%! X = single ([1 2 3 0.5 4; 0 1 -1 2 2]);
%! Y = [1 2 1 2 1];
%! for criterion = {'taylor', 'movement', 'obd', 'wanda', 'obs'}
%!   [p, info] = nn_prune (model, 'sparsity', 0.5, 'criterion', criterion{1}, 'data', X, ...
%!                         'labels', Y);
%!   assert ({info.zeros, info.layers{1}.zeros, info.layers{2}.zeros}, {4, 2, 2});
%!   assert (p.layers{1}.pruning.weights.criterion, criterion{1});
%!   assert (class (p.layers{1}.weights), 'single');
%! end
%! assert (nn_prune ([1 2; 3 4], 'sparsity', 0.5, 'criterion', 'wanda', 'data', [10 10; 1 1]), ...
%!         [1 0; 3 0]);
%! p = nn_prune ([1 2; 3 4], 'sparsity', 0.5, 'criterion', 'obs', 'data', [1 1; 1 1], ...
%!               'damping', 1e-9);
%! assert (p * [1; 1], [3; 7], 1e-6);
%! assert (nnz (p), 2);
%!test % convolutions: filters, channels, patterns over channels, batch norm scales, OBS
%! some = @(varargin) reshape (sin ((1:prod ([varargin{:}])) .^ 2), varargin{:});
%! net = struct ('input_size', [6 5 2], 'layers', {{ ...
%!   struct('type', 'conv2d', 'name', 'c', 'weights', some (3, 3, 2, 4), 'weights_size', ...
%!          [3 3 2 4], 'bias', some (4, 1)), ...
%!   struct('type', 'batchnorm', 'name', 'n', 'scale', [3; -1; 2; 4], 'offset', zeros (4, 1), ...
%!          'mean', zeros (4, 1), 'variance', ones (4, 1)), ...
%!   struct('type', 'relu', 'name', 'r'), ...
%!   struct('type', 'conv2d', 'name', 'd', 'weights', some (2, 2, 4, 3), 'weights_size', ...
%!          [2 2 4 3], 'bias', some (3, 1)), ...
%!   struct('type', 'flatten', 'name', 'f'), struct('type', 'dense', 'name', 'e', 'weights', ...
%!                                                  some (3, 18), 'bias', zeros (3, 1))}});
%! X = some (6, 5, 2, 30);
%! Y = mod (0:29, 3) + 1;
%! dead = @(w) squeeze (all (all (all (w == 0, 1), 2), 3))';
%! p = nn_prune (net, 'sparsity', 0.5, 'structure', 'filter', 'criterion', 'batchnorm', ...
%!               'layers', 'c');
%! assert (dead (p.layers{1}.weights), logical ([0 1 1 0]));
%! [p, info] = nn_prune (net, 'sparsity', 0.5, 'structure', 'filter');
%! assert (cellfun (@(row) row.tensor, info.layers, 'UniformOutput', false), ...
%!         {'c.weights', 'd.weights'});
%! assert ([sum(dead (p.layers{1}.weights)), sum(dead (p.layers{4}.weights))], [2 1]);
%! p = nn_prune (net, 'sparsity', 0.5, 'structure', 'channel', 'layers', 'd');
%! assert (sum (dead (permute (p.layers{4}.weights, [1 2 4 3]))), 2);
%! p = nn_prune (net, 'structure', '2:4', 'layers', 'd');
%! assert (sum (p.layers{4}.weights == 0, 3), 2 * ones (2, 2, 1, 3));
%! y = nn_predict (net, X);
%! plain = nn_prune (net, 'sparsity', 0.5);
%! obs = nn_prune (net, 'sparsity', 0.5, 'criterion', 'obs', 'data', X);
%! assert (norm (nn_predict (obs, X) - y, 'fro') < 0.7 * norm (nn_predict (plain, X) - y, 'fro'));
%! for criterion = {'taylor', 'movement', 'obd', 'wanda'}
%!   [~, info] = nn_prune (net, 'sparsity', 0.5, 'criterion', criterion{1}, 'data', X, 'labels', Y);
%!   assert (info.zeros, 36 + 24 + 27);
%! end
%! p = nn_prune (net, 'target_macs', 600, 'structure', 'row', 'scope', 'global');
%! [small, info] = nn_shrink (p);
%! assert (info.macs(2) <= 600);
%! assert (nn_predict (small, X), nn_predict (p, X), 1e-10);
%!test % a function as criterion; the random baseline
%! assert (nn_prune ([1 2 3 4], 'sparsity', 0.5, 'criterion', @(w) -w), [1 2 0 0]);
%! a = nn_prune (ones (10), 'sparsity', 0.5, 'criterion', 'random');
%! assert (nnz (a), 50);
%! assert (nn_prune (ones (10), 'sparsity', 0.5, 'criterion', 'random'), a);
%!test % scopes
%! p = nn_prune (model, 'sparsity', 0.5, 'scope', 'lamp');
%! assert (nnz (p.layers{1}.weights) + nnz (p.layers{3}.weights), 4);
%! assert (nn_prune ([1 2; 30 40], 'sparsity', 0.5, 'scope', 'row'), [0 2; 0 40]);
%! [p, info] = nn_prune (model, 'sparsity', 0.5, 'scope', 'erk');
%! assert (info.zeros, 4);
%!test % as many multiply-accumulates as allowed
%! p = nn_prune (model, 'target_macs', 5, 'scope', 'global');
%! assert (nnz (p.layers{1}.weights) + nnz (p.layers{3}.weights), 5);
%!error <nn_prune: give either THRESHOLD or SPARSITY> nn_prune (w)
%!error <nn_prune: give either THRESHOLD or SPARSITY> nn_prune (w, 'sparsity', 0.5, 'threshold', 1)
%!error <nn_prune: SPARSITY must be a number from 0 to 1, but is 1.5> nn_prune (w, 'sparsity', 1.5)
%!error <nn_prune: there is no option 'sparsty'; the options are threshold, scale, sparsity> nn_prune (w, 'sparsty', 1)
%!error <nn_prune: W must be finite, but element 2 of 2 is NaN> nn_prune ([1 NaN], 'sparsity', 1)
%!error <nn_prune: W of 'b.weights' must be finite, but element 1 of 1 is Inf>
%! nn_prune (struct ('layers', {{struct('type', 'dense', 'name', 'b', 'weights', Inf)}}), ...
%!           'sparsity', 1);
%!error <nn_prune: LAYERS names 'c', but no layer with weights has that name or number> nn_prune (model, 'sparsity', 1, 'layers', 'c')
%!error <nn_prune: W must be a real single or double array, but is 1x2 int8> nn_prune (int8 ([1 2]), 'sparsity', 1)
%!error <nn_prune: STRUCTURE must be one of 'weight', .* but is '4:2'> nn_prune (w, 'structure', '4:2')
%!error <nn_prune: STRUCTURE '2:4' says how much is removed: leave SPARSITY out> nn_prune (w, 'structure', '2:4', 'sparsity', 0.5)
%!error <nn_prune: the criterion 'obs' needs DATA, inputs as nn_predict takes them> nn_prune (model, 'sparsity', 0.5, 'criterion', 'obs')
%!error <nn_prune: the criterion 'taylor' needs LABELS of DATA> nn_prune (model, 'sparsity', 0.5, 'criterion', 'taylor', 'data', [1; 2])
%!error <nn_prune: the criterion 'obs' and TARGET_MACS need a network> nn_prune (struct ('A', w), 'sparsity', 0.5, 'criterion', 'obs', 'data', [1; 2])
%!error <nn_prune: the criterion 'batchnorm' judges whole filters> nn_prune (model, 'sparsity', 0.5, 'criterion', 'batchnorm')
%!error <nn_prune: the criterion 'batchnorm' needs a batchnorm layer after 'a'> nn_prune (model, 'sparsity', 0.5, 'criterion', 'batchnorm', 'structure', 'neuron')
%!error <nn_prune: the criterion 'obs' removes a given number of a layer's inputs> nn_prune (model, 'sparsity', 0.5, 'criterion', 'obs', 'structure', 'neuron', 'data', 1)
%!error <nn_prune: SPARSITY must be a number from 0 to 1, but is 1x2 cell> nn_prune (w, 'sparsity', {'a', 0.5})
%!error <nn_prune: a table in SPARSITY must be> nn_prune (model, 'sparsity', {'a', 0.5}, 'scope', 'global')
%!error <nn_prune: TARGET_MACS is 1, but with all gone that may go MODEL still needs 4> nn_prune (model, 'target_macs', 1, 'structure', 'neuron')
