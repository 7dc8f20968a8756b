function in = layer_inputs (plan, layers, x, k)
%LAYER_INPUTS  What a layer reads on one batch; the layers after it are not computed.
%
%   in = octcompress.model.layer_inputs (plan, layers, x, k)
%
%   plan, layers  of the network (octcompress.model.plan)
%   x             the batch in the engine's layout (octcompress.model.take_batch)
%   k             the layer's number
%   in            its input, in the engine's layout; a cell where the layer has several
%
%   See also octcompress.model.input_gram, octcompress.model.forward.

  reads = plan.inputs{k};
  in = cell (1, numel (reads));
  in(reads == 0) = {x};
  if any (reads > 0)
    plan.outputs = reads(reads > 0);
    plan.last_use(plan.outputs) = Inf;
    in(reads > 0) = octcompress.model.forward (plan, layers(1:max (reads)), x);
  end
  if ~plan.several(k)
    in = in{1};
  end
end

%!test
%! model.layers = {struct('type', 'dense', 'weights', [1 2; 3 -4]), struct('type', 'relu'), ...
%!                 struct('type', 'dense', 'weights', [1 1])};
%! model = octcompress.model.tidy ('f', model);
%! plan = octcompress.model.plan ('f', model);
%! assert (octcompress.model.layer_inputs (plan, model.layers, [1; 1], 1), [1; 1]);
%! assert (octcompress.model.layer_inputs (plan, model.layers, [1; 1], 3), [3; 0]);
