function [model, info] = nn_lowrank (model, varargin)
%NN_LOWRANK  Replace layers by two thin ones: singular values, or principal components of outputs.
%
%   [model, info] = nn_lowrank (model, 'energy', 0.9, ...)
%   [model, info] = nn_lowrank (model, 'rank', 20, ...)
%   [model, info] = nn_lowrank (model, 'budget', 0.5, ...)
%   [model, info] = nn_lowrank (model, 'energy', 0.99, 'data', X, ...)
%
%   model  a network (docs/model-format.md)
%
%   Options, as name-value pairs or a struct:
%     energy ([])       the share of the squares to keep, 0 to 1: of the singular values, or with
%                       data of the variance of the layer's output
%     rank ([])         or the rank
%     budget ([])       or the share of the layer's weights that the two together may have
%     layers ([])       names or numbers of the layers; all of type dense and conv2d (groups 1)
%     data ([])         inputs, as nn_predict takes them: the layer's output is projected on its
%                       principal components over them [2]. Without data: singular value
%                       decomposition of the weights [1]
%     batch_size (256)  observations at a time
%
%   info.options  the options as merged with the defaults
%   info.layers   cell of structs: layer, rank, energy, before, after (numbers of weights), replaced
%                 (false where two layers would be larger, which are then left alone)
%
%   A dense layer 'fc' becomes 'fc_down' (rank x in, no bias) and 'fc' (out x rank, with the bias),
%   a convolution one of RANK channels with its kernel and stride, and one of 1 x 1. They are
%   ordinary layers: everything works on them. Promises of pruning and quantization of replaced
%   weights go.
%
%   Errors: octcompress:nn_lowrank:badValue, :unknownOption, :unknownLayer, :noTensors, :notFinite,
%   :notModel, :badInput.
%
%   [1] Denton et al., Exploiting linear structure within convolutional networks, NIPS 2014,
%       arXiv:1404.0736.
%   [2] Zhang et al., Accelerating very deep convolutional networks, 2015, arXiv:1505.06798.
%
%   See also nn_prune, nn_shrink, octcompress.prune.low_rank.

  caller = 'nn_lowrank';
  defaults.energy = [];
  defaults.rank = [];
  defaults.budget = [];
  defaults.layers = [];
  defaults.data = [];
  defaults.batch_size = 256;
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  rule = rule_of (caller, options);
  model = octcompress.model.tidy (caller, model);
  octcompress.model.plan (caller, model);
  tensors = octcompress.model.select_tensors (caller, model, options.layers, false);
  chosen = cellfun (@(t) t.layer, tensors);
  chosen = unique (chosen(arrayfun (@(k) is_plain (model.layers{k}), chosen)));
  if isempty (chosen)
    octcompress.internal.fail (caller, 'noTensors', ...
      ['none of the chosen layers is dense or an ungrouped conv2d; other types have no ' ...
       'low-rank form here']);
  end

  original = model;
  layers = cell (1, 2 * numel (model.layers));
  names = cellfun (@(layer) layer.name, model.layers, 'UniformOutput', false);
  rows = {};
  filled = 0;
  for k = 1:numel (model.layers)
    layer = original.layers{k};
    pieces = {layer};
    if any (k == chosen)
      octcompress.internal.check (caller, 'w', layer.weights, 'finite', ...
                                  ['''' layer.name '.weights''']);
      [pieces, row] = split (caller, original, k, rule, options, names);
      rows{end + 1} = row; %#ok<AGROW>
    end
    layers(filled + (1:numel (pieces))) = pieces;
    filled = filled + numel (pieces);
  end
  model.layers = layers(1:filled);
  info = struct ('options', options, 'layers', {rows});
end

function rule = rule_of (caller, options)
  given = {'energy', 'rank', 'budget'};
  given = given(cellfun (@(name) ~isempty (options.(name)), given));
  if numel (given) ~= 1
    octcompress.internal.fail (caller, 'badValue', ...
      'give one of ENERGY, RANK and BUDGET, as in nn_lowrank (model, ''energy'', 0.9)');
  end
  name = given{1};
  if strcmp (name, 'rank')
    octcompress.internal.check (caller, name, options.rank, 'integer', [1 Inf]);
  else
    octcompress.internal.check (caller, name, options.(name), 'number', [0 1]);
  end
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  rule = struct (name, double (options.(name)));
end

function yes = is_plain (layer)
  yes = strcmp (layer.type, 'dense') || (strcmp (layer.type, 'conv2d') && ...
        ~(isfield (layer, 'groups') && ~isempty (layer.groups) && layer.groups > 1));
end

function [pieces, row] = split (caller, model, k, rule, options, names)
  layer = model.layers{k};
  w = double (octcompress.model.weights_matrix (layer));
  shift = zeros (size (w, 1), 1);
  if isempty (options.data)
    [up, down, found] = octcompress.prune.low_rank (w, rule);
  else
    stats = octcompress.model.input_gram (caller, model, options.data, k, options.batch_size);
    centre = stats.total / stats.count;
    [up, down, found] = octcompress.prune.low_rank (w, rule, ...
                                                    stats.gram / stats.count - centre * centre');
    shift = (w - up * down) * centre;
  end
  row = struct ('layer', layer.name, 'rank', found.rank, 'energy', found.energy, 'before', ...
                numel (w), ...
                'after', numel (up) + numel (down), 'replaced', true);
  if row.after >= row.before
    row.after = row.before;
    row.replaced = false;
    pieces = {layer};
    return
  end
  for kind = {'pruning', 'quantization'}
    if isfield (layer, kind{1}) && isfield (layer.(kind{1}), 'weights')
      layer.(kind{1}) = rmfield (layer.(kind{1}), 'weights');
    end
  end
  first = layer;
  first.name = [layer.name '_down'];
  while any (strcmp (names, first.name))
    first.name = [first.name '_'];
  end
  for field = {'bias', 'pruning', 'quantization'}
    if isfield (first, field{1})
      first = rmfield (first, field{1});
    end
  end
  class_name = class (layer.weights);
  second = layer;
  if isfield (second, 'inputs')
    second.inputs = {first.name};
  end
  if strcmp (layer.type, 'dense')
    first.weights = cast (down, class_name);
    first.weights_size = size (down);
    second.weights = cast (up, class_name);
    second.weights_size = size (up);
  else
    sizes = octcompress.layers.weights_size (layer, 4);
    first.weights_size = [sizes(1:3), found.rank];
    first.weights = reshape (cast (down', class_name), first.weights_size);
    second = plain_convolution (second);
    second.weights_size = [1, 1, found.rank, sizes(4)];
    second.weights = reshape (cast (up', class_name), second.weights_size);
  end
  if any (shift ~= 0)
    bias = 0;
    if isfield (layer, 'bias') && ~isempty (layer.bias)
      bias = double (layer.bias);
    end
    second.bias = cast (bias + shift, class_name);
  end
  pieces = {first, second};
end

function layer = plain_convolution (layer)
  for field = {'stride', 'padding', 'dilation'}
    if isfield (layer, field{1})
      layer = rmfield (layer, field{1});
    end
  end
end

%!shared model, X, deep, images
%! some = @(varargin) single (reshape (sin ((1:prod ([varargin{:}])) .^ 2), varargin{:}));
%! X = some (6, 40);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', some (12, 6), 'bias', ...
%!                        some (12, 1)), struct('type', 'relu', 'name', 'r'), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', some (5, 12), 'bias', ...
%!                        some (5, 1), 'inputs', 'r')};
%! images = some (9, 8, 3, 4);
%! deep = struct ('input_size', [9 8 3], 'layers', {{struct('type', 'conv2d', 'name', 'c', ...
%!       'weights', some (3, 3, 3, 16), 'weights_size', [3 3 3 16], 'bias', some (16, 1), ...
%!       'stride', 2, 'padding', 'same')}});
%!test % two layers, the same function as the product of their weights
%! [p, info] = nn_lowrank (model, 'rank', 2);
%! assert (cellfun (@(l) l.name, p.layers, 'UniformOutput', false), ...
%!         {'a_down', 'a', 'r', 'b_down', 'b'});
%! assert ({size(p.layers{1}.weights), size(p.layers{2}.weights)}, {[2 6], [12 2]});
%! whole = model;
%! whole.layers{1}.weights = p.layers{2}.weights * p.layers{1}.weights;
%! whole.layers{3}.weights = p.layers{5}.weights * p.layers{4}.weights;
%! assert (nn_predict (p, X), nn_predict (whole, X), 1e-5);
%! assert (info.layers{1}, struct ('layer', 'a', 'rank', 2, 'energy', info.layers{1}.energy, ...
%!                                 'before', 72, 'after', 36, 'replaced', true));
%!test % left alone where it would grow
%! [p, info] = nn_lowrank (model, 'rank', 5, 'layers', 'b');
%! assert (numel (p.layers), 3);
%! assert (info.layers{1}.replaced, false);
%!test % convolutions keep stride and padding
%! [p, info] = nn_lowrank (deep, 'rank', 3);
%! assert (p.layers{1}.weights_size, [3 3 3 3]);
%! assert (p.layers{2}.weights_size, [1 1 3 16]);
%! y = nn_predict (p, images);
%! assert (size (y), [5 4 16 4]);
%! near = nn_lowrank (deep, 'budget', 0.99);
%! w = reshape (deep.layers{1}.weights, 27, 16)';
%! [a, b] = octcompress.prune.low_rank (w, struct ('budget', 0.99));
%! whole = deep;
%! whole.layers{1}.weights = reshape (single (a * b)', [3 3 3 16]);
%! assert (nn_predict (near, images), nn_predict (whole, images), 1e-4);
%!test % a projection is better on its data, for both kinds of layer, and keeps the mean
%! for each = {{model, X}, {deep, images}}
%!   [m, x] = each{1}{:};
%!   m.layers = m.layers(1);
%!   y = nn_predict (m, x);
%!   a = nn_predict (nn_lowrank (m, 'rank', 2, 'layers', 1), x);
%!   b = nn_predict (nn_lowrank (m, 'rank', 2, 'layers', 1, 'data', x), x);
%!   assert (norm (b(:) - y(:)) < norm (a(:) - y(:)));
%! end
%! b = nn_predict (nn_lowrank (deep, 'rank', 2, 'data', images), images);
%! assert (squeeze (mean (mean (mean (b, 1), 2), 4)), ...
%!         squeeze (mean (mean (mean (nn_predict (deep, images), 1), 2), 4)), 1e-4);
%!test % the result is trained like any other
%! p = nn_train (nn_lowrank (model, 'rank', 2), X, mod (1:40, 5) + 1, 'epochs', 1, 'verbose', ...
%!               false);
%! assert (numel (p.layers), 5);
%!error <nn_lowrank: give one of ENERGY, RANK and BUDGET> nn_lowrank (model)
%!error <nn_lowrank: give one of ENERGY, RANK and BUDGET> nn_lowrank (model, 'rank', 2, 'energy', 0.5)
%!error <nn_lowrank: ENERGY must be a number from 0 to 1, but is 2> nn_lowrank (model, 'energy', 2)
%!error <nn_lowrank: LAYERS names 'z'> nn_lowrank (model, 'rank', 2, 'layers', 'z')
