function result = figures (scores, target, options, type)
%FIGURES  How good outputs are: the figures that nn_evaluate gives and nn_train can monitor.
%
%   result = octcompress.train.figures (scores, target, options, type)
%
%   scores   F x N, a network's outputs
%   target   with the loss 'crossentropy' 1 x N class numbers, else F x N
%   options  struct: loss, top_k, auc, peak, huber_delta, as in nn_evaluate
%   type     of the network's last layer
%   result   as nn_evaluate returns it
%
%   See also nn_evaluate, octcompress.train.validate.

  switch options.loss
    case 'crossentropy'
      result = of_classes (scores, target, options, type);
    case 'binary_crossentropy'
      result = of_questions (type, double (scores), double (target));
    otherwise
      result = of_numbers (double (scores), double (target), options);
  end
end

function result = of_classes (scores, labels, options, type)
  [classes, count] = size (scores);
  [~, predicted] = max (scores, [], 1);
  correct = nnz (predicted == labels);
  top = octcompress.train.top_k (scores, labels, options.top_k);
  scores = double (scores);
  chosen = sub2ind ([classes, count], labels, 1:count);
  if strcmp (type, 'softmax')
    log_p = log (max (scores(chosen), realmin));
  else
    scores = scores - max (scores, [], 1);
    scores = scores - log (sum (exp (scores), 1));
    log_p = scores(chosen);
  end
  result = struct ('accuracy', correct / max (count, 1), 'error', 1 - correct / max (count, 1), ...
                   'correct', correct, 'count', count, 'loss', -sum (log_p) / max (count, 1), ...
                   'top_k', top, 'predicted', predicted);
  if options.auc
    result.auc = mean_area (scores, labels == (1:classes)');
  end
end

function result = of_questions (type, scores, target)
  total = max (numel (target), 1);
  if strcmp (type, 'sigmoid')
    yes = scores >= 0.5;
    each = -target .* log (max (scores, realmin)) - (1 - target) .* log (max (1 - scores, realmin));
    loss = sum (each(:)) / total;
  else
    yes = scores >= 0;
    loss = octcompress.train.binary_cross_entropy (scores, target);
  end
  correct = nnz (yes == (target >= 0.5));
  result = struct ('accuracy', correct / total, 'error', 1 - correct / total, ...
                   'correct', correct, 'count', size (target, 2), 'loss', loss, ...
                   'auc', mean_area (scores, target >= 0.5));
end

function area = mean_area (scores, positive)
  areas = zeros (size (scores, 1), 1);
  for k = 1:numel (areas)
    areas(k) = octcompress.train.area_under_curve (scores(k, :), positive(k, :));
  end
  area = mean (areas(~isnan (areas)));
end

function result = of_numbers (y, target, options)
  difference = y - target;
  squares = mean (difference .^ 2, 1);
  result = struct ('count', size (y, 2), 'loss', 0, 'mse', mean (squares), ...
                   'mae', mean (abs (difference(:))), ...
                   'psnr', mean (10 * log10 (options.peak ^ 2 ./ squares)));
  switch options.loss
    case 'huber'
      result.loss = octcompress.train.huber (y, target, options.huber_delta);
    otherwise
      result.loss = result.(options.loss);
  end
end

%!shared o
%! o = struct ('loss', 'crossentropy', 'top_k', 2, 'auc', true, 'peak', 1, 'huber_delta', 1);
%!test
%! r = octcompress.train.figures ([3 1 0; 2 5 1; 1 0 9], [1 1 2], o, 'dense');
%! assert ({r.correct, r.accuracy, r.top_k, r.predicted}, {1, 1 / 3, 1, [1 2 3]});
%!test
%! r = octcompress.train.figures ([-1 2 3 -4], [0 1 0 0], setfield (o, 'loss', ...
%!                                'binary_crossentropy'), 'dense');
%! assert ({r.correct, r.auc}, {3, 2 / 3});
%!test
%! r = octcompress.train.figures ([1 2; 3 4], [1 2; 3 3], setfield (o, 'loss', 'mae'), 'dense');
%! assert ({r.mse, r.mae, r.loss, r.psnr}, {0.25, 0.25, 0.25, Inf});
