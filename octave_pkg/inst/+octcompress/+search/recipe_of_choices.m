function recipe = recipe_of_choices (curves, choices, options, epochs)
%RECIPE_OF_CHOICES  The recipe that gives each layer what was chosen for it.
%
%   recipe = octcompress.search.recipe_of_choices (curves, choices, options, epochs)
%
%   curves   of octcompress.search.layer_curves
%   choices  row: for each layer the number of its choice
%   options  struct: calibration, seed
%   epochs   of training by distillation: two thirds before the weights are quantized, the rest
%            after; 0: none
%   recipe   cell of steps (octcompress.search.check_recipe)
%
%   See also octcompress.search.find_recipe.

  images = options.calibration;
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
  training = struct ('step', 'distill', 'loss', 'kl', 'alpha', 0.7, 'epochs', ...
                     ceil (2 / 3 * epochs), 'optimizer', 'adam', 'schedule', 'cosine', 'seed', ...
                     options.seed);
  if training.epochs > 0
    recipe{end + 1} = training;
  end
  recipe{end + 1} = struct ('step', 'quantize', 'bits', {bits}, 'rounding', 'gptq', 'images', ...
                            images);
  if epochs > training.epochs
    training.epochs = epochs - training.epochs;
    training.learning_rate = 3e-4;
    recipe{end + 1} = training;
  end
end

%!test
%! a = struct ('layer', 'a', 'sparsity', [0 0.5 0], 'bits', [4 3 4], 'rank', [0 0 6], 'fitted', true);
%! b = a;
%! b.layer = 'b';
%! options = struct ('calibration', 100, 'seed', 2);
%! recipe = octcompress.search.recipe_of_choices ({a, b}, [2 3], options, 4);
%! steps = cellfun (@(step) step.step, recipe, 'UniformOutput', false);
%! assert (steps, {'lowrank', 'prune', 'distill', 'quantize', 'distill'});
%! assert (recipe{2}.sparsity, {{'a', 0.5}});
%! assert (recipe{4}.bits, {{'a', 3}, {'b', 4}, {'b_down', 4}});
%! assert ([recipe{3}.epochs, recipe{5}.epochs], [3 1]);
%! [~, faults] = octcompress.search.check_recipe (recipe);
%! assert (faults, {});
%! recipe = octcompress.search.recipe_of_choices ({a, b}, [1 1], options, 0);
%! assert (numel (recipe), 1);
%! b.fitted = false;
%! recipe = octcompress.search.recipe_of_choices ({a, b}, [2 2], options, 0);
%! assert ({recipe{1}.criterion, recipe{1}.sparsity, recipe{2}.sparsity}, ...
%!         {'obs', {{'a', 0.5}}, {{'b', 0.5}}});
