function model = tidy (caller, model)
%TIDY  Check that a struct is a network of ours and fill in what may be left out.
%
%   model = octcompress.model.tidy (caller, model)
%
%   caller  char, the function the user called, for messages
%   model   struct with layers, a cell of scalar structs (docs/model-format.md)
%
%   Filled in: format, version, each layer's name ('dense_3': its type and place), weights_size,
%   and input_size where the first layer is dense.
%
%   Errors: octcompress:CALLER:notModel, :badLayer, :unknownType, :duplicateName.
%
%   See also octcompress.model.is_network, octcompress.model.plan.

  if ~octcompress.model.is_network (model)
    octcompress.internal.fail (caller, 'notModel', ...
      ['MODEL must be a struct with a cell LAYERS of structs that have a TYPE, but is %s; ' ...
       'of a file with arrays only, octcompress convert or the options of nn_load make a ' ...
       'network (docs/model-format.md)'], octcompress.internal.describe (model));
  end
  model.format = 'octcompress';
  model.version = 1;
  layers = model.layers;
  names = cell (1, numel (layers));
  [known, types] = octcompress.layers.types ();
  for k = 1:numel (layers)
    layer = layers{k};
    if ~ischar (layer.type) || ~isfield (types, layer.type)
      octcompress.internal.fail (caller, 'unknownType', ...
        'layer %d has the type %s, which is none of %s', k, ...
        octcompress.internal.describe (layer.type), strjoin (known, ', '));
    end
    if ~isfield (layer, 'name') || isempty (layer.name)
      layer.name = sprintf ('%s_%d', layer.type, k);
    end
    names{k} = layer.name;
    for parameter = types.(layer.type).prunable
      if ~isfield (layer, parameter{1}) || ~isfloat (layer.(parameter{1}))
        octcompress.internal.fail (caller, 'badLayer', ...
          'layer %d (''%s'', %s) must have %s, a single array', k, layer.name, layer.type, ...
          upper (parameter{1}));
      end
    end
    if isfield (layer, 'weights') && ~isfield (layer, 'weights_size')
      dims = 2 + 2 * any (strcmp (layer.type, {'conv2d', 'transposedconv2d'}));
      layer.weights_size = octcompress.layers.weights_size (layer, dims);
    end
    layers{k} = layer;
  end
  model.layers = layers;
  [sorted, order] = sort (names);
  twin = find (strcmp (sorted(1:end-1), sorted(2:end)), 1);
  if ~isempty (twin)
    octcompress.internal.fail (caller, 'duplicateName', ...
      'layers %d and %d have the same name, ''%s''; names must be unique', ...
      order(twin), order(twin + 1), sorted{twin});
  end
  if ~isfield (model, 'input_size') && strcmp (model.layers{1}.type, 'dense')
    model.input_size = size (model.layers{1}.weights, 2);
  end
  if ~isfield (model, 'input_size')
    octcompress.internal.fail (caller, 'notModel', ...
      ['MODEL must have INPUT_SIZE: the number of features, [height width channels] or ' ...
       '[features steps]']);
  end
end

%!shared model
%! model.layers = {struct('type', 'dense', 'weights', ones (2, 3, 'single')), ...
%!                 struct('type', 'relu')};
%!test
%! m = octcompress.model.tidy ('f', model);
%! assert ({m.format, m.version, m.input_size}, {'octcompress', 1, 3});
%! assert ({m.layers{1}.name, m.layers{2}.name}, {'dense_1', 'relu_2'});
%! assert (m.layers{1}.weights_size, [2 3]);
%! assert (octcompress.model.tidy ('f', m), m);
%!test % the sizes of a kernel are four, whatever Octave dropped
%! m = octcompress.model.tidy ('f', struct ('input_size', [8 8 1], 'layers', ...
%!                                          {{struct('type', 'conv2d', 'weights', ones (3, 3))}}));
%! assert (m.layers{1}.weights_size, [3 3 1 1]);
%!error <f: MODEL must be a struct with a cell LAYERS of structs that have a TYPE, but is 3> octcompress.model.tidy ('f', 3)
%!error <f: layer 2 has the type 'blob', which is none of dense> octcompress.model.tidy ('f', struct ('layers', {{model.layers{1}, struct('type', 'blob')}}))
%!error <f: layer 1 \('dense_1', dense\) must have WEIGHTS> octcompress.model.tidy ('f', struct ('layers', {{struct('type', 'dense')}}))
%!error <f: layers 1 and 2 have the same name, 'a'> octcompress.model.tidy ('f', struct ('layers', {{struct('type', 'relu', 'name', 'a'), struct('type', 'relu', 'name', 'a')}}))
%!error <f: MODEL must have INPUT_SIZE> octcompress.model.tidy ('f', struct ('layers', {{struct('type', 'relu')}}))
