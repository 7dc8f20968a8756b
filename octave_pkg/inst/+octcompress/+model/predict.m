function y = predict (caller, model, x, batch_size)
%PREDICT  The outputs of a network, batch by batch: what nn_predict and nn_evaluate share.
%
%   y = octcompress.model.predict (caller, model, x, batch_size)
%
%   caller      char, the function the user called, for messages
%   model, x    as nn_predict takes them
%   batch_size  observations at a time
%   y           cell, each output in the user's layout
%
%   Errors: octcompress:CALLER:notModel, :badInput, :badSize, :notFinite, :badValue.
%
%   See also nn_predict, octcompress.model.forward.

  octcompress.internal.check (caller, 'batch_size', batch_size, 'integer', [1 Inf]);
  model = octcompress.model.tidy (caller, model);
  plan = octcompress.model.plan (caller, model);
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  if numel (x) > 2 ^ 16
    octcompress.internal.keep_pages ();
  end

  parts = cell (size (ranges, 1), numel (plan.outputs));
  for b = 1:size (ranges, 1)
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    parts(b, :) = octcompress.model.forward (plan, model.layers, batch);
  end
  y = octcompress.model.join_batches (plan, parts, octcompress.model.float_class (model));
end

%!shared model
%! model.layers = {struct('type', 'dense', 'weights', single ([1 2]))};
%!assert (octcompress.model.predict ('f', model, [1 0; 0 1], 1), {single([1 2])})
%!error <f: BATCH_SIZE must be a whole number> octcompress.model.predict ('f', model, [1; 1], 0.5)
%!error <f: X must have 2 features> octcompress.model.predict ('f', model, 1, 1)
