function sums = loss_gradients (caller, model, x, y, places, score, batch_size)
%LOSS_GRADIENTS  The mean over batches of a score made of weights and their gradients.
%
%   means = octcompress.prune.loss_gradients (caller, model, x, y, places, score, batch_size)
%
%   model       a tidy classifier
%   x, y        inputs and labels, as nn_train takes them
%   places      cell of structs with the fields layer (number) and field ('weights')
%   score       handle: s = score (w, gradient), as octcompress.prune.taylor_score
%   batch_size  observations of which one gradient is made
%   means       cell, for each place the mean over the batches of score (w, gradient), the gradient
%               being that of the batch's mean cross-entropy; the size of w
%
%   Errors: octcompress:CALLER:badInput, :badLabels, :severalOutputs, :notFinite.
%
%   See also octcompress.prune.loss_curvature, nn_prune.

  plan = octcompress.train.cut (caller, model, {'softmax', 'logsoftmax'});
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  labels = octcompress.model.labels (caller, y, plan.sizes{plan.outputs}(1));
  count = octcompress.model.observations (x, model.input_size);
  if isempty (ranges) || numel (labels) ~= count
    octcompress.internal.fail (caller, 'badLabels', ...
      'LABELS must label each of the %d observations of DATA, and at least one, but labels %d', ...
      count, numel (labels));
  end
  layers = model.layers(1:numel (plan.run));
  sums = repmat ({0}, 1, numel (places));
  for b = 1:size (ranges, 1)
    which = ranges(b, 1):ranges(b, 2);
    batch = octcompress.model.take_batch (x, model, which);
    [logits, trace] = octcompress.model.forward (plan, layers, batch);
    [~, dy] = octcompress.train.cross_entropy (reshape (logits{1}, [], numel (which)), ...
                                               labels(which));
    gradients = octcompress.model.backward (plan, layers, trace, {reshape(dy, size (logits{1}))});
    for p = 1:numel (places)
      [gradient, w] = octcompress.prune.gradient_at (gradients, model, places{p});
      sums{p} = sums{p} + double (score (w, gradient));
    end
  end
  sums = cellfun (@(s) s / size (ranges, 1), sums, 'UniformOutput', false);
end

%!shared model, X, Y, places
%! model.layers = {struct('type', 'dense', 'weights', [1 -2; 0.5 1; -1 1], 'bias', ...
%!                        [0; 0.1; 0.2]), struct('type', 'softmax')};
%! model = octcompress.model.tidy ('f', model);
%! X = [1 2 3 0.5; 0 1 -1 2];
%! Y = [1 2 3 1];
%! places = {struct('layer', 1, 'field', 'weights')};
%!test % the gradient itself, by differences of the loss
%! g = octcompress.prune.loss_gradients ('f', model, X, Y, places, @(w, g) g, 4);
%! h = 1e-6;
%! for i = 1:6
%!   up = model;
%!   up.layers{1}.weights(i) = up.layers{1}.weights(i) + h;
%!   down = model;
%!   down.layers{1}.weights(i) = down.layers{1}.weights(i) - h;
%!   a = nn_evaluate (up, X, Y);
%!   b = nn_evaluate (down, X, Y);
%!   assert (g{1}(i), (a.loss - b.loss) / (2 * h), 1e-7);
%! end
%!test % the mean of the batches' scores
%! all_of_it = octcompress.prune.loss_gradients ('f', model, X, Y, places, ...
%!                                               @octcompress.prune.taylor_score, 2);
%! a = octcompress.prune.loss_gradients ('f', model, X(:, 1:2), Y(1:2), places, ...
%!                                       @octcompress.prune.taylor_score, 2);
%! b = octcompress.prune.loss_gradients ('f', model, X(:, 3:4), Y(3:4), places, ...
%!                                       @octcompress.prune.taylor_score, 2);
%! assert (all_of_it{1}, (a{1} + b{1}) / 2, 1e-12);
%!error <f: LABELS must label each of the 4 observations of DATA, and at least one, but labels 2>
%! octcompress.prune.loss_gradients ('f', model, X, [1 2], places, @(w, g) g, 4);
