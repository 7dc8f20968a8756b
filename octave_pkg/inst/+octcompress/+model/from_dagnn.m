function model = from_dagnn (net, place, options)
%FROM_DAGNN  A network of ours of a saved MatConvNet DagNN.
%
%   model = octcompress.model.from_dagnn (net, place, options)
%
%   net      struct, what saveobj gives: layers (name, type, inputs, outputs, params, block), params
%            (name, value)
%   place    char, its name in the file
%   options  of octcompress.model.recognize; input_size, or net.meta.normalization.imageSize
%
%   dagnn.Conv, ConvTranspose, Pooling, ReLU, Sigmoid, SoftMax, BatchNorm, Sum, Concat, Scale,
%   DropOut; a Loss is left out, and its softmaxlog becomes a softmax.
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.recognize, octcompress.model.from_simplenn.

  theirs = octcompress.model.elements (net.layers);
  params = octcompress.model.elements (net.params);
  param_names = cellfun (@(p) p.name, params, 'UniformOutput', false);
  where = place;
  if ~isempty (place)
    where = [place '.'];
  end
  form = '%sparams(%d).value';
  if iscell (net.params)
    form = '%sparams{%d}.value';
  end
  in_size = input_size (net, options);
  made = struct ('from', {{}}, 'to', {{}});  % variables, and the layers that give them
  layers = {};
  wrong = {};
  inputs = {};
  for k = 1:numel (theirs)
    l = theirs{k};
    is_loss = ~isempty (strfind (l.type, 'Loss'));
    reads = cellstr (l.inputs);
    if is_loss
      reads = reads(1);
    end
    names = cell (1, numel (reads));
    for i = 1:numel (reads)
      at = find (strcmp (reads{i}, made.from), 1);
      if isempty (at)
        names{i} = 'input';
        inputs = union (inputs, reads(i));
      else
        names{i} = made.to{at};
      end
    end
    taken = reshape (cellstr (octcompress.layers.option (l, 'params', {})), 1, []);
    arrays = cell (1, numel (taken));
    places = cell (1, numel (taken));
    for i = 1:numel (taken)
      at = find (strcmp (taken{i}, param_names), 1);
      if isempty (at)
        octcompress.internal.fail ('recognize', 'notNetwork', ...
          'layer ''%s'' reads %s, which is no parameter', l.name, ...
          octcompress.internal.describe (taken{i}));
      end
      arrays{i} = params{at}.value;
      places{i} = sprintf (form, where, at);
    end
    [layer, fine] = convert (l, l.block, arrays, places);
    if ~fine
      wrong{end + 1} = sprintf ('layer %d (''%s'', %s)', k, l.name, l.type); %#ok<AGROW>
    end
    out = cellstr (l.outputs);
    if isempty (layer)
      made.from{end + 1} = out{1};
      made.to{end + 1} = names{1};
      continue
    end
    layer.name = l.name;
    layer.inputs = names;
    layers{end + 1} = layer; %#ok<AGROW>
    made.from{end + 1} = out{1};
    made.to{end + 1} = l.name;
  end
  if ~isempty (wrong)
    octcompress.internal.fail ('recognize', 'notNetwork', 'no layer of ours computes %s', ...
                               strjoin (wrong, ', '));
  elseif numel (inputs) ~= 1
    octcompress.internal.fail ('recognize', 'notNetwork', ...
      'it has %d inputs (%s), where a network of ours has one', numel (inputs), ...
      strjoin (inputs, ', '));
  end
  model.layers = in_groups (layers, in_size);
  model.input_size = in_size;
end

function in_size = input_size (net, options)
  in_size = options.input_size;
  if isempty (in_size) && isfield (net, 'meta') && isfield (net.meta, 'normalization') ...
     && isfield (net.meta.normalization, 'imageSize')
    in_size = net.meta.normalization.imageSize;
  end
  if ~isnumeric (in_size) || numel (in_size) < 3
    octcompress.internal.fail ('recognize', 'notNetwork', ...
      ['the size of its input is not in the file; give the option ''input_size'', ' ...
       '[height width channels]']);
  end
  in_size = reshape (double (in_size(1:3)), 1, []);
end

function layers = in_groups (layers, in_size)
  % The groups of a convolution follow from the channels that it reads.
  keys = {'input'};
  values = {in_size};
  for k = 1:numel (layers)
    reads = cellfun (@(name) values{find(strcmp (name, keys), 1)}, layers{k}.inputs, ...
                     'UniformOutput', false);
    if strcmp (layers{k}.type, 'conv2d')
      groups = reads{1}(3) / layers{k}.weights_size(3);
      if groups ~= 1
        layers{k}.groups = groups;
      end
    end
    entry = octcompress.layers.types (layers{k}.type);
    if entry.inputs(2) == 1
      reads = reads{1};
    end
    keys{end + 1} = layers{k}.name; %#ok<AGROW>
    values{end + 1} = entry.run ('size', layers{k}, reads); %#ok<AGROW>
  end
end

function [layer, fine] = convert (l, block, arrays, places)
  get = @(name, default) octcompress.layers.option (block, name, default);
  fine = true;
  layer = [];
  common = {'dagnn.Conv', 'dagnn.ConvTranspose', 'dagnn.Pooling', 'dagnn.ReLU', ...
            'dagnn.Sigmoid', 'dagnn.SoftMax', 'dagnn.DropOut', 'dagnn.BatchNorm'};
  kinds = {'conv', 'convt', 'pool', 'relu', 'sigmoid', 'softmax', 'dropout', 'bnorm'};
  switch l.type
    case common
      if isfield (block, 'poolSize')
        block.pool = block.poolSize;
      end
      [layer, fine] = octcompress.model.matconvnet_layer (kinds{strcmp(l.type, common)}, ...
                                                          block, arrays, places);
    case 'dagnn.Sum'
      layer = struct ('type', 'add');
    case 'dagnn.Concat'
      axes = 'HWC';
      layer = struct ('type', 'concat', 'axis', axes(get ('dim', 3)));
    case 'dagnn.Scale'
      fine = ~isempty (arrays);
      if fine
        layer = struct ('type', 'scale', 'scale', reshape (arrays{1}, [], 1));
        layer.source.scale = octcompress.model.origin (places{1}, size (arrays{1}), ...
                                                       1:ndims (arrays{1}));
      end
      if numel (arrays) > 1
        layer.offset = reshape (arrays{2}, [], 1);
        layer.source.offset = octcompress.model.origin (places{2}, size (arrays{2}), ...
                                                        1:ndims (arrays{2}));
      end
    case 'dagnn.Loss'
      if strcmp (get ('loss', 'softmaxlog'), 'softmaxlog')
        layer = struct ('type', 'softmax');
      end
    otherwise
      fine = ~isempty (strfind (l.type, 'Loss'));
  end
end

%!shared net
%! layer = @(name, type, inputs, outputs, params, block) struct ('name', name, 'type', type, ...
%!   'inputs', {inputs}, 'outputs', {outputs}, 'params', {params}, 'block', block);
%! window = struct ('stride', [1 1], 'pad', [1 1 1 1]);
%! net.layers = [layer('c1', 'dagnn.Conv', {'data'}, {'x1'}, {'f1', 'b1'}, window), ...
%!               layer('r1', 'dagnn.ReLU', {'x1'}, {'x2'}, {}, struct ('leak', 0)), ...
%!               layer('c2', 'dagnn.Conv', {'x2'}, {'x3'}, {'f2'}, window), ...
%!               layer('s', 'dagnn.Sum', {'x3', 'x2'}, {'x4'}, {}, struct ('numInputs', 2)), ...
%!               layer('bn', 'dagnn.BatchNorm', {'x4'}, {'x5'}, {'g', 'o', 'm'}, ...
%!                     struct ('epsilon', 1e-5)), ...
%!               layer('loss', 'dagnn.Loss', {'x5', 'label'}, {'objective'}, {}, ...
%!                     struct ('loss', 'softmaxlog'))];
%! net.params = struct ('name', {'f1', 'b1', 'f2', 'g', 'o', 'm'}, ...
%!                      'value', {sin(reshape (1:36, 3, 3, 2, 2)), [1 2], ...
%!                                cos(reshape (1:18, 3, 3, 1, 2)), [1; 2], [0; 1], [1 1; 0 2]});
%! net.meta.normalization.imageSize = [5 5 2 1];
%!test % a residual block, the second convolution by channel
%! [model, report] = octcompress.model.recognize (struct ('net', net));
%! assert (report, struct ('layout', 'dagnn', 'reason', ''));
%! assert (cellfun (@(l) l.type, model.layers, 'UniformOutput', false), ...
%!         {'conv2d', 'relu', 'conv2d', 'add', 'batchnorm', 'softmax'});
%! assert (model.layers{4}.inputs, {'c2', 'r1'});
%! assert (model.layers{3}.groups, 2);
%! assert (model.layers{3}.source.weights.name, 'net.params(3).value');
%! assert (size (nn_predict (model, ones (5, 5, 2, 3))), [5 5 2 3]);
%!test
%! net.layers(2).type = 'dagnn.LRN';
%! [~, report] = octcompress.model.recognize (net);
%! assert (report.reason, 'no layer of ours computes layer 2 (''r1'', dagnn.LRN)');
%!error <recognize: it has 2 inputs \(data, x3\)> net.layers(3) = []; octcompress.model.from_dagnn (net, 'net', struct ('input_size', []))
