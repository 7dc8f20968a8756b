function [loss, accuracy, figure] = validate (plan, model, layers, source, which, options)
%VALIDATE  The loss and accuracy of a network in training on observations held back.
%
%   [loss, accuracy, figure] = ...
%     octcompress.train.validate (plan, model, layers, source, which, options)
%
%   plan, model, layers  as in octcompress.train.loop
%   source    struct with x, loss, labels and wanted, as octcompress.train.loop has them
%   which     numbers of the observations
%   options   batch_size, augmentation, monitor, loss
%   loss      mean over the observations
%   accuracy  share of right answers; NaN where there are no labels

%   figure    what options.monitor names, of octcompress.train.figures; NaN for 'loss' and
%             'accuracy'. The outputs of all observations are held for it

  monitored = ~any (strcmp (options.monitor, {'loss', 'accuracy'}));
  scores = {};
  wanted = {};
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
    if monitored
      scores{end + 1} = as_columns (y{1}, plan, numel (part)); %#ok<AGROW>
      wanted{end + 1} = as_columns (source.wanted (part), plan, numel (part)); %#ok<AGROW>
    end
  end
  loss = total / numel (which);
  accuracy = NaN;
  if ~isempty (source.labels)
    accuracy = correct / numel (which);
  end
  figure = NaN;
  if monitored
    defaults = struct ('loss', options.loss, 'top_k', 5, 'auc', strcmp (options.monitor, 'auc'), ...
                       'peak', 1, 'huber_delta', 1);
    figures = octcompress.train.figures ([scores{:}], [wanted{:}], defaults, '');
    figure = figures.(options.monitor);
  end
end

function m = as_columns (y, plan, count)
  % A column for each observation.
  switch numel (plan.sizes{plan.outputs})
    case 2
      y = permute (y, [1 3 2]);
    case 3
      y = permute (y, [1 2 4 3]);
  end
  m = reshape (y, [], count);
end

%!test
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', eye (2))};
%! model.input_size = 2;
%! plan = octcompress.model.plan ('f', model);
%! source = struct ('x', [1 0 5 6; 0 1 1 0], 'labels', [1 2 2 1], 'loss', ...
%!                  @(y, which, ~) mean (y{1}(1, :)));
%! options = struct ('batch_size', 2, 'augmentation', [], 'monitor', 'loss', 'loss', 'mse');
%! [loss, accuracy] = octcompress.train.validate (plan, model, model.layers, source, [1 3 4], ...
%!                                                options);
%! assert ({loss, accuracy}, {4, 2 / 3});
%! source.labels = [];
%! [~, accuracy] = octcompress.train.validate (plan, model, model.layers, source, 1:4, options);
%! assert (accuracy, NaN);
%!test % figures over all batches, of features, sequences and images
%! for in_size = {4, [2 2], [2 1 2]}
%!   model.input_size = in_size{1};
%!   model.layers = {struct('type', 'identity', 'name', 'a')};
%!   plan = octcompress.model.plan ('f', model);
%!   source = struct ('x', rand ([in_size{1}, 5]), 'labels', [], 'loss', @(varargin) 0);
%!   if isscalar (in_size{1})
%!     source.x = rand (4, 5);
%!   elseif numel (in_size{1}) == 2
%!     source.x = permute (source.x, [1 3 2]);
%!   end
%!   options = struct ('batch_size', 2, 'augmentation', [], 'monitor', 'psnr', 'loss', 'mse');
%!   source.wanted = @(which) 0.5 + octcompress.train.batch (source.x, model, which, [], false);
%!   [~, ~, figure] = octcompress.train.validate (plan, model, model.layers, source, 1:5, options);
%!   assert (figure, 10 * log10 (4), 1e-5);
%! end
