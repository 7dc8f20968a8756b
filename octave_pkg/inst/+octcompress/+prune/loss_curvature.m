function curvature = loss_curvature (caller, model, x, places, batch_size, seed)
%LOSS_CURVATURE  The diagonal of the Hessian of a classifier's loss, by random signs.
%
%   curvature = octcompress.prune.loss_curvature (caller, model, x, places, batch_size, seed)
%
%   model       a tidy classifier
%   x           inputs; labels are not needed
%   places      as in octcompress.prune.loss_gradients
%   batch_size  observations to one estimate: the fewer, the surer and slower
%   seed        whole number from 0; the generator of rand is put back as it was
%   curvature   cell of double arrays: for each weight the estimate of the mean over the
%               observations of J' * H * J's diagonal, not negative
%
%   J is the derivative of the logits by the weights, H = diag (p) - p * p' the Hessian of the
%   cross-entropy by the logits: the Gauss-Newton approximation, which optimal brain damage [1]
%   takes too. With A = diag (sqrt (p)) - p * sqrt (p)' it is H = A * A', so for random signs r
%   the square of the batch's gradient along A * r has the wanted mean [2]. One backward pass a
%   batch serves all layers of any type.
%
%   [1] LeCun, Denker, Solla, Optimal brain damage, NIPS 1989.
%   [2] Bekas, Kokiopoulou, Saad, An estimator for the diagonal of a matrix, Applied Numerical
%       Mathematics 57, 2007.
%
%   See also octcompress.prune.obd_score, nn_prune.

  plan = octcompress.train.cut (caller, model, {'softmax', 'logsoftmax'});
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  if isempty (ranges)
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  layers = model.layers(1:numel (plan.run));
  before = octcompress.train.random ('seed', seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  curvature = repmat ({0}, 1, numel (places));
  for b = 1:size (ranges, 1)
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    [logits, trace] = octcompress.model.forward (plan, layers, batch);
    z = reshape (logits{1}, plan.sizes{plan.outputs}(1), []);
    p = exp (z - max (z, [], 1));
    p = p ./ sum (p, 1);
    signs = 2 * (octcompress.train.random ('uniform', size (p)) < 0.5) - 1;
    along = sqrt (p) .* signs;
    dy = along - p .* sum (along, 1);
    gradients = octcompress.model.backward (plan, layers, trace, {reshape(dy, size (logits{1}))});
    for i = 1:numel (places)
      gradient = octcompress.prune.gradient_at (gradients, model, places{i});
      curvature{i} = curvature{i} + double (gradient) .^ 2;
    end
  end
  count = octcompress.model.observations (x, model.input_size);
  curvature = cellfun (@(c) c / count, curvature, 'UniformOutput', false);
end

%!test % against the Gauss-Newton diagonal of a softmax regression, which is known
%! model.layers = {struct('type', 'dense', 'weights', [1 -2; 0.5 1; -1 1], 'bias', [0; 0.1; 0.2])};
%! model = octcompress.model.tidy ('f', model);
%! X = [1 2 3 0.5; 0.3 1 -1 2];
%! p = exp (nn_predict (model, X));
%! p = p ./ sum (p, 1);
%! expected = (p .* (1 - p)) * (X .^ 2)' / 4;
%! many = repmat (X, 1, 3000);
%! places = {struct('layer', 1, 'field', 'weights')};
%! c = octcompress.prune.loss_curvature ('f', model, many, places, 4, 0);
%! assert (c{1}, expected, 0.08 * max (expected(:)));
%! assert (all (c{1}(:) >= 0));
