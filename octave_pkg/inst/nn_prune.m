function [model, info] = nn_prune (model, varargin)
%NN_PRUNE  Set the least important weights to zero.
%
%   [model, info] = nn_prune (model, 'threshold', t, ...)
%   [model, info] = nn_prune (model, 'sparsity', s, ...)
%   [w, info] = nn_prune (w, ...)
%
%   model  a network (docs/model-format.md), or any struct of arrays
%   w      a single or double array of any size; comes back in the same class and size
%
%   Options, as name-value pairs or a struct:
%     threshold ([])      zero where abs (w) < threshold * scale
%     scale ('max')       'max': the largest magnitude; 'std': the standard deviation; 'none': 1
%     sparsity ([])       zero the share 0 to 1 of smallest magnitude: exactly
%                         floor (sparsity * number of weights); of equal ones the first go
%     scope ('layer')     'layer': each tensor by itself; 'global': all of them as one
%     layers ([])         names or numbers of the layers to prune; all
%     bias (false)        true: biases and other vectors too
%
%   info.options  the options as merged with the defaults
%   info.count, info.zeros, info.sparsity  over all the tensors that were chosen
%   info.layers   cell of structs, one for each tensor: tensor, count, zeros, sparsity, limit
%                 (smallest magnitude kept with 'threshold', largest removed with 'sparsity')
%   info.mask     for an array: logical, true where a weight is kept
%
%   The model keeps the promise in layer.pruning.weights: nn_train and nn_distill leave the zeros
%   where they are. Rule and choice by magnitude are those of [1].
%
%   Errors: octcompress:nn_prune:badValue, :unknownOption, :notFinite (names the layer),
%   :unknownLayer, :noTensors, :badType.
%
%   Example:
%     model = nn_load ('lenet300.mat');
%     [small, info] = nn_prune (model, 'sparsity', 0.9, 'scope', 'global');
%
%   [1] Han et al., Learning both weights and connections for efficient neural networks,
%       NIPS 2015, arXiv:1506.02626.
%
%   See also nn_quantize, nn_train, nn_info.

  defaults.threshold = [];
  defaults.scale = 'max';
  defaults.sparsity = [];
  defaults.scope = 'layer';
  defaults.layers = [];
  defaults.bias = false;
  options = octcompress.internal.parse_options ('nn_prune', defaults, varargin);
  check_options (options);

  is_array = ~isstruct (model);
  if is_array
    tensors = {struct('name', 'array')};
    arrays = {model};
  else
    if octcompress.model.is_network (model)
      model = octcompress.model.tidy ('nn_prune', model);
    end
    tensors = octcompress.model.select_tensors ('nn_prune', model, options.layers, options.bias);
    arrays = cell (size (tensors));
    for k = 1:numel (tensors)
      arrays{k} = subsref (model, tensors{k}.path);
    end
  end
  for k = 1:numel (arrays)
    octcompress.internal.check ('nn_prune', 'w', arrays{k}, 'finite', where (is_array, tensors{k}));
  end

  info = struct ('options', options, 'count', 0, 'zeros', 0, 'sparsity', 0, 'layers', {cell(1, numel (tensors))});
  if strcmp (options.scope, 'global')
    groups = {1:numel(arrays)};
  else
    groups = num2cell (1:numel (arrays));
  end
  for g = 1:numel (groups)
    members = groups{g};
    [masks, limit] = choose (arrays(members), options);
    for i = 1:numel (members)
      k = members(i);
      w = arrays{k};
      arrays{k} = [];
      w(masks{i}) = 0;
      zeros_now = numel (w) - nnz (w);
      row = struct ('tensor', tensors{k}.name, 'count', numel (w), 'zeros', zeros_now, ...
                    'sparsity', share (zeros_now, numel (w)), 'limit', double (limit));
      info.layers{k} = row;
      info.count = info.count + row.count;
      info.zeros = info.zeros + row.zeros;
      if is_array
        info.mask = ~masks{i};
        model = w;
      else
        model = subsasgn (model, tensors{k}.path, w);
        model = octcompress.model.promise (model, tensors{k}, 'pruning', pruning_promise (options, row));
      end
    end
  end
  info.sparsity = share (info.zeros, info.count);
end

function check_options (options)
  caller = 'nn_prune';
  if isempty (options.threshold) == isempty (options.sparsity)
    octcompress.internal.fail (caller, 'badValue', ...
      'give either THRESHOLD or SPARSITY, as in nn_prune (model, ''sparsity'', 0.9)');
  end
  if isempty (options.sparsity)
    octcompress.internal.check (caller, 'threshold', options.threshold, 'number', [0 Inf]);
  else
    octcompress.internal.check (caller, 'sparsity', options.sparsity, 'number', [0 1]);
  end
  octcompress.internal.check (caller, 'scale', options.scale, 'choice', {'max', 'none', 'std'});
  octcompress.internal.check (caller, 'scope', options.scope, 'choice', {'layer', 'global'});
  octcompress.internal.check (caller, 'bias', options.bias, 'flag');
end

function [masks, limit] = choose (arrays, options)
  classes = cellfun (@class, arrays, 'UniformOutput', false);
  if ~all (strcmp (classes, classes{1}))
    arrays = cellfun (@double, arrays, 'UniformOutput', false);
  end
  if ~isempty (options.sparsity)
    count = floor (double (options.sparsity) * sum (cellfun (@numel, arrays)));
    magnitudes = cellfun (@abs, arrays, 'UniformOutput', false);
    [masks, limit] = octcompress.prune.smallest_mask (magnitudes, count);
    return
  end
  if isscalar (arrays)
    all_of_it = arrays{1};
  else
    columns = cellfun (@(w) w(:), arrays(:), 'UniformOutput', false);
    all_of_it = vertcat (columns{:});
  end
  limit = octcompress.prune.threshold_limit (all_of_it, double (options.threshold), options.scale);
  masks = cellfun (@(w) abs (w) < limit, arrays, 'UniformOutput', false);
end

function value = pruning_promise (options, row)
  if isempty (options.sparsity)
    rule = ['threshold-' options.scale];
    amount = options.threshold;
  else
    rule = 'sparsity';
    amount = options.sparsity;
  end
  value = struct ('criterion', 'magnitude', 'structure', 'weight', 'scope', options.scope, ...
                  'rule', rule, 'amount', double (amount), 'limit', row.limit, 'zeros', row.zeros);
end

function text = where (is_array, tensor)
  text = '';
  if ~is_array
    text = ['''' tensor.name ''''];
  end
end

function s = share (part, whole)
  s = part / max (whole, 1);
end

%!shared w, model
%! w = single ([0.1 -2; 1 -0.4; 0.39 10]);
%! dense = @(name, weights) struct ('type', 'dense', 'name', name, 'weights', single (weights), 'bias', single (0.01 * ones (size (weights, 1), 1)));
%! model = struct ('layers', {{dense('a', [1 2; 3 4]), struct('type', 'relu'), dense('b', [10 20; 30 0.5])}});
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
%!error <nn_prune: give either THRESHOLD or SPARSITY> nn_prune (w)
%!error <nn_prune: give either THRESHOLD or SPARSITY> nn_prune (w, 'sparsity', 0.5, 'threshold', 1)
%!error <nn_prune: SPARSITY must be a number from 0 to 1, but is 1.5> nn_prune (w, 'sparsity', 1.5)
%!error <nn_prune: there is no option 'sparsty'; the options are threshold, scale, sparsity> nn_prune (w, 'sparsty', 1)
%!error <nn_prune: W must be finite, but element 2 of 2 is NaN> nn_prune ([1 NaN], 'sparsity', 1)
%!error <nn_prune: W of 'b.weights' must be finite, but element 1 of 1 is Inf>
%! nn_prune (struct ('layers', {{struct('type', 'dense', 'name', 'b', 'weights', Inf)}}), 'sparsity', 1);
%!error <nn_prune: LAYERS names 'c', but no layer with weights has that name or number> nn_prune (model, 'sparsity', 1, 'layers', 'c')
%!error <nn_prune: W must be a real single or double array, but is 1x2 int8> nn_prune (int8 ([1 2]), 'sparsity', 1)
