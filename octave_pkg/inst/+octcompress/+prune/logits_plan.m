function plan = logits_plan (caller, model)
%LOGITS_PLAN  The part of a classifier that gives the logits: without a softmax at its end.
%
%   plan = octcompress.prune.logits_plan (caller, model)
%
%   model  a tidy network with one output
%   plan   as octcompress.model.plan gives it, of the layers up to the logits, its output
%
%   Errors: octcompress:CALLER:badOutput.
%
%   See also octcompress.prune.loss_gradients.

  plan = octcompress.model.plan (caller, model);
  if ~isscalar (plan.outputs)
    octcompress.internal.fail (caller, 'badOutput', ...
      'this criterion needs a classifier with one output, but MODEL has %d', numel (plan.outputs));
  end
  last = plan.outputs;
  if any (strcmp (model.layers{last}.type, {'softmax', 'logsoftmax'})) && plan.inputs{last} > 0
    last = plan.inputs{last};
  end
  plan.outputs = last;
  plan.last_use(last) = Inf;
  plan.run = plan.run(1:last);
  plan.inputs = plan.inputs(1:last);
end

%!test
%! model.layers = {struct('type', 'dense', 'weights', eye (2)), struct('type', 'softmax')};
%! plan = octcompress.prune.logits_plan ('f', octcompress.model.tidy ('f', model));
%! assert (plan.outputs, 1);
%! assert (numel (plan.run), 1);
