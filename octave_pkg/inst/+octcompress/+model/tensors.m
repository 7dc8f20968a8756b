function list = tensors (model, with_bias)
%TENSORS  The arrays of a model that pruning and quantization work on.
%
%   list = octcompress.model.tensors (model)
%   list = octcompress.model.tensors (model, with_bias)
%
%   model      a network, or any struct of arrays, cells and structs
%   with_bias  true: the other trained arrays and vectors too (false)
%   list       cell of structs:
%     name   of a network 'conv1.weights'; else where it stands: 'Theta1', 'nn.W{2}'
%     owner  the layer's name, or the same as name
%     layer  the layer's number, or 0
%     field  'weights', 'bias', ..., or ''
%     path   substruct that subsref and subsasgn take
%
%   In a network these are the parameters that octcompress.layers.types calls prunable. Elsewhere
%   every real single or double array counts: with at least two dimensions longer than 1 as
%   weights, with one as a bias.
%
%   See also octcompress.model.is_network, octcompress.model.select_tensors.

  if nargin < 2
    with_bias = false;
  end
  if octcompress.model.is_network (model)
    list = of_network (model, with_bias);
  else
    list = walk (model, '', struct ('type', {}, 'subs', {}), with_bias);
  end
end

function list = of_network (model, with_bias)
  list = {};
  for k = 1:numel (model.layers)
    layer = model.layers{k};
    entry = octcompress.layers.types (layer.type);
    fields = entry.prunable;
    if with_bias
      fields = entry.trained;
    end
    for i = 1:numel (fields)
      if isfield (layer, fields{i}) && ~isempty (layer.(fields{i}))
        path = substruct ('.', 'layers', '{}', {k}, '.', fields{i});
        list{end + 1} = struct ('name', [layer.name '.' fields{i}], 'owner', layer.name, ...
                                'layer', k, ...
                                'field', fields{i}, 'path', path);
      end
    end
  end
end

function list = walk (value, name, path, with_bias)
  list = {};
  if isstruct (value)
    fields = fieldnames (value);
    for k = 1:numel (value)
      for i = 1:numel (fields)
        if strcmp (fields{i}, octcompress.model.promises_field ()) && isempty (path)
          continue
        end
        step = struct ('type', '.', 'subs', fields{i});
        place = fields{i};
        if ~isempty (name)
          place = [name '.' place];
        end
        if numel (value) > 1
          step = [struct('type', '()', 'subs', {{k}}), step];
          place = sprintf ('%s(%d).%s', name, k, fields{i});
        end
        list = [list, walk(value(k).(fields{i}), place, [path, step], with_bias)];
      end
    end
  elseif iscell (value)
    for k = 1:numel (value)
      step = struct ('type', '{}', 'subs', {{k}});
      list = [list, walk(value{k}, sprintf ('%s{%d}', name, k), [path, step], with_bias)];
    end
  elseif isfloat (value) && isreal (value) && ~issparse (value)
    long = sum (size (value) > 1);
    if long >= 2 || (with_bias && long == 1)
      list = {struct('name', name, 'owner', name, 'layer', 0, 'field', '', 'path', path)};
    end
  end
end

%!function names = names_of (varargin)
%!  names = cellfun (@(t) t.name, octcompress.model.tensors (varargin{:}), 'UniformOutput', false);
%!endfunction
%!test % a network
%! dense = struct ('type', 'dense', 'name', 'fc', 'weights', ones (2, 3, 'single'), 'bias', ...
%!                 ones (2, 1, 'single'));
%! model = struct ('layers', {{dense, struct('type', 'relu', 'name', 'r')}});
%! assert (names_of (model), {'fc.weights'});
%! assert (names_of (model, true), {'fc.weights', 'fc.bias'});
%! list = octcompress.model.tensors (model);
%! assert (subsref (model, list{1}.path), dense.weights);
%!test % anything else
%! model.Theta1 = ones (2, 3);
%! model.b = [1 2 3];
%! model.nn.W = {ones(2), 'text', int8(ones (2))};
%! model.nn.s = struct ('w', {ones(2), ones(3)});
%! assert (names_of (model), {'Theta1', 'nn.W{1}', 'nn.s(1).w', 'nn.s(2).w'});
%! assert (names_of (model, true), {'Theta1', 'b', 'nn.W{1}', 'nn.s(1).w', 'nn.s(2).w'});
%! list = octcompress.model.tensors (model);
%! assert (subsref (model, list{4}.path), ones (3));
