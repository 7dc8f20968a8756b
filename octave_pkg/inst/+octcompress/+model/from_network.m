function model = from_network (net, place)
%FROM_NETWORK  A network of ours of the struct of a Neural Network Toolbox network object.
%
%   model = octcompress.model.from_network (net, place)
%
%   net    struct (n) of a feedforwardnet, patternnet, newff and their like: IW, LW, b, layers
%          (transferFcn), inputs (processFcns, processSettings), outputs
%   place  char, its name in the file
%
%   One input, each layer reads the one before. The processing mapminmax, mapstd, and
%   removeconstantrows without rows to remove become scale layers; fixunknowns is passed over.
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.recognize.

  where = '';
  if ~isempty (place)
    where = [place '.'];
  end
  theirs = octcompress.model.elements (net.layers);
  count = numel (theirs);
  layers = processing (net, 'inputs', 1, 'the input');
  for k = 1:count
    [w, name] = weights_of (net, k, where);
    layer = struct ('type', 'dense', 'name', sprintf ('layer_%d', k), 'weights', w);
    layer.source.weights = octcompress.model.origin (name, size (w), [1 2]);
    if numel (net.b) >= k && ~isempty (net.b{k})
      layer.bias = reshape (net.b{k}, [], 1);
      layer.source.bias = octcompress.model.origin (sprintf ('%sb{%d}', where, k), ...
                                                    size (net.b{k}), [1 2]);
    end
    function_name = '';
    if isfield (theirs{k}, 'transferFcn')
      function_name = theirs{k}.transferFcn;
    end
    layers = [layers, {layer}, octcompress.model.activation_layers(function_name)]; %#ok<AGROW>
  end
  model.layers = [layers, processing(net, 'outputs', count, 'the output')];
  model.input_size = size (weights_of (net, 1, where), 2);
end

function [w, name] = weights_of (net, k, where)
  % Layer 1 reads the input, each other one the layer before and nothing else.
  used = {};
  for set = {'IW', 'LW'}
    cells = net.(set{1});
    for j = 1:size (cells, 2)
      if size (cells, 1) >= k && ~isempty (cells{k, j})
        used{end + 1} = {set{1}, j}; %#ok<AGROW>
      end
    end
  end
  wanted = {'LW', k - 1};
  if k == 1
    wanted = {'IW', 1};
  end
  if numel (used) ~= 1 || ~isequal (used{1}, wanted)
    octcompress.internal.fail ('recognize', 'notNetwork', ...
      'layer %d does not read the one before it and nothing else', k);
  end
  name = sprintf ('%s%s{%d,%d}', where, wanted{1}, k, wanted{2});
  cells = net.(wanted{1});
  w = cells{k, wanted{2}};
end

function layers = processing (net, field, k, what)
  layers = {};
  if ~isfield (net, field)
    return
  end
  ends = octcompress.model.elements (net.(field));
  ends = ends(cellfun (@isstruct, ends));
  if isempty (ends)
    return
  end
  k = min (k, numel (ends));
  if ~isfield (ends{k}, 'processFcns')
    return
  end
  functions = octcompress.model.elements (ends{k}.processFcns);
  settings = octcompress.model.elements (ends{k}.processSettings);
  for i = 1:numel (functions)
    s = settings{i};
    switch functions{i}
      case 'mapminmax'
        [gain, from, to] = deal (s.gain, s.xoffset, s.ymin);
      case 'mapstd'
        [gain, from, to] = deal (s.ystd ./ s.xstd, s.xmean, s.ymean);
      case 'fixunknowns'
        continue
      case 'removeconstantrows'
        if isempty (s.remove)
          continue
        end
        octcompress.internal.fail ('recognize', 'notNetwork', ...
          'the processing of %s removes constant rows', what);
      otherwise
        octcompress.internal.fail ('recognize', 'notNetwork', ...
          'no layer of ours computes %s, the processing of %s', functions{i}, what);
    end
    gain = reshape (gain, [], 1);
    scale = struct ('type', 'scale', 'scale', gain, 'offset', to - gain .* reshape (from, [], 1));
    if strcmp (field, 'outputs')  % undone, the last one first
      scale.offset = reshape (from, [], 1) - to ./ gain;
      scale.scale = 1 ./ gain;
      layers = [{scale}, layers]; %#ok<AGROW>
    else
      layers{end + 1} = scale; %#ok<AGROW>
    end
  end
end

%!test
%! settings = struct ('xoffset', [1; -2], 'gain', [2; 0.5], 'ymin', -1);
%! net.IW = {[1 2; 3 4; 5 6]; []};
%! net.LW = {[], []; [1 -1 0.5], []};
%! net.b = {[0.1; 0.2; 0.3]; -0.5};
%! net.layers = {struct('transferFcn', 'tansig'); struct('transferFcn', 'purelin')};
%! net.inputs = {struct('processFcns', {{'removeconstantrows', 'mapminmax'}}, ...
%!                      'processSettings', {{struct('remove', []), settings}})};
%! out = struct ('xoffset', 10, 'gain', 0.1, 'ymin', -1);
%! net.outputs = {[], struct('processFcns', {{'mapminmax'}}, 'processSettings', {{out}})};
%! [model, report] = octcompress.model.recognize (struct ('net', net));
%! assert (report, struct ('layout', 'network', 'reason', ''));
%! x = [1.2; 0.4];
%! p = (x - settings.xoffset) .* settings.gain + settings.ymin;
%! y = net.LW{2, 1} * tanh (net.IW{1} * p + net.b{1}) + net.b{2};
%! assert (nn_predict (model, x), (y - out.ymin) / out.gain + out.xoffset, 1e-12);
%! assert (model.layers{2}.source.weights.name, 'net.IW{1,1}');
%!error <recognize: layer 1 does not read the one before it and nothing else> octcompress.model.from_network (struct ('IW', {{1}}, 'LW', {{1}}, 'b', {{0}}, 'layers', {{struct('transferFcn', 'purelin')}}), '')
