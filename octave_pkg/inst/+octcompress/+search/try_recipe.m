function [result, work] = try_recipe (recipe, work, predicted)
%TRY_RECIPE  Measure a recipe: run it, code the result, load it again, judge it.
%
%   [result, work] = octcompress.search.try_recipe (recipe, work, predicted)
%
%   recipe     of octcompress.search.check_recipe
%   work       struct that nn_compress makes:
%     model, parts (octcompress.search.prepare_data), options (of nn_compress), started (tic)
%     tried      cell of results; a recipe that is among them is not run again
%     best       the result that is best so far, and bytes: its file, a uint8 column; [] for none
%   predicted  struct of what the search expects: bytes, drop, loss; NaN where it does not
%   result     struct: recipe, bytes (of the file on disk), drop (points of accuracy lost on
%              parts.judge), accuracy, loss (mean squared change of an output), seconds, steps (of
%              run_recipe), predicted, meets (the budgets)
%
%   After each result the checkpoint is written, and a better file takes the place of OUTPUT, so
%   that an interruption loses the recipe that was running and no more. Better: meets the budgets
%   where the other does not; else of fewer bytes where a drop was asked for, else of less drop.
%
%   See also nn_compress, octcompress.search.run_recipe.

  recipe = octcompress.search.check_recipe (recipe);  % the same recipe is the same text
  text = octcompress.search.recipe_to_json (recipe);
  for k = 1:numel (work.tried)
    if strcmp (octcompress.search.recipe_to_json (work.tried{k}.recipe), text)
      result = work.tried{k};
      return
    end
  end
  started = tic ();
  settings = struct ('seed', work.options.seed, 'verbose', false);
  [small, steps] = octcompress.search.run_recipe (work.model, recipe, work.parts.learn, settings);
  if work.options.keep_recipe
    small.recipe = recipe;
    small.recipe_bytes = cellfun (@(step) round (step.bytes), steps);
  end
  file = [tempname() '.mat'];
  deleting = onCleanup (@() delete (file));
  saved = nn_save (file, small, 'coding', 'auto');
  small = nn_load (file);
  judge = work.parts.judge;
  outputs = octcompress.search.logits ('nn_compress', small, judge.X);
  [~, answer] = max (outputs, [], 1);
  accuracy = mean (answer == judge.Y);
  result = struct ('recipe', {recipe}, 'bytes', saved.bytes, 'drop', ...
                   round (1e8 * (judge.accuracy - accuracy)) / 1e6, 'accuracy', accuracy, ...
                   'loss', mean ((outputs(:) - judge.outputs(:)) .^ 2), 'seconds', ...
                   toc (started), 'steps', {steps}, 'predicted', predicted, 'meets', false);
  result.meets = octcompress.search.meets (result, work.options);
  work.tried{end + 1} = result;
  if isempty (work.best) || is_better (result, work.best, work.options)
    work.best = result;
    work.best.file = read_bytes (file);
    if ~isempty (work.options.output)
      octcompress.search.write_bytes (work.options.output, work.best.file);
    end
  end
  octcompress.search.checkpoint ('write', work);
  if work.options.verbose
    report (result, work);
  end
end

function yes = is_better (a, b, options)
  if a.meets ~= b.meets
    yes = a.meets;
  elseif a.meets && ~isempty (options.max_drop)
    yes = a.bytes < b.bytes;
  elseif ~isempty (options.max_drop)
    yes = a.drop < b.drop;
  elseif ~isempty (options.max_bytes) && ~a.meets
    yes = a.bytes < b.bytes;
  else
    yes = a.drop < b.drop || (a.drop == b.drop && a.bytes < b.bytes);
  end
end

function bytes = read_bytes (file)
  handle = fopen (file, 'r');
  closing = onCleanup (@() fclose (handle));
  bytes = fread (handle, Inf, '*uint8');
end

function report (result, work)
  left = '';
  if isfinite (work.options.time)
    left = sprintf (', %.0f s left', max (work.options.time - toc (work.started), 0));
  end
  octcompress.internal.progress ('search', numel (work.tried), work.planned, ...
    '%d bytes, drop %.2f; best %d bytes, drop %.2f%s', result.bytes, result.drop, ...
    work.best.bytes, work.best.drop, left);
end

%!test % measured once
%! model = nn_new ('input', 4, 'dense', 3);
%! data = struct ('X', rand (4, 40));
%! recipe = {struct('step', 'quantize', 'bits', 4)};
%! [~, info] = nn_compress (model, data, 'recipe', recipe, 'verbose', false);
%! work = octcompress.search.start ('f', model, data, info.options);
%! expected = struct ('bytes', NaN, 'drop', NaN, 'loss', NaN, 'point', NaN);
%! [result, work] = octcompress.search.try_recipe (recipe, work, expected);
%! assert (result.bytes, info.bytes);
%! assert ({numel(work.tried), work.best.bytes, numel(work.best.file)}, ...
%!         {1, result.bytes, result.bytes});
%! [again, work] = octcompress.search.try_recipe (recipe, work, expected);
%! assert (again.seconds, result.seconds);
%! assert (numel (work.tried), 1);
