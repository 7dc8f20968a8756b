function predict = predictor (caller, model, plan)
%PREDICTOR  A function that computes a network's outputs, what is done once having been done.
%
%   predict = octcompress.model.predictor (caller, model)
%   predict = octcompress.model.predictor (caller, model, plan)
%   y = predict (x, batch_size)
%
%   caller      char, the function the user called, for messages
%   model, x    as nn_predict takes them; tidy, where a plan is given
%   plan        of octcompress.train.cut: what of the network is computed
%   batch_size  observations at a time
%   y           cell, each output in the user's layout
%
%   Errors: octcompress:CALLER:notModel, :badSize; of predict :badInput, :notFinite, :badValue.
%
%   See also nn_predict, octcompress.model.forward.

  if nargin < 3
    model = octcompress.model.tidy (caller, model);
    plan = octcompress.model.plan (caller, model);
  end
  [plan, layers] = octcompress.model.fold_norms (plan, model.layers(1:numel (plan.run)));
  predict = @(x, batch_size) run (caller, model, plan, layers, x, batch_size);
end

function y = run (caller, model, plan, layers, x, batch_size)
  octcompress.internal.check (caller, 'batch_size', batch_size, 'integer', [1 Inf]);
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  if numel (x) > 2 ^ 16
    octcompress.internal.keep_pages ();
  end
  parts = cell (size (ranges, 1), numel (plan.outputs));
  for b = 1:size (ranges, 1)
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    parts(b, :) = octcompress.model.forward (plan, layers, batch);
  end
  y = octcompress.model.join_batches (plan, parts, octcompress.model.float_class (model));
end

%!shared predict
%! model.layers = {struct('type', 'dense', 'weights', single ([1 2]))};
%! predict = octcompress.model.predictor ('f', model);
%!assert (predict ([1 0; 0 1], 1), {single([1 2])})
%!assert (predict ([1 0; 0 1], 5), {single([1 2])})
%!error <f: BATCH_SIZE must be a whole number> predict ([1; 1], 0.5)
%!error <f: X must have 2 features> predict (1, 1)
%!error <f: MODEL must be a struct> octcompress.model.predictor ('f', 1)
