function [gradients, dx, d_outputs] = backward (plan, layers, trace, dy, need_dx)
%BACKWARD  Gradients of a loss by the parameters of a network.
%
%   gradients = octcompress.model.backward (plan, layers, trace, dy)
%   [gradients, dx] = octcompress.model.backward (plan, layers, trace, dy, true)
%   [gradients, dx, d_outputs] = octcompress.model.backward (plan, layers, trace, dy, need_dx)
%
%   trace      of octcompress.model.forward
%   dy         cell: the loss's gradient by each output of plan.outputs
%   gradients  cell: a struct for each layer with a field for each trained parameter
%   dx         the gradient by the network's input, in the engine's layout
%   d_outputs  cell: the gradient by each layer's output, [] where it has no influence
%
%   A layer whose output lies on a grid passes the gradient on where the value was inside the
%   grid's range (straight-through estimator [1]).
%
%   [1] Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013,
%       arXiv:1308.3432.
%
%   See also octcompress.model.forward.

  if nargin < 5
    need_dx = false;
  end
  count = numel (layers);
  gradients = cell (1, count);
  d_values = cell (1, count);
  d_outputs = cell (1, count);
  dx = [];
  for i = 1:numel (plan.outputs)
    d_values{plan.outputs(i)} = add (d_values{plan.outputs(i)}, dy{i});
  end
  for k = count:-1:1
    d = d_values{k};
    d_values{k} = [];
    if nargout > 2
      d_outputs{k} = d;
    end
    if isempty (d)
      gradients{k} = struct ();
      continue
    end
    if ~isempty (trace.inside{k})
      d(~trace.inside{k}) = 0;
    end
    reads = plan.inputs{k};
    if plan.several(k)
      in = trace.values(1 + reads);
    else
      in = trace.values{1 + reads};
    end
    wanted = need_dx || any (reads > 0);
    [d_in, gradients{k}] = plan.run{k} ('backward', layers{k}, in, trace.values{1 + k}, d, ...
                                        trace.states{k}, wanted);
    if ~plan.several(k)
      d_in = {d_in};
    end
    for i = 1:numel (reads)
      if reads(i) > 0
        d_values{reads(i)} = add (d_values{reads(i)}, d_in{i});
      elseif need_dx
        dx = add (dx, d_in{i});
      end
    end
  end
end

function total = add (total, more)
  if isempty (total)
    total = more;
  else
    total = total + more;
  end
end

%!test % a value read twice gets both gradients
%! model.input_size = 2;
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 2; 3 4]), ...
%!                 struct('type', 'identity', 'name', 'b', 'inputs', {{'a'}}), ...
%!                 struct('type', 'identity', 'name', 'c', 'inputs', {{'a'}})};
%! plan = octcompress.model.plan ('f', model);
%! [y, trace] = octcompress.model.forward (plan, model.layers, [1; 1]);
%! [g, dx] = octcompress.model.backward (plan, model.layers, trace, {[1; 0], [1; 1]}, true);
%! assert (g{1}.weights, [2 2; 1 1]);
%! assert (dx, [1 2; 3 4]' * [2; 1]);
%! [~, ~, d] = octcompress.model.backward (plan, model.layers, trace, {[1; 0], [1; 1]});
%! assert (d, {[2; 1], [1; 0], [1; 1]});
