function [plan, places] = find_layers (caller, who, model, plan, names)
%FIND_LAYERS  A plan whose outputs are a network's own and those of named layers.
%
%   [plan, places] = octcompress.distill.find_layers (caller, who, model, plan, names)
%
%   who     char, 'TEACHER' or 'STUDENT', for messages
%   plan    of octcompress.train.cut
%   names   cellstr of layers; one may be there twice
%   places  their numbers; on return plan.outputs is [the output, places], which forward returns and
%           through which backward takes gradients
%
%   Errors: octcompress:CALLER:unknownLayer.
%
%   See also nn_distill, octcompress.model.forward.

  known = cellfun (@(layer) layer.name, model.layers(1:numel (plan.run)), 'UniformOutput', false);
  [found, places] = ismember (names, known);
  if ~all (found)
    octcompress.internal.fail (caller, 'unknownLayer', ...
      'FEATURES names the layer ''%s'' of %s, but its layers up to the output are %s', ...
      names{find(~found, 1)}, who, strjoin (known, ', '));
  end
  plan.outputs = [plan.outputs, reshape(places, 1, [])];
  plan.last_use(plan.outputs) = Inf;
end

%!test
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 2; 3 4]), ...
%!                 struct('type', 'relu', 'name', 'r'), struct('type', 'softmax', 'name', 's')};
%! model = octcompress.model.tidy ('f', model);
%! plan = octcompress.train.cut ('f', model, {'softmax'});
%! plan = octcompress.distill.find_layers ('f', 'TEACHER', model, plan, {'a', 'a'});
%! y = octcompress.model.forward (plan, model.layers(1:2), [1; -1]);
%! assert (y, {[0; 0], [-1; -1], [-1; -1]});
%!error <f: FEATURES names the layer 's' of TEACHER, but its layers up to the output are a, r>
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 2; 3 4]), ...
%!                 struct('type', 'relu', 'name', 'r'), struct('type', 'softmax', 'name', 's')};
%! model = octcompress.model.tidy ('f', model);
%! plan = octcompress.train.cut ('f', model, {'softmax'});
%! octcompress.distill.find_layers ('f', 'TEACHER', model, plan, {'s'});
