function [sensitivity, power] = output_sensitivity (caller, model, x, batch_size, seed)
%OUTPUT_SENSITIVITY  How much the network's outputs change when a layer's outputs do.
%
%   [sensitivity, power] = octcompress.quant.output_sensitivity (caller, model, x, batch_size, seed)
%
%   model        a tidy network
%   x            inputs, as nn_predict takes them
%   sensitivity  1 x layers cell of channels x 1 double: the mean over the observations of the
%                squared derivatives of all outputs by the layer's outputs in that channel; of
%                several places or times the sum
%   power        the mean over the observations of the squares of all outputs
%
%   A softmax or logsoftmax at the end of a network with one output is left out: its inputs, the
%   logits, are the outputs. Up to 16 numbers in the output are differentiated one by one, of more
%   eight sums with random signs, whose squares have the same mean [1].
%
%   With the Gram matrix of a layer's inputs as the other factor this is the Hessian of the squared
%   error of the network's outputs, as in [2].
%
%   [1] Bekas, Kokiopoulou, Saad, An estimator for the diagonal of a matrix, Applied Numerical
%       Mathematics 57, 2007.
%   [2] Martens and Grosse, Optimizing neural networks with Kronecker-factored approximate
%       curvature, ICML 2015, arXiv:1503.05671.
%
%   See also nn_rdoq, octcompress.model.backward.

  plan = octcompress.model.plan (caller, model);
  if isscalar (plan.outputs)
    plan = octcompress.train.cut (caller, model, {'softmax', 'logsoftmax'});
  end
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  if isempty (ranges)
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  before = octcompress.train.random ('seed', seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  layers = model.layers(1:numel (plan.run));
  sensitivity = repmat ({0}, 1, numel (model.layers));
  power = 0;
  count = octcompress.model.observations (x, model.input_size);
  for b = 1:size (ranges, 1)
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    [y, trace] = octcompress.model.forward (plan, layers, batch);
    power = power + sum (cellfun (@(v) sum (double (v(:)) .^ 2), y)) / count;
    features = cellfun (@(v) numel (v) / (diff (ranges(b, :)) + 1), y);
    probes = 8;
    if sum (features) <= 16 && all (cellfun (@(v) ismatrix (v), y))
      probes = sum (features);
    end
    for p = 1:probes
      dy = directions (y, features, p, probes);
      [~, ~, d] = octcompress.model.backward (plan, layers, trace, dy);
      for k = find (~cellfun (@isempty, d))
        square = double (reshape (d{k}, size (d{k}, 1), [])) .^ 2;
        sensitivity{k} = sensitivity{k} + sum (square, 2) / count;
      end
    end
  end
end

function dy = directions (y, features, p, probes)
  dy = cell (size (y));
  for i = 1:numel (y)
    if probes == sum (features)
      place = p - sum (features(1:i-1));
      dy{i} = repmat (cast ((1:features(i))' == place, class (y{i})), 1, size (y{i}, 2));
    else
      signs = 2 * (octcompress.train.random ('uniform', size (y{i})) < 0.5) - 1;
      dy{i} = cast (signs, class (y{i})) / sqrt (probes);
    end
  end
end

%!shared model, X
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 -2; 0.5 1; 1 1]), ...
%!                 struct('type', 'relu'), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', [1 2 3; -1 1 0.5]), ...
%!                 struct('type', 'softmax')};
%! model = octcompress.model.tidy ('f', model);
%! X = [1 2 -3 0.5; 0.3 1 -1 2];
%!test % two dense layers with a relu between them
%! [s, power] = octcompress.quant.output_sensitivity ('f', model, X, 3, 0);
%! open = mean (model.layers{1}.weights * X > 0, 2);
%! assert (s{3}, [1; 1], 1e-12);
%! assert (s{2}, sum (model.layers{3}.weights .^ 2, 1)', 1e-12);
%! assert (s{1}, open .* s{2}, 1e-12);
%! assert (s{4}, 0);
%! y = model.layers{3}.weights * max (model.layers{1}.weights * X, 0);
%! assert (power, mean (sum (y .^ 2)), 1e-12);
%!test % random signs where there are many outputs; places of an image add up
%! image.input_size = [8 8 1];
%! image.layers = {struct('type', 'conv2d', 'name', 'c', 'weights', reshape (1:4, 1, 1, 1, 4))};
%! image = octcompress.model.tidy ('f', image);
%! s = octcompress.quant.output_sensitivity ('f', image, rand (8, 8, 1, 3), 2, 0);
%! assert (s{1}, 64 * ones (4, 1), 1e-12);
%!error <f: DATA must hold at least one observation> octcompress.quant.output_sensitivity ('f', model, X(:, []), 3, 0)
