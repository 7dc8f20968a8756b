function result = nn_evaluate (model, x, y, varargin)
%NN_EVALUATE  How many observations a network classifies rightly.
%
%   result = nn_evaluate (model, X, Y)
%   result = nn_evaluate (model, X, Y, 'batch_size', 256)
%
%   model  a network with K outputs
%   X      inputs, as nn_predict takes them, N observations
%   Y      N class numbers 1 to K, or one-hot, K x N
%
%   result.accuracy   share of right answers, 0 to 1
%   result.error      1 - accuracy
%   result.correct, result.count   whole numbers
%   result.loss       mean cross-entropy: of the probabilities where the network ends in
%                     softmax, else of the softmax of its outputs
%   result.predicted  1 x N class numbers; the first of equal outputs
%
%   Options, as name-value pairs or a struct:
%     batch_size (256)  observations at a time
%
%   Errors: octcompress:nn_evaluate:badLabels, :badInput, :notModel, :badSize.
%
%   See also nn_predict, nn_data.

  options = octcompress.internal.parse_options ('nn_evaluate', struct ('batch_size', 256), ...
                                                varargin);
  model = octcompress.model.tidy ('nn_evaluate', model);
  scores = octcompress.model.predict ('nn_evaluate', model, x, options.batch_size);
  if isscalar (scores)
    scores = scores{1};
  end
  if iscell (scores) || ~ismatrix (scores)
    octcompress.internal.fail ('nn_evaluate', 'notModel', ...
      'MODEL must have one output of K x N to be evaluated as a classifier, but gives %s', ...
      octcompress.internal.describe (scores));
  end
  [classes, count] = size (scores);
  labels = octcompress.model.labels ('nn_evaluate', y, classes);
  if numel (labels) ~= count
    octcompress.internal.fail ('nn_evaluate', 'badLabels', ...
      'Y must label each of the %d observations of X, but labels %d', count, numel (labels));
  end
  [~, predicted] = max (scores, [], 1);
  correct = nnz (predicted == labels);
  scores = double (scores);
  chosen = sub2ind ([classes, count], labels, 1:count);
  if strcmp (model.layers{end}.type, 'softmax')
    log_p = log (max (scores(chosen), realmin));
  else
    top = max (scores, [], 1);
    log_p = scores(chosen) - top - log (sum (exp (scores - top), 1));
  end
  result = struct ('accuracy', correct / max (count, 1), 'error', 1 - correct / max (count, 1), ...
                   'correct', correct, 'count', count, 'loss', -sum (log_p) / max (count, 1), ...
                   'predicted', predicted);
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
%!error <nn_evaluate: Y must label each of the 4 observations of X, but labels 2> nn_evaluate (model, X, [1 2])
%!error <nn_evaluate: Y must hold class numbers from 1 to 3, but element 1 is 0> nn_evaluate (model, X, [0 1 2 2])
