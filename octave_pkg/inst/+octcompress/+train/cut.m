function plan = cut (caller, model, dropped)
%CUT  The part of a network that training computes: up to the layer before a final softmax.
%
%   plan = octcompress.train.cut (caller, model, dropped)
%
%   model    a tidy network with one output
%   dropped  cellstr of layer types: where the output layer is one of them, it is left out,
%            because the loss computes it too, exactly and without overflow
%   plan     of octcompress.model.plan, for the layers 1:numel (plan.run)
%
%   Errors: octcompress:CALLER:severalOutputs, and those of octcompress.model.plan.
%
%   See also octcompress.train.loop, nn_distill.

  plan = octcompress.model.plan (caller, model);
  if ~isscalar (plan.outputs)
    names = cellfun (@(layer) layer.name, model.layers(plan.outputs), 'UniformOutput', false);
    octcompress.internal.fail (caller, 'severalOutputs', ...
      'MODEL must have one output to be trained, but has %s; name one in model.outputs', ...
      strjoin (names, ', '));
  end
  last = plan.outputs;
  if any (strcmp (model.layers{last}.type, dropped)) && plan.inputs{last} > 0
    last = plan.inputs{last};
  end
  plan.outputs = last;
  plan.last_use(last) = Inf;
  for field = {'run', 'inputs', 'several', 'last_use', 'sizes', 'macs'}
    plan.(field{1}) = plan.(field{1})(1:last);
  end
end

%!shared model
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', ones (3, 2)), ...
%!                 struct('type', 'softmax', 'name', 's')};
%! model.input_size = 2;
%!test
%! plan = octcompress.train.cut ('f', model, {'softmax'});
%! assert ({numel(plan.run), plan.outputs, plan.sizes}, {1, 1, {3}});
%! assert (octcompress.model.forward (plan, model.layers(1), [1; 2]), {[3; 3; 3]});
%!test % only the types that are named
%! plan = octcompress.train.cut ('f', model, {'sigmoid'});
%! assert ({numel(plan.run), plan.outputs}, {2, 2});
%!error <f: MODEL must have one output to be trained, but has s, r; name one in model.outputs>
%! model.layers{3} = struct ('type', 'relu', 'name', 'r', 'inputs', {{'a'}});
%! octcompress.train.cut ('f', model, {'softmax'});
