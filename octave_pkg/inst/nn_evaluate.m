function result = nn_evaluate (model, x, y, varargin)
%NN_EVALUATE  How good a network's outputs are: accuracy, top k, AUC, MSE, PSNR.
%
%   result = nn_evaluate (model, X, Y)
%   result = nn_evaluate (model, X, Y, 'loss', 'mse', 'batch_size', 256, ...)
%
%   model  a network with one output
%   X      inputs, as nn_predict takes them, N observations
%   Y      with the loss 'crossentropy' N class numbers 1 to K, or one-hot, K x N; with all others
%          targets of the output's size, as nn_train takes them
%
%   result.count      N
%   result.loss       the mean loss
%
%   With 'crossentropy', of a network with K outputs:
%   result.accuracy   share of right answers, 0 to 1
%   result.error      1 - accuracy
%   result.correct    whole number
%   result.predicted  1 x N class numbers; the first of equal outputs
%   result.top_k      share of observations whose class is among the top_k highest outputs
%   result.auc        with the option auc: area under the receiver operating characteristic of each
%                     class's probability, that class against all others; the mean over the
%                     classes that have positives and negatives in Y, NaN where none has
%   The loss is that of the probabilities where the network ends in softmax, else of the softmax of
%   its outputs.
%
%   With 'binary_crossentropy', each output being a question of its own:
%   result.accuracy, result.error, result.correct   of all answers, yes from 0.5 on (0 for logits);
%                     a target of 0.5 or more is a yes
%   result.auc        the mean over the outputs, as above
%   The loss is that of the outputs where the network ends in sigmoid, else of their sigmoid.
%
%   With 'mse', 'mae' or 'huber':
%   result.mse, result.mae   mean squared and mean absolute error over all entries
%   result.psnr       peak signal-to-noise ratio in decibel, 10 * log10 (peak^2 / mse) of each
%                     observation, the mean over them; Inf where one is met exactly
%
%   Options, as name-value pairs or a struct:
%     loss ('crossentropy')  or 'binary_crossentropy', 'mse', 'mae', 'huber', as in nn_train
%     top_k (5)         1 or more
%     auc (false)       true: result.auc of 'crossentropy', which takes K sorts of N numbers
%     peak (1)          the greatest value that the targets can have, of psnr
%     huber_delta (1)   where 'huber' turns from squared to linear
%     batch_size (256)  observations at a time
%
%   Errors: octcompress:nn_evaluate:badLabels, :badTarget, :badInput, :notModel, :badSize,
%   :badValue.
%
%   See also nn_predict, nn_data, octcompress.train.area_under_curve.

  defaults = struct ('batch_size', 256, 'loss', 'crossentropy', 'top_k', 5, 'auc', false, ...
                     'peak', 1, 'huber_delta', 1);
  options = octcompress.internal.parse_options ('nn_evaluate', defaults, varargin);
  check_options (options);
  model = octcompress.model.tidy ('nn_evaluate', model);
  predict = octcompress.model.predictor ('nn_evaluate', model);
  scores = predict (x, options.batch_size);
  if isscalar (scores)
    scores = scores{1};
  end
  classifies = strcmp (options.loss, 'crossentropy');
  if iscell (scores) || (classifies && ~ismatrix (scores))
    wanted = 'one output';
    if classifies
      wanted = 'one output of K x N to be evaluated as a classifier';
    end
    octcompress.internal.fail ('nn_evaluate', 'notModel', 'MODEL must have %s, but gives %s', ...
                               wanted, octcompress.internal.describe (scores));
  end
  type = model.layers{end}.type;
  if classifies
    [classes, count] = size (scores);
    target = octcompress.model.labels ('nn_evaluate', y, classes);
    if numel (target) ~= count
      octcompress.internal.fail ('nn_evaluate', 'badLabels', ...
        'Y must label each of the %d observations of X, but labels %d', count, numel (target));
    end
  else
    plan = octcompress.model.plan ('nn_evaluate', model);
    out_size = plan.sizes{plan.outputs};
    count = octcompress.model.observations (x, model.input_size);
    target = octcompress.train.target ('nn_evaluate', y, out_size, count, options.loss, 'Y');
    shape = [prod(out_size), count];
    if numel (out_size) == 2
      scores = permute (scores, [1 3 2]);
      target = permute (target, [1 3 2]);
    end
    scores = reshape (scores, shape);
    target = reshape (target, shape);
    type = model.layers{plan.outputs}.type;
  end
  result = octcompress.train.figures (scores, target, options, type);
end

function check_options (options)
  check = @(name, varargin) octcompress.internal.check ('nn_evaluate', name, options.(name), ...
                                                        varargin{:});
  check ('loss', 'choice', {'crossentropy', 'binary_crossentropy', 'mse', 'mae', 'huber'});
  check ('top_k', 'integer', [1 1e9]);
  check ('auc', 'flag');
  check ('peak', 'number', [1e-30 1e30]);
  check ('huber_delta', 'number', [1e-12 1e12]);
end

%!shared model, X
%! model.layers = {struct('type', 'dense', 'weights', single (eye (3)))};
%! X = [1 0 0 0; 0 1 0 3; 0 0 1 0];
%!test
%! r = nn_evaluate (model, X, [1 2 3 1]);
%! assert ({r.accuracy, r.error, r.correct, r.count}, {0.75, 0.25, 3, 4});
%! assert (r.predicted, [1 2 3 2]);
%! p = exp ([1 1 1 0]) ./ (exp ([1 1 1 3]) + 2);
%! assert (r.loss, -mean (log (p)), 1e-7);
%!test % one-hot and softmax give the same
%! model.layers{2} = struct ('type', 'softmax');
%! a = nn_evaluate (model, X, [1 2 3 1]);
%! b = nn_evaluate (model, X, [1 0 0 1; 0 1 0 0; 0 0 1 0]);
%! assert (a, b);
%! assert (a.correct, 3);
%!test % top k, and the areas of each class against the others
%! r = nn_evaluate (model, X, [1 2 3 1], 'top_k', 2, 'auc', true);
%! assert (r.top_k, 1);
%! r = nn_evaluate (model, X, [1 2 3 3], 'top_k', 2, 'auc', true);   % 3 comes after 1, its equal
%! assert (r.top_k, 0.75);
%! p = exp (X) ./ sum (exp (X), 1);
%! area = @(k, yes) octcompress.train.area_under_curve (p(k, :), yes);
%! assert (r.auc, (area (1, [1 0 0 0]) + area (2, [0 1 0 0]) + area (3, [0 0 1 1])) / 3, 1e-12);
%! none = nn_evaluate (model, X(:, 1), 1, 'auc', true);
%! assert (none.auc, NaN);
%!test % questions, of probabilities and of logits
%! Y = [1 0 1 0; 0 1 0 1; 0 0 0 1];
%! r = nn_evaluate (model, X - 0.5, Y, 'loss', 'binary_crossentropy');
%! assert ({r.accuracy, r.correct, r.count}, {9 / 12, 9, 4});
%! assert (r.loss, octcompress.train.binary_cross_entropy (X - 0.5, Y), 1e-7);
%! assert (r.auc, mean ([0.75, 1, 1 / 3]), 1e-12);
%! model.layers{2} = struct ('type', 'sigmoid');
%! s = nn_evaluate (model, X - 0.5, Y, 'loss', 'binary_crossentropy');
%! assert (s.loss, r.loss, 1e-6);
%! r.loss = s.loss;
%! assert (s, r);
%!test % numbers
%! T = X + [1 0 0 0; 0 0 0 0; 0 2 0 1];
%! r = nn_evaluate (model, X, T, 'loss', 'mse', 'peak', 2);
%! assert ([r.count, r.loss, r.mse, r.mae, r.psnr], [4, 0.5, 0.5, 4 / 12, Inf], 1e-12);
%! r = nn_evaluate (model, X(:, [1 2 4]), T(:, [1 2 4]), 'loss', 'mae', 'peak', 2);
%! assert (r.loss, 4 / 9, 1e-12);
%! assert (r.psnr, mean (10 * log10 (4 ./ ([1 4 1] / 3))), 1e-12);
%! r = nn_evaluate (model, X, T, 'loss', 'huber', 'huber_delta', 1);
%! assert (r.loss, (0.5 + 1.5 + 0.5) / 12, 1e-12);
%!test % images and sequences
%! image.layers = {struct('type', 'identity')};
%! image.input_size = [2 3 1];
%! A = rand (2, 3, 1, 4);
%! r = nn_evaluate (image, A, A + 0.1, 'loss', 'mse');
%! assert ([r.count, r.mse, r.psnr], [4 0.01 20], 1e-5);
%! image.input_size = [2 5];
%! A = rand (2, 3, 5);
%! B = A;
%! B(:, 2, :) = B(:, 2, :) + 0.1;
%! B(:, [1 3], :) = B(:, [1 3], :) + 1;
%! r = nn_evaluate (image, A, B, 'loss', 'mse');
%! assert ([r.count, r.psnr], [3 20 / 3], 1e-5);
%!error <nn_evaluate: MODEL must have one output of K x N to be evaluated as a classifier, but gives 2x3x1x4> nn_evaluate (struct ('layers', {{struct('type', 'identity')}}, 'input_size', [2 3 1]), ones (2, 3, 1, 4), ones (1, 4))
%!error <nn_evaluate: with the loss 'mse' Y must be of the output's size, 3x4, but is \[1 2 3 4\]> nn_evaluate (model, X, 1:4, 'loss', 'mse')
%!error <nn_evaluate: TOP_K must be a whole number from 1 to 1e\+09, but is 0> nn_evaluate (model, X, 1:4, 'top_k', 0)
%!error <nn_evaluate: Y must label each of the 4 observations of X, but labels 2> nn_evaluate (model, X, [1 2])
%!error <nn_evaluate: Y must hold class numbers from 1 to 3, but element 1 is 0> nn_evaluate (model, X, [0 1 2 2])
