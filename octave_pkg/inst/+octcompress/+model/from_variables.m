function model = from_variables (value, place, layout, options)
%FROM_VARIABLES  A network of arrays in variables or cells, one or two for each layer.
%
%   model = octcompress.model.from_variables (value, place, layout, options)
%
%   value    struct of variables; for 'cells' the cell or struct array
%   place    char, its name in the file ('' for the file itself)
%   layout   'theta': Theta1, Theta2, ... of out x (1 + in), bias first, a sigmoid after each
%            'cells': structs with w (or W, weights), b (or bias, biases) and perhaps activation
%            'variables': conv1_weight (out x in x kh x kw), fc1_weight (out x in), fc1_bias,
%            bn1_running_mean, ... as PyTorch has them
%   options  of octcompress.model.recognize
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.recognize.

  switch layout
    case 'theta'
      model = from_theta (value);
    case 'cells'
      model = from_cells (octcompress.model.elements (value), place, iscell (value), options);
    case 'variables'
      model = octcompress.model.from_names (value, options);
  end
end

function model = from_theta (value)
  count = numel (fieldnames (value));
  layers = {};
  for k = 1:count
    name = sprintf ('Theta%d', k);
    if ~isfield (value, name) || ~isfloat (value.(name))
      octcompress.internal.fail ('recognize', 'notNetwork', 'there is no matrix %s', name);
    end
    theta = value.(name);
    wide = size (theta, 2);
    layer = struct ('type', 'dense', 'name', name, 'weights', theta(:, 2:end), ...
                    'bias', theta(:, 1));
    layer.source.weights = octcompress.model.origin (name, size (theta), [1 2], 'part', [2 wide]);
    layer.source.bias = octcompress.model.origin (name, size (theta), [1 2], 'part', [1 1]);
    layers = [layers, {layer, struct('type', 'sigmoid')}]; %#ok<AGROW>
  end
  model.layers = layers;
end

function model = from_cells (elements, place, is_cell, options)
  layers = {};
  for k = 1:numel (elements)
    element = elements{k};
    names = fieldnames (element)';
    w_name = names{find(ismember (names, {'w', 'W', 'weights'}), 1)};
    b_name = names{find(ismember (names, {'b', 'B', 'bias', 'biases'}), 1)};
    where = sprintf ('%s(%d)', place, k);
    if is_cell
      where = sprintf ('%s{%d}', place, k);
    end
    w = element.(w_name);
    b = element.(b_name);
    order = [1 2];
    if numel (b) ~= size (w, 1) && numel (b) == size (w, 2)
      order = [2 1];  % observations are rows there
    end
    layer = struct ('type', 'dense', 'name', sprintf ('dense_%d', k), ...
                    'weights', permute (w, order), 'bias', reshape (b, [], 1));
    layer.source.weights = octcompress.model.origin ([where '.' w_name], size (w), order);
    layer.source.bias = octcompress.model.origin ([where '.' b_name], size (b), [1 2]);
    layers{end + 1} = layer; %#ok<AGROW>
    said = names(ismember (names, {'activation', 'act', 'f', 'transfer'}));
    if ~isempty (said)
      activation = element.(said{1});
    elseif isempty (options.activation)
      octcompress.internal.fail ('recognize', 'notNetwork', ...
        ['the activations between the layers are not in the file; give the option ' ...
         '''activation'', ''relu'', say']);
    else
      activation = '';
      if k < numel (elements)
        activation = options.activation;
      end
    end
    layers = [layers, octcompress.model.activation_layers(activation)]; %#ok<AGROW>
  end
  model.layers = layers;
end

%!test % Theta: bias first, a sigmoid after each
%! found = struct ('Theta1', [1 2 3; 4 5 6], 'Theta2', [7 8 9]);
%! model = octcompress.model.recognize (found);
%! assert (cellfun (@(l) l.type, model.layers, 'UniformOutput', false), ...
%!         {'dense', 'sigmoid', 'dense', 'sigmoid'});
%! assert (model.layers{1}.weights, [2 3; 5 6]);
%! assert (model.layers{1}.bias, [1; 4]);
%! assert (model.layers{1}.source.weights, ...
%!         struct ('name', 'Theta1', 'size', [2 3], 'permute', [1 2], 'part', [2 3]));
%! sigmoid = @(z) 1 ./ (1 + exp (-z));
%! x = [0.5; -1];
%! expected = sigmoid (found.Theta2 * [1; sigmoid(found.Theta1 * [1; x])]);
%! assert (nn_predict (model, x), expected, 1e-12);
%!test % matrices that are no chain stay what they are
%! found = struct ('Theta1', ones (2, 3), 'Theta2', ones (2, 5));
%! [model, report] = octcompress.model.recognize (found);
%! assert (isfield (model, 'Theta1'));
%! assert (~isempty (strfind (report.reason, 'Theta2')));
%!test % cells of structs, either way round
%! net = {struct('w', [1 2 3; 4 5 6], 'b', [1 2]), struct('w', [1 -1], 'b', 0.5)};
%! model = octcompress.model.recognize (struct ('net', {net}), struct ('activation', 'tanh'));
%! assert (nn_predict (model, [1; 0; 0]), [1 -1] * tanh ([2; 6]) + 0.5, 1e-12);
%! turned = {struct('W', net{1}.w', 'bias', [1 2], 'activation', 'tansig'), ...
%!           struct('W', [1; -1], 'bias', 0.5, 'activation', 'purelin')};
%! again = octcompress.model.recognize (struct ('net', {turned}));
%! assert (again.layers{1}.weights, net{1}.w);
%! assert (again.layers{1}.source.weights.permute, [2 1]);
%! assert (nn_predict (again, [1; 0; 0]), nn_predict (model, [1; 0; 0]), 1e-12);
%!error <recognize: the activations between the layers are not in the file> octcompress.model.from_variables ({struct('w', 1, 'b', 1)}, 'net', 'cells', struct ('activation', ''))
