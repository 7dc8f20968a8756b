function model = from_names (value, options)
%FROM_NAMES  A network of arrays that are named as PyTorch names them.
%
%   model = octcompress.model.from_names (value, options)
%
%   value    struct: conv1_weight (out x in x kh x kw), fc1_weight (out x in), fc1_bias,
%            bn1_running_mean, rnn_weight_ih_l0, ...
%   options  of octcompress.model.recognize: layers, or activation for a chain of dense layers
%
%   The order is that of options.layers. A flatten layer has the order 'chw' unless it is given.
%
%   Errors: octcompress:recognize:notNetwork, and those of octcompress.model.layer_spec.
%
%   See also octcompress.model.recognize.

  [names, fields] = split_names (value);
  items = options.layers;
  if isempty (items)
    items = chain (names, fields, value, options.activation);
  end
  kinds = octcompress.model.layer_spec ();
  layers = {};
  k = 1;
  while k <= numel (items)
    item = items{k};
    given = {};
    if k < numel (items) && ~ischar (items{k + 1})
      k = k + 1;
      given = items{k};
      if ~iscell (given)
        given = {given};
      end
    end
    if ~ischar (item) || ~any (strcmp (item, [names, kinds]))
      octcompress.internal.fail ('nn_load', 'badOption', ...
        ['LAYERS must name arrays of the file (%s) or layer types, but has %s; ' ...
         'the types are %s'], strjoin (names, ', '), octcompress.internal.describe (item), ...
        strjoin (kinds, ', '));
    end
    number = numel (layers) + 1;
    found = find (strcmp (item, names), 1);
    if isempty (found)
      layer = octcompress.model.layer_spec ('nn_load', number, item, given);
      if strcmp (item, 'flatten') && ~isfield (layer, 'order')
        layer.order = 'chw';
      end
    else
      layer = weighted (value, item, fields{found}, given);
    end
    layers{number} = layer; %#ok<AGROW>
    k = k + 1;
  end
  model.layers = layers;
  if ~isempty (options.input_size)
    model.input_size = options.input_size;
  end
end

function [names, fields] = split_names (value)
  % The layers' names, and for each its arrays' names after it.
  endings = ['_(weight|bias|running_mean|running_var|num_batches_tracked|' ...
             'weight_ih_l0|weight_hh_l0|bias_ih_l0|bias_hh_l0)$'];
  names = {};
  fields = {};
  for variable = fieldnames (value)'
    start = regexp (variable{1}, endings, 'once');
    if ~isempty (start)
      name = variable{1}(1:start-1);
      place = find (strcmp (name, names), 1);
      if isempty (place)
        names{end + 1} = name; %#ok<AGROW>
        place = numel (names);
        fields{place} = {}; %#ok<AGROW>
      end
      fields{place}{end + 1} = variable{1}(start + 1:end);
    end
  end
end

function items = chain (names, fields, value, activation)
  % Dense layers in the order of the file, each reading the one before.
  items = {};
  width = 0;
  for k = 1:numel (names)
    w = [];
    if any (strcmp (fields{k}, 'weight'))
      w = value.([names{k} '_weight']);
    end
    if ndims (w) > 2 || min (size (w)) < 1 || (k > 1 && size (w, 2) ~= width)
      octcompress.internal.fail ('recognize', 'notNetwork', ...
        ['the layers %s are no chain of dense layers in this order; give the option ' ...
         '''layers'''], strjoin (names, ', '));
    end
    width = size (w, 1);
    items{end + 1} = names{k}; %#ok<AGROW>
    if k < numel (names)
      items{end + 1} = activation; %#ok<AGROW>
    end
  end
end

function layer = weighted (value, name, fields, given)
  pairs = struct ();
  for i = 1:2:numel (given) - 1
    pairs.(given{i}) = given{i + 1};
  end
  if isfield (pairs, 'type')
    kind = pairs.type;
    pairs = rmfield (pairs, 'type');
  elseif any (strcmp (fields, 'running_mean'))
    kind = 'batchnorm';
  elseif any (strcmp (fields, 'weight_ih_l0'))
    w = size (value.([name '_weight_hh_l0']));
    kind = 'lstm';
    if w(1) == 3 * w(2)
      kind = 'gru';
    end
  elseif ndims (value.([name '_weight'])) == 4
    kind = 'conv2d';
  else
    kind = 'dense';
  end
  layer = struct ('type', kind, 'name', name);
  switch kind
    case {'conv2d', 'transposedconv2d'}
      w = value.([name '_weight']);
      there = [size(w, 1), size(w, 2), size(w, 3), size(w, 4)];
      order = [3 4 2 1];
      layer = take (layer, 'weights', value, 'weight', there, order);
      layer.weights_size = there(order);
      layer = take_column (layer, 'bias', value, 'bias');
    case 'dense'
      layer = take (layer, 'weights', value, 'weight', size (value.([name '_weight'])), [1 2]);
      layer = take_column (layer, 'bias', value, 'bias');
    case 'batchnorm'
      layer = take_column (layer, 'mean', value, 'running_mean');
      layer = take_column (layer, 'variance', value, 'running_var');
      layer.scale = ones (size (layer.mean), class (layer.mean));
      layer.offset = zeros (size (layer.mean), class (layer.mean));
      layer = take_column (layer, 'scale', value, 'weight');
      layer = take_column (layer, 'offset', value, 'bias');
    case 'prelu'
      layer = take_column (layer, 'slope', value, 'weight');
    case {'lstm', 'gru'}
      there = size (value.([name '_weight_ih_l0']));
      layer = take (layer, 'weights', value, 'weight_ih_l0', there, [1 2]);
      there = size (value.([name '_weight_hh_l0']));
      layer = take (layer, 'recurrent_weights', value, 'weight_hh_l0', there, [1 2]);
      layer = take_column (layer, 'bias', value, 'bias_ih_l0');
      layer = take_column (layer, 'recurrent_bias', value, 'bias_hh_l0');
    otherwise
      octcompress.internal.fail ('nn_load', 'badOption', ...
        'TYPE of ''%s'' in LAYERS must be a type with weights, but is %s', name, ...
        octcompress.internal.describe (kind));
  end
  for field = fieldnames (pairs)'
    layer.(field{1}) = pairs.(field{1});
  end
end

function layer = take (layer, field, value, ending, there, order)
  name = [layer.name '_' ending];
  if ~isfield (value, name)
    octcompress.internal.fail ('recognize', 'notNetwork', 'there is no array %s', name);
  end
  layer.(field) = permute (reshape (value.(name), there), order);
  layer.source.(field) = octcompress.model.origin (name, there, order);
end

function layer = take_column (layer, field, value, ending)
  name = [layer.name '_' ending];
  if isfield (value, name)
    layer.(field) = reshape (value.(name), [], 1);
    layer.source.(field) = octcompress.model.origin (name, size (value.(name)), [1 2]);
  end
end

%!shared found
%! w = single (reshape (1:50, 2, 1, 5, 5));
%! found = struct ('conv1_weight', w, 'conv1_bias', single ([1 2]), ...
%!                 'fc1_weight', single (reshape (1:24, 3, 8)), 'fc1_bias', single ([1 2 3]), ...
%!                 'note', 'text');
%!test % the order and what has no weights are given
%! items = {'conv1', {'stride', 2}, 'maxpool', 2, 'relu', 'flatten', 'fc1'};
%! options = struct ('layers', {items}, 'input_size', [11 11 1]);
%! [model, report] = octcompress.model.recognize (found, options);
%! assert (report, struct ('layout', 'variables', 'reason', ''));
%! conv = model.layers{1};
%! assert (conv.weights(2, 3, 1, 2), found.conv1_weight(2, 1, 2, 3));
%! assert (conv.weights_size, [5 5 1 2]);
%! assert ({conv.stride, conv.bias}, {2, single([1; 2])});
%! assert (conv.source.weights, octcompress.model.origin ('conv1_weight', [2 1 5 5], [3 4 2 1]));
%! assert (model.layers{4}.order, 'chw');
%! assert (size (nn_predict (model, ones (11, 11, 1, 2))), [3 2]);
%!test % without an order it stays a bag
%! [model, report] = octcompress.model.recognize (found);
%! assert (model, found);
%! assert (report.layout, '');
%!test % a chain of dense layers needs only the activation
%! bag = struct ('a_weight', [1 2; 3 4; 5 6], 'a_bias', [1 2 3], 'b_weight', [1 1 -1]);
%! model = octcompress.model.recognize (bag, struct ('activation', 'relu'));
%! assert (nn_predict (model, [1; -1]), [1 1 -1] * max ([0; 1; 2], 0));
%! [~, report] = octcompress.model.recognize (found, struct ('activation', 'relu'));
%! assert (report.reason, ['the layers conv1, fc1 are no chain of dense layers in this order; ' ...
%!                         'give the option ''layers''']);
%!test % batch normalisation, recurrent layers, prelu
%! bag = struct ('bn_running_mean', [1 2], 'bn_running_var', [3 4], 'bn_weight', [5 6], ...
%!               'r_weight_ih_l0', ones (12, 2), 'r_weight_hh_l0', ones (12, 3), ...
%!               'r_bias_ih_l0', ones (1, 12), 'g_weight_ih_l0', ones (6, 3), ...
%!               'g_weight_hh_l0', ones (6, 2), 'p_weight', [0.1 0.2]);
%! model = octcompress.model.recognize (bag, struct ('input_size', [2 NaN], ...
%!                                                   'layers', {{'bn', 'r', 'g', ...
%!                                              'p', {'type', 'prelu'}}}));
%! assert (cellfun (@(l) l.type, model.layers, 'UniformOutput', false), ...
%!         {'batchnorm', 'lstm', 'gru', 'prelu'});
%! assert ({model.layers{1}.scale, model.layers{1}.offset}, {[5; 6], [0; 0]});
%!test % a 1 x 1 kernel has lost its sizes
%! bag = struct ('c_weight', ones (3, 2));
%! options = struct ('layers', {{'c', {'type', 'conv2d'}}}, 'input_size', [4 4 2]);
%! options.activation = '';
%! model = octcompress.model.from_names (bag, options);
%! assert (model.layers{1}.weights_size, [1 1 2 3]);
%!error <nn_load: LAYERS must name arrays of the file \(conv1, fc1\) or layer types, but has 'c2'> octcompress.model.recognize (found, struct ('layers', {{'c2'}}))
%!error <nn_load: TYPE of 'fc1' in LAYERS must be a type with weights, but is 'relu'> octcompress.model.recognize (found, struct ('layers', {{'fc1', {'type', 'relu'}}}))
