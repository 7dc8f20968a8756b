function model = from_simplenn (net, place, options)
%FROM_SIMPLENN  A network of ours of a MatConvNet simplenn [1], old or new.
%
%   model = octcompress.model.from_simplenn (net, place, options)
%
%   net      struct with layers: conv, convt, pool, relu, sigmoid, softmax, softmaxloss, loss,
%            bnorm, dropout; weights in weights{1}, weights{2}, or of old in filters and biases
%   place    char, its name in the file
%   options  of octcompress.model.recognize
%
%   The input's size is options.input_size, or net.meta.inputSize,
%   net.meta.normalization.imageSize, net.normalization.imageSize. Batch normalisation keeps the
%   standard deviation there: variance = sigma^2 - epsilon. An output of 1 x 1 x K is flattened.
%
%   [1] Vedaldi and Lenc, MatConvNet: convolutional neural networks for MATLAB, ACM MM 2015,
%       arXiv:1412.4564.
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.recognize, octcompress.model.from_dagnn.

  theirs = octcompress.model.elements (net.layers);
  where = place;
  if ~isempty (place)
    where = [place '.'];
  end
  in_size = size_of_input (net, options);
  layers = {};
  wrong = {};
  for k = 1:numel (theirs)
    [layer, fine] = convert (theirs{k}, sprintf ('%slayers{%d}', where, k), in_size(3));
    if ~fine
      wrong{end + 1} = sprintf ('layer %d (''%s'', %s)', k, ...
                                text_of (theirs{k}, 'name'), theirs{k}.type); %#ok<AGROW>
    end
    if ~isempty (layer) && isempty (wrong)
      entry = octcompress.layers.types (layer.type);
      if isfield (theirs{k}, 'name') && ~isempty (theirs{k}.name)
        layer.name = theirs{k}.name;
      end
      in_size = entry.run ('size', layer, in_size);
      layers{end + 1} = layer; %#ok<AGROW>
    end
  end
  if ~isempty (wrong)
    octcompress.internal.fail ('recognize', 'notNetwork', 'no layer of ours computes %s', ...
                               strjoin (wrong, ', '));
  end
  if numel (in_size) == 3 && all (in_size(1:2) == 1)
    layers{end + 1} = struct ('type', 'flatten');
  end
  model.layers = layers;
  model.input_size = size_of_input (net, options);
end

function in_size = size_of_input (net, options)
  in_size = options.input_size;
  ways = {{'meta', 'inputSize'}, {'meta', 'normalization', 'imageSize'}, ...
          {'normalization', 'imageSize'}};
  for way = ways
    value = net;
    for step = way{1}
      if isstruct (value) && isscalar (value) && isfield (value, step{1})
        value = value.(step{1});
      else
        value = [];
      end
    end
    if isempty (in_size) && isnumeric (value) && numel (value) >= 3
      in_size = double (value(1:3));
    end
  end
  if numel (in_size) ~= 3
    octcompress.internal.fail ('recognize', 'notNetwork', ...
      ['the size of its input is not in the file; give the option ''input_size'', ' ...
       '[height width channels]']);
  end
  in_size = reshape (double (in_size), 1, []);
end

function [layer, fine] = convert (l, where, channels)
  fine = true;
  layer = [];
  [arrays, names] = arrays_of (l, where);
  switch l.type
    case 'loss'
      % trains, but computes nothing
    case 'softmaxloss'
      layer = struct ('type', 'softmax');
    otherwise
      [layer, fine] = octcompress.model.matconvnet_layer (l.type, l, arrays, names);
  end
  if strcmp (l.type, 'conv') && channels ~= layer.weights_size(3)
    layer.groups = channels / layer.weights_size(3);
  end
end

function [arrays, names] = arrays_of (l, where)
  if isfield (l, 'weights') && iscell (l.weights)
    arrays = reshape (l.weights, 1, []);
    names = arrayfun (@(i) sprintf ('%s.weights{%d}', where, i), 1:numel (arrays), ...
                      'UniformOutput', false);
  elseif isfield (l, 'filters')
    arrays = {l.filters, octcompress.layers.option(l, 'biases', [])};
    names = {[where '.filters'], [where '.biases']};
  elseif ~any (strcmp (l.type, {'conv', 'convt', 'bnorm'}))
    arrays = {};
    names = {};
  else
    octcompress.internal.fail ('recognize', 'notNetwork', '%s has no weights', where);
  end
end

function text = text_of (l, name)
  text = '';
  if isfield (l, name) && ischar (l.(name))
    text = l.(name);
  end
end

%!shared net, x
%! net.layers = {struct('type', 'conv', 'name', 'c1', ...
%!                      'weights', {{reshape(1:36, 3, 3, 1, 4) / 36, [1 2 3 4]}}, ...
%!                      'stride', 1, 'pad', [1 1 1 1]), ...
%!               struct('type', 'bnorm', 'name', 'bn', ...
%!                      'weights', {{[1 1 2 2]', [0 0 1 1]', [1 2; 1 2; 3 1; 3 1]}}), ...
%!               struct('type', 'relu', 'name', 'r', 'leak', 0.1), ...
%!               struct('type', 'pool', 'name', 'p', 'method', 'avg', 'pool', [2 2], ...
%!                      'stride', 2, 'pad', [0 1 0 1]), ...
%!               struct('type', 'conv', 'name', 'c2', ...
%!                      'weights', {{reshape(sin (1:64), 2, 2, 2, 8), []}}, ...
%!                      'stride', 2, 'pad', 0), ...
%!               struct('type', 'softmaxloss', 'name', 'loss')};
%! x = reshape (cos (1:2*36), 6, 6, 1, 2);
%!test % convolution in groups, moments, leak, a mean over what is inside the image
%! [model, report] = octcompress.model.recognize (struct ('net', net), ...
%!                                                struct ('input_size', [6 6 1]));
%! assert (report, struct ('layout', 'simplenn', 'reason', ''));
%! assert (cellfun (@(l) l.type, model.layers, 'UniformOutput', false), ...
%!         {'conv2d', 'batchnorm', 'leakyrelu', 'averagepool', 'conv2d', 'softmax', ...
%!          'flatten'});
%! assert (model.layers{5}.groups, 2);
%! assert (model.layers{2}.variance, [4; 4; 1; 1] - 1e-4);
%! assert (model.layers{2}.source.variance.rule, 'sigma');
%! y = nn_predict (model, x);
%! z = conv2 (x(:, :, 1, 1), rot90 (net.layers{1}.weights{1}(:, :, 1, 3), 2), 'same') + 3;
%! z = 2 * (z - 3) / 1 + 1;
%! first = nn_predict (struct ('layers', {model.layers(1:2)}, 'input_size', [6 6 1]), x);
%! assert (first(:, :, 3, 1), z, 1e-10);
%! assert (size (y), [8 2]);
%!test % of old: filters and biases; the size of the input from the file; 1 x 1 x K is flattened
%! old.layers = {struct('type', 'conv', 'filters', single (ones (4, 4, 2, 3)), ...
%!                      'biases', single ([1 2 3]), 'stride', 1, 'pad', 0), ...
%!               struct('type', 'softmax')};
%! old.normalization.imageSize = [4 4 2];
%! model = octcompress.model.from_simplenn (old, '', struct ('input_size', []));
%! assert (model.layers{1}.source.bias.name, 'layers{1}.biases');
%! assert (model.layers{3}.type, 'flatten');
%! assert (size (nn_predict (model, ones (4, 4, 2, 5))), [3 5]);
%!test
%! [model, report] = octcompress.model.recognize (struct ('net', net));
%! assert (report.reason, ['the size of its input is not in the file; give the option ' ...
%!                         '''input_size'', [height width channels]']);
