function work = find_recipe (work)
%FIND_RECIPE  Search the recipe that keeps the budgets best.
%
%   work = octcompress.search.find_recipe (work)
%
%   work  struct of octcompress.search.try_recipe, with curves ({} where they are yet to be
%         measured) and planned (how many recipes may be tried). On return work.tried and work.best
%         hold what was found, work.curves and work.front what was expected, and work.stopped is
%         'finished' or 'time'
%
%   1. octcompress.search.layer_curves: what each layer loses under each choice, and its bytes.
%   2. The front, loss against bytes: with the method 'rdoq' one price of a bit for all layers,
%      which is the Lagrangian's multiplier, the layers' curves being added up; with 'grid' the best
%      choices of sparsity, bits and rank together (octcompress.search.allocate).
%   3. A point of that front is run and measured (octcompress.search.try_recipe). What it lost is
%      what octcompress.search.predicted_error would say of the loss v; v over the front's loss
%      there corrects the prediction for the next point, and the same is done with bytes. So the
%      search closes in on the budget from both sides; as long as no point has kept a budget of
%      accuracy, three quarters of it are aimed at.
%   4. With training the same again from there, each recipe with training by distillation; networks
%      with convolutions lose units first (nn_prune, structure 'row'), which makes it quick.
%
%   See also nn_compress, octcompress.search.recipe_of_choices.

  options = work.options;
  if isempty (work.curves)
    grid = struct ('sparsity', [], 'bits', [], 'rank', [], 'tradeoff', [], 'layers', {{}});
    if strcmp (options.method, 'rdoq')
      grid.tradeoff = sort (options.tradeoff(:)');
    else
      grid.sparsity = sort (options.sparsity(:)');
      grid.bits = sort (options.bits(:)');
      grid.rank = sort (options.rank(:)');
    end
    work.curves = octcompress.search.layer_curves ('nn_compress', work.model, ...
                    work.parts.calibration, ...
                    octcompress.search.pick (work.parts.judge.X, work.model.input_size, ...
                                             1:min (1000, numel (work.parts.judge.Y))), ...
                    grid, options.verbose);
    octcompress.search.checkpoint ('write', work);
  end
  work.front = front_of (work);
  scales = struct ('loss', 1, 'bytes', 1);
  work.stopped = 'finished';
  tries = options.candidates;
  if options.training
    tries = min (tries, 2);
  end
  plain = @(choices) octcompress.search.recipe_of_choices (work.curves, choices, options, 0);
  [work, scales] = close_in (work, plain, scales, tries);
  if options.training && strcmp (work.stopped, 'finished')
    scales = struct ('loss', 0.15 * scales.loss, 'bytes', 1);
    trained = @(choices) octcompress.search.recipe_of_choices (work.curves, choices, options, ...
                                                               options.epochs);
    if strcmp (options.method, 'rdoq')
      [first, left] = thinner (work, scales);
      work.front.choices(:, 2) = share_of_zeros (work.front.bytes, left);
      trained = @(choices) [first, trained(choices)];
    end
    work = close_in (work, trained, scales, options.candidates);
  end
end

function [steps, left] = thinner (work, scales)
  % Convolutions take most of the time, and training them with half of the units a fraction of it.
  % So units go first, down to four times the weights that will be left.
  steps = {};
  left = weights_of (work.model);
  bytes = work.front.bytes(first_point (work, scales, 1));
  share = 1 - sqrt (4 * (1 - share_of_zeros (bytes, left)));
  share = min (floor (100 * share) / 100, 0.5);
  if share < 0.2 || ~any (cellfun (@(layer) strcmp (layer.type, 'conv2d'), work.model.layers))
    return
  end
  steps = {struct('step', 'prune', 'structure', 'row', 'sparsity', share, 'criterion', 'taylor', ...
                  'images', work.options.calibration), struct('step', 'shrink')};
  left = weights_of (octcompress.search.run_recipe (work.model, steps, work.parts.learn));
end

function count = weights_of (model)
  tensors = octcompress.model.tensors (model);
  count = sum (cellfun (@(t) numel (subsref (model, t.path)), tensors));
end

function share = share_of_zeros (bytes, count)
  % A weight that is left takes about seven bits, with its place.
  share = min (max (1 - 8 / 7 * bytes / count, 0), 0.999);
end

function front = front_of (work)
  rows = work.curves;
  most = max (cellfun (@(row) numel (row.loss), rows));
  loss = NaN (numel (rows), most);
  bytes = loss;
  for k = 1:numel (rows)
    loss(k, 1:numel (rows{k}.loss)) = rows{k}.loss;
    bytes(k, 1:numel (rows{k}.bytes)) = rows{k}.bytes;
  end
  if strcmp (work.options.method, 'rdoq')
    front = along_tradeoffs (rows{1}.tradeoff(:), sum (loss, 1)', sum (bytes, 1)');
  else
    [front.choices, front.loss, front.bytes] = octcompress.search.allocate (loss, bytes);
  end
  front.bytes = front.bytes + octcompress.search.fixed_bytes (work.model, rows);
end

function front = along_tradeoffs (tradeoff, loss, bytes)
  % Between the measured ones along straight lines in logarithms.
  fine = linspace (log (tradeoff(end)), log (tradeoff(1)), 1 + 200 * (numel (tradeoff) > 1))';
  along = @(y) exp (interp1 (log (tradeoff), log (max (y, realmin)), fine));
  if isscalar (tradeoff)
    along = @(y) y;
  end
  front = struct ('choices', exp (fine), 'loss', along (loss), 'bytes', along (bytes));
end

function [work, scales] = close_in (work, recipe_at, scales, tries)
  % RECIPE_AT gives the recipe of a row of choices. Points up to LOW do not keep the budget, those
  % from HIGH on do (or, where only bytes are asked for, the other way round).
  options = work.options;
  front = work.front;
  by_drop = ~isempty (options.max_drop);
  low = 0;
  high = numel (front.bytes) + 1;
  point = first_point (work, scales, 1);
  for attempt = 1:tries
    if out_of_time (work)
      work.stopped = 'time';
      return
    end
    drop = 100 * octcompress.search.predicted_error (work.parts.judge.margins, ...
                                                     scales.loss * front.loss(point));
    predicted = struct ('bytes', scales.bytes * front.bytes(point), 'drop', drop, 'loss', ...
                        scales.loss * front.loss(point), 'point', point);
    [result, work] = octcompress.search.try_recipe (recipe_at (front.choices(point, :)), work, ...
                                                    predicted);
    scales.bytes = result.bytes / front.bytes(point);
    scales.loss = effective_loss (work.parts.judge.margins, result) / front.loss(point);
    if by_drop
      passes = result.drop <= options.max_drop;
    else
      passes = result.bytes > options.max_bytes;
    end
    if passes
      high = point;
    else
      low = point;
    end
    if low > 0 && high <= numel (front.bytes) && front.bytes(high) < 1.05 * front.bytes(low)
      return
    end
    if ~by_drop && ~passes && result.bytes > 0.97 * options.max_bytes
      return
    end
    next = first_point (work, scales, 0.75 + 0.25 * (high <= numel (front.bytes)));
    if next <= low || next >= high
      next = between (front.bytes, low, high);
    end
    if next == low || next == high
      return
    end
    point = next;
  end
end

function point = first_point (work, scales, share)
  % The smallest that is expected to lose at most this share of MAX_DROP, or else the largest that
  % keeps MAX_BYTES.
  options = work.options;
  front = work.front;
  if ~isempty (options.max_drop)
    drop = 100 * octcompress.search.predicted_error (work.parts.judge.margins, ...
                                                     scales.loss * front.loss);
    point = find (drop <= share * options.max_drop, 1);
  else
    point = find (scales.bytes * front.bytes <= 0.995 * options.max_bytes, 1, 'last');
  end
  if isempty (point)
    point = 1 + (numel (front.bytes) - 1) * ~isempty (options.max_drop);
  end
end

function point = between (bytes, low, high)
  % In the middle by the logarithm of bytes; a step of a fifth where one end is open.
  if low == 0
    goal = bytes(high) / 1.25;
  elseif high > numel (bytes)
    goal = bytes(low) * 1.25;
  else
    goal = sqrt (bytes(low) * bytes(high));
  end
  inside = max (low, 1):min (high, numel (bytes));
  [~, nearest] = min (abs (log (bytes(inside) / goal)));
  point = inside(nearest);
end

function v = effective_loss (margins, result)
  % The loss that would be expected to change as many answers as were lost.
  v = max (result.loss, realmin);
  if result.drop <= 0
    return
  end
  ends = log ([1e-6 1e6] * v);
  for k = 1:50
    middle = mean (ends);
    ends(1 + (100 * octcompress.search.predicted_error (margins, exp (middle)) > result.drop)) ...
      = middle;
  end
  v = exp (mean (ends));
end

function yes = out_of_time (work)
  longest = 0;
  if ~isempty (work.tried)
    longest = work.tried{end}.seconds;
  end
  yes = ~isempty (work.tried) && toc (work.started) + longest > work.options.time;
end

%!test % as nn_compress has it
%! model = nn_new ('input', 4, 'dense', 3);
%! data = struct ('X', rand (4, 40));
%! [~, info] = nn_compress (model, data, 'max_drop', 50, 'training', false, 'candidates', 1, ...
%!                          'tradeoff', [0.001 0.1], 'verbose', false);
%! work = octcompress.search.start ('f', model, data, info.options);
%! work = octcompress.search.find_recipe (work);
%! assert (work.best.recipe, info.recipe);
%! assert ({numel(work.tried), numel(work.curves), work.stopped}, {1, 1, 'finished'});
%! assert (numel (work.best.file), work.best.bytes);
%! assert (all (diff (work.front.bytes) > 0));
