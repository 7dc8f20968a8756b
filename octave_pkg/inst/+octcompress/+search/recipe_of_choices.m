function recipe = recipe_of_choices (curves, choices, options, epochs)
%RECIPE_OF_CHOICES  The recipe that gives each layer what was chosen for it.
%
%   recipe = octcompress.search.recipe_of_choices (curves, choices, options, epochs)
%
%   curves   of octcompress.search.layer_curves
%   choices  row: for each layer the number of its choice; with the method 'rdoq' the tradeoff of
%            all layers, and, where there is training, the share of zeros for as many bytes
%   options  struct: calibration, seed, method ('rdoq' or 'grid')
%   epochs   of training by distillation, 0: none. With 'rdoq' half of them, with 'grid' two thirds
%            come before the weights are quantized
%   recipe   cell of steps (octcompress.search.check_recipe)
%
%   With 'rdoq' and training: weights pruned by magnitude while they learn, all layers as one; seven
%   levels for what is left, and for the biases; then training on these levels.
%
%   See also octcompress.search.find_recipe.

  images = options.calibration;
  if strcmp (options.method, 'rdoq') && epochs > 0
    recipe = by_training (choices(2), epochs, options.seed);
    return
  elseif strcmp (options.method, 'rdoq')
    recipe{1} = struct ('step', 'rdoq', 'tradeoff', short (choices(1)), 'images', images);
    return
  end
  training = struct ('step', 'distill', 'loss', 'kl', 'alpha', 0.7, 'epochs', ...
                     ceil (2 / 3 * epochs), 'optimizer', 'adam', 'schedule', 'cosine', 'seed', ...
                     options.seed);
  after = training;
  after.epochs = epochs - training.epochs;
  after.learning_rate = 3e-4;
  recipe = {};
  sparsity = {{}, {}};
  bits = {};
  for k = 1:numel (curves)
    row = curves{k};
    c = choices(k);
    bits{end + 1} = {row.layer, row.bits(c)};
    if row.rank(c) > 0
      bits{end + 1} = {[row.layer '_down'], row.bits(c)};
      recipe{end + 1} = struct ('step', 'lowrank', 'layers', {{row.layer}}, 'rank', row.rank(c), ...
                                'data', true, 'images', images);
    elseif row.sparsity(c) > 0
      sparsity{2 - row.fitted}{end + 1} = {row.layer, row.sparsity(c)};
    end
  end
  if ~isempty (sparsity{1})
    recipe{end + 1} = struct ('step', 'prune', 'criterion', 'obs', 'sparsity', sparsity(1), ...
                              'images', images);
  end
  if ~isempty (sparsity{2})
    recipe{end + 1} = struct ('step', 'prune', 'sparsity', sparsity(2));
  end
  if training.epochs > 0
    recipe{end + 1} = training;
  end
  recipe{end + 1} = struct ('step', 'quantize', 'bits', {bits}, 'rounding', 'gptq', 'images', ...
                            images);
  if after.epochs > 0
    recipe{end + 1} = after;
  end
end

function recipe = by_training (sparsity, epochs, seed)
  common = struct ('optimizer', 'adam', 'learning_rate', 0.003, 'temperature', 4, 'seed', seed);
  pruning = common;
  pruning.step = 'prune_train';
  pruning.sparsity = short (sparsity);
  pruning.frequency = 50;
  pruning.distill = 0.7;
  pruning.epochs = ceil (epochs / 2);
  recipe = {pruning, struct('step', 'shrink'), ...
            struct('step', 'quantize', 'bits', 3, 'fit', 'mse', 'bias', true)};
  if epochs > 1
    after = common;
    after.step = 'distill';
    after.loss = 'kl';
    after.alpha = 0.7;
    after.schedule = 'cosine';
    after.epochs = epochs - pruning.epochs;
    recipe{4} = after;
  end
end

function number = short (number)
  % Of few digits, which text holds exactly.
  number = str2double (sprintf ('%.5g', number));
end

%!test
%! a = struct ('layer', 'a', 'sparsity', [0 0.5 0], 'bits', [4 3 4], 'rank', [0 0 6], ...
%!             'fitted', true);
%! b = a;
%! b.layer = 'b';
%! options = struct ('calibration', 100, 'seed', 2, 'method', 'grid');
%! recipe = octcompress.search.recipe_of_choices ({a, b}, [2 3], options, 4);
%! steps = cellfun (@(step) step.step, recipe, 'UniformOutput', false);
%! assert (steps, {'lowrank', 'prune', 'distill', 'quantize', 'distill'});
%! assert (recipe{2}.sparsity, {{'a', 0.5}});
%! assert (recipe{4}.bits, {{'a', 3}, {'b', 4}, {'b_down', 4}});
%! assert ([recipe{3}.epochs, recipe{5}.epochs], [3 1]);
%! options.method = 'rdoq';
%! some = octcompress.search.recipe_of_choices ({a, b}, [0.02 0.9], options, 0);
%! assert (some, {struct('step', 'rdoq', 'tradeoff', 0.02, 'images', 100)});
%! some = octcompress.search.recipe_of_choices ({a, b}, [0.02 0.9], options, 4);
%! assert (cellfun (@(step) step.step, some, 'UniformOutput', false), ...
%!         {'prune_train', 'shrink', 'quantize', 'distill'});
%! assert ({some{1}.sparsity, some{1}.epochs, some{4}.epochs}, {0.9, 2, 2});
%! assert (numel (octcompress.search.recipe_of_choices ({a, b}, [0.02 0.9], options, 1)), 3);
%! [~, faults] = octcompress.search.check_recipe (some);
%! assert (faults, {});
%! options.method = 'grid';
%! [~, faults] = octcompress.search.check_recipe (recipe);
%! assert (faults, {});
%! recipe = octcompress.search.recipe_of_choices ({a, b}, [1 1], options, 0);
%! assert (numel (recipe), 1);
%! b.fitted = false;
%! recipe = octcompress.search.recipe_of_choices ({a, b}, [2 2], options, 0);
%! assert ({recipe{1}.criterion, recipe{1}.sparsity, recipe{2}.sparsity}, ...
%!         {'obs', {{'a', 0.5}}, {{'b', 0.5}}});
