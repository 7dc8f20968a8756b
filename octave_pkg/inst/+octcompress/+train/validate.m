function [loss, accuracy] = validate (plan, model, layers, source, which, options)
%VALIDATE  The loss and accuracy of a network in training on observations held back.
%
%   [loss, accuracy] = octcompress.train.validate (plan, model, layers, source, which, options)
%
%   plan, model, layers  as in octcompress.train.loop
%   source    struct with x, loss and labels, as octcompress.train.loop has them
%   which     numbers of the observations
%   options   batch_size, augmentation
%   loss      mean over the observations
%   accuracy  share of right answers; NaN where there are no labels

  total = 0;
  correct = 0;
  for first = 1:options.batch_size:numel (which)
    part = which(first:min (first + options.batch_size - 1, numel (which)));
    x = octcompress.train.batch (source.x, model, part, options.augmentation, false);
    y = octcompress.model.forward (plan, layers, x);
    value = source.loss (y, part, x);
    total = total + numel (part) * value(1);
    if ~isempty (source.labels)
      [~, predicted] = max (reshape (y{1}, [], numel (part)), [], 1);
      correct = correct + nnz (predicted == source.labels(part));
    end
  end
  loss = total / numel (which);
  accuracy = NaN;
  if ~isempty (source.labels)
    accuracy = correct / numel (which);
  end
end

%!test
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', eye (2))};
%! model.input_size = 2;
%! plan = octcompress.model.plan ('f', model);
%! source = struct ('x', [1 0 5 6; 0 1 1 0], 'labels', [1 2 2 1], 'loss', ...
%!                  @(y, which, ~) mean (y{1}(1, :)));
%! options = struct ('batch_size', 2, 'augmentation', []);
%! [loss, accuracy] = octcompress.train.validate (plan, model, model.layers, source, [1 3 4], ...
%!                                                options);
%! assert ({loss, accuracy}, {4, 2 / 3});
%! source.labels = [];
%! [~, accuracy] = octcompress.train.validate (plan, model, model.layers, source, 1:4, options);
%! assert (accuracy, NaN);
