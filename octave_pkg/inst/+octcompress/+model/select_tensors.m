function list = select_tensors (caller, model, layers, with_bias)
%SELECT_TENSORS  The tensors of the layers that the user named.
%
%   list = octcompress.model.select_tensors (caller, model, layers, with_bias)
%
%   layers     [] for all; a name, a cellstr of names, or layer numbers. In a model that is not
%              a network: names as octcompress.model.tensors gives them, or their numbers
%   with_bias  true: biases and other vectors too
%   list       cell of structs, as octcompress.model.tensors gives them, in the model's order
%
%   Errors: octcompress:CALLER:unknownLayer, :noTensors.

  list = octcompress.model.tensors (model, with_bias);
  if isempty (list)
    octcompress.internal.fail (caller, 'noTensors', ...
      'MODEL has no weights: no layer and no field holds a single or double matrix');
  end
  if isempty (layers)
    return
  end
  owners = cellfun (@(t) t.owner, list, 'UniformOutput', false);
  if octcompress.model.is_network (model)
    numbers = cellfun (@(t) t.layer, list);
    what = 'layer';
  else
    numbers = 1:numel (list);
    what = 'tensor';
  end
  if ischar (layers)
    layers = {layers};
  elseif isnumeric (layers)
    layers = num2cell (layers);
  end
  chosen = false (1, numel (list));
  for k = 1:numel (layers)
    if ischar (layers{k})
      hit = strcmp (owners, layers{k});
    else
      hit = numbers == layers{k};
    end
    if ~any (hit)
      octcompress.internal.fail (caller, 'unknownLayer', ...
        'LAYERS names %s, but no %s with weights has that name or number; they are %s', ...
        octcompress.internal.describe (layers{k}), what, ...
        strjoin (cellfun (@(name, number) sprintf ('%d ''%s''', number, name), owners, ...
                          num2cell (numbers), 'UniformOutput', false), ', '));
    end
    chosen = chosen | hit;
  end
  list = list(chosen);
end

%!shared model
%! dense = struct ('type', 'dense', 'weights', ones (2), 'bias', [1; 1]);
%! model.input_size = 2;
%! model.layers = {setfield(dense, 'name', 'a'), struct('type', 'relu', 'name', 'r'), ...
%!                 setfield(dense, 'name', 'b')};
%!function names = chosen (varargin)
%!  names = cellfun (@(t) t.name, octcompress.model.select_tensors ('f', varargin{:}), ...
%!                   'UniformOutput', false);
%!endfunction
%!assert (chosen (model, [], false), {'a.weights', 'b.weights'})
%!assert (chosen (model, 'b', false), {'b.weights'})
%!assert (chosen (model, 3, true), {'b.weights', 'b.bias'})
%!assert (chosen (model, {'b', 'a'}, false), {'a.weights', 'b.weights'})
%!assert (chosen (struct ('A', ones (2), 'B', ones (2)), 2, false), {'B'})
%!error <f: LAYERS names 'z', but no layer with weights has that name or number; they are 1 'a', 3 'b'> chosen (model, 'z', false)
%!error <f: LAYERS names 2, but no layer with weights has that name or number> chosen (model, 2, false)
%!error <f: MODEL has no weights> chosen (struct ('A', 1), [], false)
