function z = logits (caller, model, x)
%LOGITS  A classifier's outputs before a final softmax.
%
%   z = octcompress.search.logits (caller, model, x)
%
%   model  a tidy network with one output of K values
%   x      N inputs, as nn_predict takes them
%   z      K x N double
%
%   Errors: octcompress:CALLER:badData (no classifier), :badInput, :severalOutputs.
%
%   See also nn_predict, octcompress.train.cut.

  plan = octcompress.train.cut (caller, model, {'softmax', 'logsoftmax'});
  if numel (plan.sizes{plan.outputs}) > 1 || plan.sizes{plan.outputs} < 2
    octcompress.internal.fail (caller, 'badData', ...
      'MODEL must be a classifier with 2 or more outputs, but layer ''%s'' gives [%s]', ...
      model.layers{plan.outputs}.name, num2str (plan.sizes{plan.outputs}));
  end
  predict = octcompress.model.predictor (caller, model, plan);
  z = predict (x, 256);
  z = double (z{1});
end

%!test
%! model = nn_new ('input', 3, 'dense', 2, 'softmax');
%! z = octcompress.search.logits ('f', model, ones (3, 300));
%! assert (size (z), [2 300]);
%! p = double (nn_predict (model, ones (3, 1)));
%! assert (exp (z(:, 1)) / sum (exp (z(:, 1))), p, 1e-6);
%!error <f: MODEL must be a classifier with 2 or more outputs, but layer 'd' gives \[1\]> octcompress.search.logits ('f', nn_new ('input', 4, 'dense', {1, 'name', 'd'}), ones (4, 1))
