function varargout = dense_chain (form, varargin)
%DENSE_CHAIN  The gradients of a plain chain of dense and relu layers, without the engine's detours.
%
%   chain = octcompress.train.dense_chain ('find', plan, layers, places)
%   [value, gradients] = octcompress.train.dense_chain ('gradients', chain, values, x, loss, ...
%                                                       which, scale)
%
%   plan, layers  as in octcompress.train.loop
%   places        of octcompress.train.parameters
%   chain         struct: for each dense layer the numbers of its weights and its bias in places (0:
%                 no bias), and whether a relu follows; [] where the network is anything else
%   values        cell, the arrays of places
%   x             the batch
%   loss, which   as in octcompress.train.loop
%   scale         the gradients are those of scale * the loss
%   gradients     cell, one for each of places
%
%   octcompress.model.forward and backward give the same bits. They run whatever a layer may be, and
%   in Octave that takes as long as the arithmetic of a small dense layer; this takes a
%   quarter of it.
%
%   See also octcompress.train.loop, octcompress.layers.dense.

  switch form
    case 'gradients'
      [varargout{1}, varargout{2}] = gradients_of (varargin{:});
    case 'find'
      varargout{1} = find_chain (varargin{:});
  end
end

function [value, gradients] = gradients_of (chain, values, x, loss, which, scale)
  weights = chain.weights;
  bias = chain.bias;
  relu = chain.relu;
  count = numel (weights);
  inputs = cell (1, count);
  for i = 1:count
    inputs{i} = x;
    x = values{weights(i)} * x;
    if bias(i) > 0
      x = x + values{bias(i)};
    end
    if relu(i)
      x = max (x, 0);
    end
  end
  [value, dy] = loss ({x}, which, inputs{1});
  gradients = cell (1, numel (values));
  d = scale * dy{1};
  for i = count:-1:1
    if relu(i)
      d = d .* (x > 0);
    end
    x = inputs{i};
    gradients{weights(i)} = d * x';
    if bias(i) > 0
      gradients{bias(i)} = sum (d, 2);
    end
    if i > 1
      d = values{weights(i)}' * d;
    end
  end
end

function chain = find_chain (plan, layers, places)
  if ~isscalar (plan.outputs)
    chain = [];
    return
  end
  chain = struct ('weights', [], 'bias', [], 'relu', false (1, 0));
  numbers = cellfun (@(place) place.layer, places);
  fields = cellfun (@(place) place.field, places, 'UniformOutput', false);
  for k = 1:numel (layers)
    layer = layers{k};
    plain = isequal (plan.inputs{k}, k - 1) ...
            && ~(isfield (layer, 'quantization') && isfield (layer.quantization, 'output'));
    if plain && strcmp (layer.type, 'dense') && isscalar (plan.sizes{k})
      chain.weights(end + 1) = find (numbers == k & strcmp (fields, 'weights'));
      chain.bias(end + 1) = sum (find (numbers == k & strcmp (fields, 'bias')));
      chain.relu(end + 1) = false;
    elseif plain && strcmp (layer.type, 'relu') && ~isempty (chain.relu) && ~chain.relu(end)
      chain.relu(end) = true;
    else
      chain = [];
      return
    end
  end
end

%!function layers = some_layers ()
%!  layers = {struct('type', 'dense', 'weights', single (reshape (sin (1:20), 5, 4)), ...
%!                   'bias', single ((1:5)' / 10)), ...
%!            struct('type', 'relu'), ...
%!            struct('type', 'dense', 'weights', single (reshape (cos (1:30), 6, 5))), ...
%!            struct('type', 'dense', 'weights', single (reshape (cos (1:18), 3, 6)), ...
%!                   'bias', single ([1; 0; -1]))};
%!endfunction
%!function [chain, places, plan, model] = found (layers, input_size)
%!  model = octcompress.model.tidy ('f', struct ('layers', {layers}, 'input_size', input_size));
%!  plan = octcompress.model.plan ('f', model);
%!  places = octcompress.train.parameters (model, plan);
%!  chain = octcompress.train.dense_chain ('find', plan, model.layers, places);
%!endfunction
%!function assert_same (layers, x, scale)
%!  [chain, places, plan, model] = found (layers, 4);
%!  which = 1:size (x, 2);
%!  loss = @(y, which, x) deal (sum (y{1}(:) .^ 2) / numel (which), {2 * y{1} / numel(which)});
%!  values = cellfun (@(place) model.layers{place.layer}.(place.field), places, ...
%!                    'UniformOutput', false);
%!  [value, gradients] = octcompress.train.dense_chain ('gradients', chain, values, x, loss, ...
%!                                                      which, scale);
%!  [y, trace] = octcompress.model.forward (plan, model.layers, x, true);
%!  [expected, dy] = loss (y, which, x);
%!  all_gradients = octcompress.model.backward (plan, model.layers, trace, {scale * dy{1}});
%!  assert (value, expected);
%!  for p = 1:numel (places)
%!    assert (gradients{p}, all_gradients{places{p}.layer}.(places{p}.field));
%!  end
%!endfunction
%!test % the same bits as the engine's, with a relu last, and with a single layer
%! x = single (reshape (sin ((1:28) * 0.7), 4, 7));
%! layers = some_layers ();
%! assert_same (layers, x, 1);
%! assert_same ([layers, {struct('type', 'relu')}], x, 0.3);
%! assert_same (layers(1), x, 2);
%!test
%! expected = struct ('weights', [1 3 4], 'bias', [2 0 5], 'relu', [true false false]);
%! assert (found (some_layers (), 4), expected);
%!test % what it leaves to the engine
%! layers = some_layers ();
%! grid = octcompress.quant.choose_grid (single ([0 1]), 8);
%! assert (isempty (found ([layers, {struct('type', 'sigmoid')}], 4)));
%! assert (isempty (found ([{struct('type', 'relu')}, layers], 4)));
%! assert (isempty (found ([layers, {struct('type', 'relu'), struct('type', 'relu')}], 4)));
%! on_grid = struct ('type', 'relu', 'quantization', struct ('output', grid));
%! assert (isempty (found ([layers, {on_grid}], 4)));
%! assert (isempty (found (layers, [4 5])));
%! layers{2}.inputs = {'input'};
%! assert (isempty (found (layers(1:2), 4)));
