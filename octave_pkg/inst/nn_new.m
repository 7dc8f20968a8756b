function model = nn_new (varargin)
%NN_NEW  Make a network, with initial weights.
%
%   model = nn_new ('input', size, type, arguments, type, arguments, ..., option, value, ...)
%
%   size       of one observation: F (features), [H W C] (image), [F T] (sequence; T = NaN: any
%              length)
%   type       a layer type of octcompress.layers.types, or 'depthwise'
%   arguments  of the layer: one value, or a cell of values and then of name-value pairs. A layer
%              that needs none has none.
%   model      the network (docs/model-format.md), weights in single
%
%   The values come in this order; what stands in brackets may be left out:
%
%   dense              units
%   conv2d             filters, kernel: scalar or [height width]
%   transposedconv2d   filters, kernel
%   depthwise          kernel, [multiplier (1)]: a conv2d in which each channel has its own filters
%   lstm, gru          units
%   maxpool            pool_size, [stride (pool_size)]
%   averagepool        pool_size, [stride (pool_size)]
%   dropout            [rate]
%   leakyrelu          [slope]
%   prelu              [slope (0.25)], with which each channel starts
%   elu                [alpha]
%   reshape            output_size
%   permute            dimensions
%   flatten            [order]
%   upsample           factor
%   zeropad            padding
%   scale              scale, [offset]
%   concat             [axis]
%   others             none
%
%   The pairs are the other fields of the layer (help octcompress.layers.conv2d and so on), and
%
%   name    text, unique ('conv2d_1': type and place)
%   inputs  cellstr of the layers it reads (the one before); 'input' is the network's input
%   bias    dense, conv2d, depthwise, transposedconv2d, lstm, gru: true, or false for none (true)
%
%   Options of the whole network, after the layers:
%
%   classes  cellstr, the names of the classes ({})
%   outputs  cellstr, the layers whose results are the network's (those that none reads)
%   seed     of the weights (0)
%   initial  'auto': as 'he' where the next activation is relu or of its kind, else as 'glorot';
%            'he', 'glorot' ('auto')
%
%   Weights are drawn by octcompress.train.initial_weights, layer after layer; biases are 0, those
%   of lstm's forget gates 1 [1]; batch normalisation starts as the identity.
%
%   Errors: octcompress:nn_new:badLayer, :badOption, :badValue, and those of a faulty network, each
%   naming the layer.
%
%   Example: LeNet-5, and a residual block
%     model = nn_new ('input', [28 28 1], 'conv2d', {20, 5}, 'maxpool', 2, ...
%                     'conv2d', {50, 5}, 'maxpool', 2, 'flatten', 'dense', 500, 'relu', ...
%                     'dense', 10);
%     model = nn_new ('input', [8 8 16], ...
%                     'conv2d', {16, 3, 'padding', 'same', 'bias', false}, 'batchnorm', 'relu', ...
%                     'conv2d', {16, 3, 'padding', 'same', 'name', 'last'}, ...
%                     'add', {'inputs', {'last', 'input'}});
%
%   [1] Jozefowicz et al., An empirical exploration of recurrent network architectures, ICML 2015.
%
%   See also nn_check, nn_train, nn_info, octcompress.layers.types.

  if nargin < 2 || ~strcmp (varargin{1}, 'input')
    octcompress.internal.fail ('nn_new', 'badLayer', ...
      'the first arguments must be ''input'' and the size of an observation');
  end
  input_size = check_size (varargin{2});
  [items, options] = split (varargin(3:end));
  layers = cell (1, numel (items));
  for k = 1:numel (items)
    layers{k} = octcompress.model.layer_spec ('nn_new', k, items{k}.type, items{k}.given);
  end

  random_before = octcompress.train.random ('seed', options.seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', random_before));
  names = {};
  sizes = {};
  for k = 1:numel (layers)
    where = sprintf ('layer %d (''%s'', %s)', k, layers{k}.name, items{k}.type);
    in_size = size_of_inputs (where, layers{k}, names, sizes, input_size);
    kind = options.initial;
    if strcmp (kind, 'auto')
      kind = kind_before (items, k);
    end
    layers{k} = with_parameters (where, layers{k}, items{k}, in_size, kind);
    names{k} = layers{k}.name;
    entry = octcompress.layers.types (layers{k}.type);
    try
      sizes{k} = entry.run ('size', layers{k}, in_size);
    catch problem
      octcompress.internal.fail ('nn_new', 'badSize', '%s: %s', where, problem.message);
    end
  end

  model = struct ('layers', {layers}, 'input_size', input_size);
  for name = {'classes', 'outputs'}
    if ~isempty (options.(name{1}))
      model.(name{1}) = cellstr (options.(name{1}));
    end
  end
  model = octcompress.model.tidy ('nn_new', model);
  octcompress.model.plan ('nn_new', model);
end

function s = check_size (s)
  fine = isnumeric (s) && any (numel (s) == 1:3);
  if fine
    s = double (s(:)');
    open = isnan (s) & numel (s) == 2 & (1:numel (s)) == 2;
    fine = all (open | (s >= 1 & s == fix (s)));
  end
  if ~fine
    octcompress.internal.fail ('nn_new', 'badValue', ...
      'the size of an observation must be F, [H W C] or [F T], but is %s', ...
      octcompress.internal.describe (s));
  end
end

function [items, options] = split (args)
  % Layers, each a struct of type and arguments (a cell), and the options of the network.
  options = struct ('classes', {{}}, 'outputs', {{}}, 'seed', 0, 'initial', 'auto');
  types = octcompress.model.layer_spec ();
  items = {};
  k = 1;
  while k <= numel (args)
    type = args{k};
    if ischar (type) && isfield (options, type)
      options = octcompress.internal.parse_options ('nn_new', options, args(k:end));
      break
    end
    if ~ischar (type) || ~any (strcmp (type, types))
      octcompress.internal.fail ('nn_new', 'badLayer', ...
        ['after %d layers there must be a layer type or an option (%s), but there is %s; ' ...
         'the types are %s'], numel (items), strjoin (fieldnames (options)', ', '), ...
        octcompress.internal.describe (type), strjoin (types, ', '));
    end
    given = {};
    % text is the next layer, unless this one takes text
    if k < numel (args) && ~ischar (args{k + 1})
      given = args{k + 1};
      if ~iscell (given)
        given = {given};
      end
      k = k + 1;
    end
    items{end + 1} = struct ('type', type, 'given', {given}); %#ok<AGROW>
    k = k + 1;
  end
  octcompress.internal.check ('nn_new', 'seed', options.seed, 'integer', [0 2^32-1]);
  kinds = {'auto', 'he', 'glorot'};
  octcompress.internal.check ('nn_new', 'initial', options.initial, 'choice', kinds);
end

function in_size = size_of_inputs (where, layer, names, sizes, input_size)
  if ~isfield (layer, 'inputs')
    in_size = input_size;
    if ~isempty (sizes)
      in_size = sizes{end};
    end
    reads = {in_size};
  else
    reads = cell (1, numel (layer.inputs));
    for i = 1:numel (reads)
      found = find (strcmp (layer.inputs{i}, names));
      if ~isempty (found)
        reads{i} = sizes{found(1)};
      elseif strcmp (layer.inputs{i}, 'input')
        reads{i} = input_size;
      else
        octcompress.internal.fail ('nn_new', 'badLayer', ...
          '%s reads ''%s'', but no layer before it has that name; they are %s', where, ...
          layer.inputs{i}, strjoin ([{'input'}, names], ', '));
      end
    end
  end
  entry = octcompress.layers.types (layer.type);
  if numel (reads) < entry.inputs(1) || numel (reads) > entry.inputs(2)
    octcompress.internal.fail ('nn_new', 'badLayer', ...
      '%s takes %d to %g inputs, but has %d; name them by its option ''inputs''', where, ...
      entry.inputs, numel (reads));
  end
  in_size = reads;
  if entry.inputs(2) == 1
    in_size = reads{1};
  end
end

function kind = kind_before (items, k)
  % Which initial weights suit the activation that comes next.
  rectifiers = {'relu', 'relu6', 'leakyrelu', 'prelu', 'elu', 'gelu', 'swish', 'hardswish'};
  others = {'sigmoid', 'hardsigmoid', 'tanh', 'softmax', 'logsoftmax', ...
            'dense', 'conv2d', 'depthwise', 'transposedconv2d', 'lstm', 'gru'};
  types = cellfun (@(item) item.type, items(k + 1:end), 'UniformOutput', false);
  next = find (ismember (types, [rectifiers, others]), 1);
  kind = 'glorot';
  if ~isempty (next) && any (strcmp (types{next}, rectifiers))
    kind = 'he';
  end
end

function layer = with_parameters (where, layer, item, in_size, kind)
  switch item.type
    case 'dense'
      units = whole (where, layer, 'units');
      layer = rmfield (layer, 'units');
      if numel (in_size) == 3
        octcompress.internal.fail ('nn_new', 'badSize', ...
          '%s cannot read an image [%s]; put a ''flatten'' before it', where, num2str (in_size));
      end
      layer = with_weights (layer, [units in_size(1)], kind, in_size(1), units, units);
    case {'conv2d', 'depthwise', 'transposedconv2d'}
      layer = convolution (where, layer, item, in_size, kind);
    case {'lstm', 'gru'}
      layer = recurrent (where, layer, in_size);
    case 'batchnorm'
      channels = channels_of (in_size);
      one = ones (channels, 1, 'single');
      layer.scale = one;
      layer.offset = 0 * one;
      layer.mean = 0 * one;
      layer.variance = one;
    case 'prelu'
      if ~isfield (layer, 'slope')
        layer.slope = 0.25;
      end
      layer.slope = repmat (single (layer.slope), channels_of (in_size) / numel (layer.slope), 1);
    case 'scale'
      layer.scale = single (layer.scale);
      if isfield (layer, 'offset')
        layer.offset = single (layer.offset);
      end
  end
end

function layer = convolution (where, layer, item, in_size, kind)
  if numel (in_size) ~= 3
    octcompress.internal.fail ('nn_new', 'badSize', ...
      '%s must read an image [height width channels], but its input has the size [%s]', where, ...
      num2str (in_size));
  end
  channels = in_size(3);
  kernel = layer.kernel;
  if ~isnumeric (kernel) || ~any (numel (kernel) == [1 2]) ...
     || any (kernel(:) < 1 | kernel(:) ~= fix (kernel(:)))
    octcompress.internal.fail ('nn_new', 'badValue', ...
      'KERNEL of %s must be a positive whole number or [height width], but is %s', where, ...
      octcompress.internal.describe (kernel));
  end
  kernel = double (kernel(:)') .* [1 1];
  layer = rmfield (layer, 'kernel');
  if strcmp (item.type, 'depthwise')
    filters = channels;
    if isfield (layer, 'multiplier')
      filters = channels * whole (where, layer, 'multiplier');
      layer = rmfield (layer, 'multiplier');
    end
    layer.groups = channels;
  else
    filters = whole (where, layer, 'filters');
    layer = rmfield (layer, 'filters');
  end
  groups = 1;
  if isfield (layer, 'groups')
    groups = whole (where, layer, 'groups');
  end
  if mod (channels, groups) ~= 0 || mod (filters, groups) ~= 0
    octcompress.internal.fail ('nn_new', 'badValue', ...
      'GROUPS of %s must divide its %d input channels and %d filters, but is %d', where, ...
      channels, filters, groups);
  end
  sizes = [kernel channels / groups filters];
  if strcmp (item.type, 'transposedconv2d')
    sizes = [kernel filters / groups channels];
  end
  fan = prod (kernel) / groups * [channels filters];
  layer = with_weights (layer, sizes, kind, fan(1), fan(2), filters);
end

function layer = recurrent (where, layer, in_size)
  units = whole (where, layer, 'units');
  layer = rmfield (layer, 'units');
  f = in_size(1);
  gates = 4 - strcmp (layer.type, 'gru');
  biased = ~isfield (layer, 'bias') || layer.bias;
  layer.bias = false;
  layer = with_weights (layer, [gates * units, f], 'glorot', f, units, 0);
  sizes = [gates * units, units];
  layer.recurrent_weights = octcompress.train.initial_weights (sizes, 'glorot', units, units);
  if biased
    layer.bias = zeros (gates * units, 1, 'single');
    if gates == 4
      layer.bias(units + 1:2 * units) = 1;
    else
      layer.recurrent_bias = layer.bias;
    end
  end
end

function layer = with_weights (layer, sizes, kind, fan_in, fan_out, biases)
  biased = ~isfield (layer, 'bias') || layer.bias;
  if isfield (layer, 'bias')
    layer = rmfield (layer, 'bias');
  end
  layer.weights = octcompress.train.initial_weights (sizes, kind, fan_in, fan_out);
  layer.weights_size = sizes;
  if biased
    layer.bias = zeros (biases, 1, 'single');
  end
end

function channels = channels_of (in_size)
  channels = in_size(end);
  if numel (in_size) < 3
    channels = in_size(1);
  end
end

function value = whole (where, layer, name)
  value = layer.(name);
  if ~isnumeric (value) || ~isscalar (value) || ~isfinite (value) || value < 1 ...
     || value ~= fix (value)
    octcompress.internal.fail ('nn_new', 'badValue', ...
      '%s of %s must be a positive whole number, but is %s', upper (name), where, ...
      octcompress.internal.describe (value));
  end
  value = double (value);
end

%!test % LeNet-5
%! m = nn_new ('input', [28 28 1], 'conv2d', {20, 5}, 'maxpool', 2, 'conv2d', {50, 5}, ...
%!             'maxpool', 2, 'flatten', 'dense', 500, 'relu', 'dense', 10, ...
%!             'classes', cellstr (('0':'9')'));
%! assert (cellfun (@(l) l.type, m.layers, 'UniformOutput', false), ...
%!         {'conv2d', 'maxpool', 'conv2d', 'maxpool', 'flatten', 'dense', 'relu', 'dense'});
%! assert (m.layers{1}.weights_size, [5 5 1 20]);
%! assert (size (m.layers{3}.weights), [5 5 20 50]);
%! assert (size (m.layers{6}.weights), [500 800]);
%! assert (m.layers{8}.bias, zeros (10, 1, 'single'));
%! assert (numel (m.classes), 10);
%! y = nn_predict (m, rand (28, 28, 1, 3));
%! assert (size (y), [10 3]);
%!test % equal seeds give equal weights, and the random numbers of the session go on
%! state = octcompress.train.random ('state');
%! a = nn_new ('input', 4, 'dense', 3, 'seed', 5);
%! assert (octcompress.train.random ('state'), state);
%! assert (nn_new ('input', 4, 'dense', 3, 'seed', 5), a);
%! b = nn_new ('input', 4, 'dense', 3, 'seed', 6);
%! assert (~isequal (a, b));
%!test % the activation that follows decides on the weights: He's limit sqrt (6 / in), else Glorot's
%! m = nn_new ('input', 600, 'dense', 600, 'dropout', 0.2, 'relu', 'dense', 600, 'tanh', ...
%!             'dense', 600);
%! limit = cellfun (@(l) max (abs (l.weights(:))), m.layers([1 4 6]));
%! assert (limit, [sqrt(6 / 600), sqrt(6 / 1200), sqrt(6 / 1200)], 1e-4);
%!test % a residual block with a gate
%! m = nn_new ('input', [8 8 16], 'conv2d', {16, 3, 'padding', 'same', 'bias', false}, ...
%!             'batchnorm', 'relu', ...
%!             'conv2d', {16, 3, 'padding', 'same', 'name', 'last'}, ...
%!             'globalaveragepool', 'conv2d', {16, 1}, 'hardsigmoid', ...
%!             'multiply', {'inputs', {'hardsigmoid_7', 'last'}}, ...
%!             'add', {'name', 'sum', 'inputs', {'multiply_8', 'input'}}, ...
%!             'outputs', 'sum');
%! assert (size (nn_predict (m, rand (8, 8, 16, 2))), [8 8 16 2]);
%!error <nn_new: after 6 layers there must be a layer type or an option .*, but there is empty \(0x0 cell\)> nn_new ('input', [8 8 16], 'relu', 'relu', 'relu', 'relu', 'relu', 'conv2d', {16, 1}, {})
%!test % depthwise, transposed, recurrent
%! m = nn_new ('input', [8 8 6], 'depthwise', {3, 'padding', 'same'}, 'depthwise', {3, 2}, ...
%!             'transposedconv2d', {4, 2, 'stride', 2});
%! assert (m.layers{1}.groups, 6);
%! assert (m.layers{1}.weights_size, [3 3 1 6]);
%! assert (m.layers{2}.weights_size, [3 3 1 12]);
%! assert (m.layers{3}.weights_size, [2 2 4 12]);
%! assert (size (nn_predict (m, rand (8, 8, 6))), [12 12 4]);
%! m = nn_new ('input', [5 NaN], 'lstm', 7, 'gru', {3, 'result', 'last'}, 'dense', 2);
%! assert (m.layers{1}.bias', single ([zeros(1, 7), ones(1, 7), zeros(1, 14)]));
%! assert (size (nn_predict (m, rand (5, 4, 9))), [2 4]);
%!test % positional values may also be named
%! a = nn_new ('input', [8 8 1], 'maxpool', {2, 1});
%! b = nn_new ('input', [8 8 1], 'maxpool', {2, 'stride', 1});
%! assert (a, b);
%! m = nn_new ('input', [2 2 3], 'flatten', {'chw'}, 'prelu', 'leakyrelu', 0.2, ...
%!             'concat', {'inputs', {'prelu_2', 'leakyrelu_3'}});
%! assert (m.layers{1}.order, 'chw');
%! assert (m.layers{2}.slope, 0.25 * ones (12, 1, 'single'));
%!error <nn_new: the first arguments must be 'input' and the size of an observation> nn_new ('dense', 3)
%!error <nn_new: the size of an observation must be F, \[H W C\] or \[F T\], but is \[1 2 3 4\]> nn_new ('input', [1 2 3 4])
%!error <nn_new: layer 1 \(conv2d\): 'strides' must be an option with a value; they are name, inputs, filters, kernel, stride, .* First come the values \(filters, kernel\)> nn_new ('input', [8 8 1], 'conv2d', {3, 3, 'strides', 2})
%!error <nn_new: layer 1 \(conv2d\) must be given kernel> nn_new ('input', [8 8 1], 'conv2d', 3)
%!error <nn_new: after 1 layers there must be a layer type or an option \(classes, outputs, seed, initial\), but there is 'blob'> nn_new ('input', 3, 'relu', 'blob')
%!error <nn_new: layer 1 \('dense_1', dense\) cannot read an image \[8  8  1\]; put a 'flatten' before it> nn_new ('input', [8 8 1], 'dense', 3)
%!error <nn_new: layer 2 \('a', add\) reads 'z', but no layer before it has that name; they are input, relu_1> nn_new ('input', 3, 'relu', 'add', {'name', 'a', 'inputs', {'z', 'input'}})
%!error <nn_new: layer 1 \('add_1', add\) takes 2 to Inf inputs, but has 1; name them by its option 'inputs'> nn_new ('input', 3, 'add')
%!error <nn_new: layer 1 \('conv2d_1', conv2d\): conv2d: the window covers 9 x 9, but the image with its padding is only 8 x 8> nn_new ('input', [8 8 1], 'conv2d', {3, 9})
%!error <nn_new: UNITS of layer 1 \('dense_1', dense\) must be a positive whole number, but is 2.5> nn_new ('input', 8, 'dense', 2.5)
