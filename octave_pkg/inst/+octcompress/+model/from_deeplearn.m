function model = from_deeplearn (net, place, layout)
%FROM_DEEPLEARN  A network of ours of a DeepLearnToolbox nn or cnn [1].
%
%   model = octcompress.model.from_deeplearn (net, place, layout)
%
%   net     struct; 'deeplearn_nn': W (cell of out x (1 + in), bias first), activation_function,
%           output, dropoutFraction; 'deeplearn_cnn': layers of the types i, c, s with kernels
%           k{in}{out} and biases b{out}, then ffW and ffb
%   place   char, its name in the file
%   layout  'deeplearn_nn' or 'deeplearn_cnn'
%
%   Its convolution turns the kernels by 180 degrees, ours does not: so they are turned. The cnn's
%   input is taken for square, as its size is not in the file.
%
%   [1] Palm, Prediction as a candidate for learning deep hierarchical models of data, thesis,
%       Technical University of Denmark, 2012.
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.recognize.

  where = '';
  if ~isempty (place)
    where = [place '.'];
  end
  if strcmp (layout, 'deeplearn_nn')
    model = from_nn (net, where);
  else
    model = from_cnn (net, where);
  end
end

function model = from_nn (net, where)
  layers = {};
  count = numel (net.W);
  for k = 1:count
    w = net.W{k};
    name = sprintf ('%sW{%d}', where, k);
    layer = struct ('type', 'dense', 'name', sprintf ('dense_%d', k), 'weights', w(:, 2:end), ...
                    'bias', w(:, 1));
    layer.source.weights = octcompress.model.origin (name, size (w), [1 2], ...
                                                     'part', [2 size(w, 2)]);
    layer.source.bias = octcompress.model.origin (name, size (w), [1 2], 'part', [1 1]);
    activation = net.activation_function;
    if k == count && isfield (net, 'output')
      activation = net.output;
    end
    layers = [layers, {layer}, octcompress.model.activation_layers(activation)]; %#ok<AGROW>
    if k < count && isfield (net, 'dropoutFraction') && net.dropoutFraction > 0
      kept = 1 - double (net.dropoutFraction);  % outside of training it scales
      layers{end + 1} = struct ('type', 'scale', 'scale', kept); %#ok<AGROW>
    end
  end
  model.layers = layers;
end

function model = from_cnn (net, where)
  theirs = octcompress.model.elements (net.layers);
  layers = {};
  maps = 1;
  for k = 1:numel (theirs)
    l = theirs{k};
    switch l.type
      case 'i'
        continue
      case 'c'
        layer = kernels (l, sprintf ('%slayers{%d}', where, k));
        maps = size (layer.weights, 4);
        layers = [layers, {layer, struct('type', 'sigmoid')}]; %#ok<AGROW>
      case 's'
        layers{end + 1} = struct ('type', 'averagepool', 'pool_size', double (l.scale), ...
                                  'stride', double (l.scale)); %#ok<AGROW>
      otherwise
        octcompress.internal.fail ('recognize', 'notNetwork', ...
                                   'no layer of ours computes layer %d (%s)', k, l.type);
    end
  end
  side = sqrt (size (net.ffW, 2) / maps);
  for k = numel (layers):-1:1
    switch layers{k}.type
      case 'averagepool'
        side = side * layers{k}.pool_size;
      case 'conv2d'
        side = side + size (layers{k}.weights, 1) - 1;
    end
  end
  dense = struct ('type', 'dense', 'name', 'ff', 'weights', net.ffW, ...
                  'bias', reshape (net.ffb, [], 1));
  dense.source.weights = octcompress.model.origin ([where 'ffW'], size (net.ffW), [1 2]);
  dense.source.bias = octcompress.model.origin ([where 'ffb'], size (net.ffb), [1 2]);
  model.layers = [layers, {struct('type', 'flatten'), dense, struct('type', 'sigmoid')}];
  model.input_size = [side side 1];
end

function layer = kernels (l, where)
  ins = numel (l.k);
  outs = numel (l.k{1});
  first = l.k{1}{1};
  w = zeros ([size(first), ins, outs], class (first));
  for i = 1:ins
    for j = 1:outs
      w(:, :, i, j) = rot90 (l.k{i}{j}, 2);
    end
  end
  there = [size(first), ins, outs];
  b = reshape ([l.b{:}], [], 1);
  layer = struct ('type', 'conv2d', 'weights', w, 'weights_size', there, 'bias', b);
  layer.source.weights = octcompress.model.origin ([where '.k'], there, 1:4, 'rule', 'maps');
  layer.source.bias = octcompress.model.origin ([where '.b'], [1 outs], [2 1], 'rule', 'maps');
end

%!test % nn
%! nn = struct ('size', [3 2 2], 'activation_function', 'tanh_opt', 'output', 'softmax', ...
%!              'dropoutFraction', 0.25, 'W', {{[0.1 1 2 3; 0.2 4 5 6], [0.3 1 0; 0.4 0 1]}});
%! [model, report] = octcompress.model.recognize (struct ('nn', nn));
%! assert (report, struct ('layout', 'deeplearn_nn', 'reason', ''));
%! x = [0.1; -0.2; 0.05];
%! h = 0.75 * 1.7159 * tanh (2 / 3 * (nn.W{1} * [1; x]));
%! z = exp (nn.W{2} * [1; h]);
%! assert (nn_predict (model, x), z / sum (z), 1e-12);
%! assert (model.layers{1}.source.bias.name, 'nn.W{1}');
%! nn.output = 'sigm';
%! model = octcompress.model.from_deeplearn (nn, 'nn', 'deeplearn_nn');
%! assert (model.layers{end}.type, 'sigmoid');
%!test % cnn, against its own formulas
%! k = @(i, j, n) sin (reshape (1:n * n, n, n) + i + 3 * j);
%! cnn.layers = {struct('type', 'i'), ...
%!               struct('type', 'c', 'outputmaps', 2, 'kernelsize', 3, ...
%!                      'k', {{{k(1, 1, 3), k(1, 2, 3)}}}, 'b', {{0.1, -0.1}}), ...
%!               struct('type', 's', 'scale', 2), ...
%!               struct('type', 'c', 'outputmaps', 1, 'kernelsize', 2, ...
%!                      'k', {{{k(1, 1, 2)}, {k(2, 1, 2)}}}, 'b', {{0.2}})};
%! cnn.ffW = [1 2 3 4; -1 0 1 0.5] / 4;
%! cnn.ffb = [0.1; 0.2];
%! [model, report] = octcompress.model.recognize (struct ('cnn', cnn));
%! assert (report.reason, '');
%! assert (model.input_size, [8 8 1]);
%! x = cos (reshape (1:64, 8, 8));
%! sigmoid = @(z) 1 ./ (1 + exp (-z));
%! a = cell (1, 2);
%! for j = 1:2
%!   z = sigmoid (conv2 (x, cnn.layers{2}.k{1}{j}, 'valid') + cnn.layers{2}.b{j});
%!   z = conv2 (z, ones (2) / 4, 'valid');
%!   a{j} = z(1:2:end, 1:2:end);
%! end
%! z = sigmoid (conv2 (a{1}, cnn.layers{4}.k{1}{1}, 'valid') ...
%!              + conv2 (a{2}, cnn.layers{4}.k{2}{1}, 'valid') + 0.2);
%! expected = sigmoid (cnn.ffW * z(:) + cnn.ffb);
%! assert (nn_predict (model, x), expected, 1e-12);
%! assert (model.layers{1}.source.weights.rule, 'maps');
