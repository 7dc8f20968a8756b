function [recipe, faults] = check_recipe (recipe, layers, training)
%CHECK_RECIPE  Every fault of a recipe, before anything runs.
%
%   [recipe, faults] = octcompress.search.check_recipe (recipe)
%   [recipe, faults] = octcompress.search.check_recipe (recipe, layers)
%   [recipe, faults] = octcompress.search.check_recipe (recipe, layers, training)
%   steps = octcompress.search.check_recipe ()
%
%   recipe    an ordered list of steps: a cell of structs (or a struct array) whose field step
%             names the verb, nn_ left out, and whose other fields are its options; or the name of a
%             ready recipe (octcompress.search.ready_recipe), or its JSON text. On return a cell of
%             structs without empty options, the others in order of their names; values by layer
%             are {{'fc1', 4}, {'fc2', 3}}
%   layers    cellstr of the layers with weights; {} or left out: names are not checked
%   training  (true) false: steps that train are faults
%   faults    cellstr, one line each with its place; empty for a sound recipe
%   steps     struct: for each step its options, each with its kind and range (steps.json)
%
%   Where a step needs data it gets them: calibration inputs (the first IMAGES of them) or all that
%   there is to train on. The teacher of distill is the original network.
%
%   Example:
%     recipe = {struct('step', 'prune', 'sparsity', 0.9, 'criterion', 'obs'), ...
%               struct('step', 'quantize', 'bits', 4, 'rounding', 'gptq')};
%     [recipe, faults] = octcompress.search.check_recipe (recipe);
%
%   See also nn_compress, octcompress.search.run_recipe.

  known = known_steps ();
  faults = {};
  if nargin == 0
    recipe = known;
    return
  end
  if nargin < 2
    layers = {};
  end
  if nargin < 3
    training = true;
  end
  if ischar (recipe) && ~isempty (recipe)
    try
      if any (recipe(1) == '[{')
        recipe = octcompress.search.recipe_from_json (recipe);
      else
        recipe = octcompress.search.ready_recipe (recipe);
      end
    catch problem
      faults = {regexprep(problem.message, '^\w+: ', '')};
      recipe = {};
      return
    end
  elseif isstruct (recipe)
    recipe = num2cell (recipe(:)');
  end
  if ~iscell (recipe) || isempty (recipe)
    faults = {['a recipe must be a cell of steps, the name of a ready one or JSON text, but is ' ...
               octcompress.internal.describe(recipe)]};
    recipe = {};
    return
  end

  recipe = recipe(:)';
  for k = 1:numel (recipe)
    [recipe{k}, found] = check_step (recipe{k}, known, layers, training);
    place = sprintf ('step %d', k);
    if isstruct (recipe{k}) && isfield (recipe{k}, 'step') && ischar (recipe{k}.step)
      place = sprintf ('step %d (%s)', k, recipe{k}.step);
      if strcmp (recipe{k}.step, 'lowrank')
        layers = {};  % from here on there are layers of other names
      end
    end
    faults = [faults, cellfun(@(text) [place ': ' text], found, 'UniformOutput', false)];
  end
end

function known = known_steps ()
  persistent kept
  if isempty (kept)
    file = fullfile (fileparts (mfilename ('fullpath')), 'steps.json');
    text = strrep (fileread (file), '"training options"', '"training_options"');
    kept = jsondecode (text);
    common = kept.training_options;
    kept = rmfield (kept, 'training_options');
    names = fieldnames (kept);
    for k = 1:numel (names)
      if isfield (kept.(names{k}), 'training')
        for option = fieldnames (common)'
          kept.(names{k}).(option{1}) = common.(option{1});
        end
      end
    end
  end
  known = kept;
end

function [step, faults] = check_step (step, known, layers, training)
  faults = {};
  if ~isstruct (step) || ~isscalar (step) || ~isfield (step, 'step') || ~ischar (step.step)
    faults = {['a step must be a struct with a field STEP that names it, but is ' ...
               octcompress.internal.describe(step)]};
    return
  end
  if ~isfield (known, step.step)
    faults = {sprintf('there is no step ''%s''; the steps are %s', step.step, ...
                      strjoin (fieldnames (known)', ', '))};
    return
  end
  options = known.(step.step);
  one_of = {};
  if isfield (options, 'one_of')
    one_of = options.one_of(:)';
    options = rmfield (options, 'one_of');
  end
  if isfield (options, 'training')
    options = rmfield (options, 'training');
    if ~training
      faults{end + 1} = 'it trains, but TRAINING is false';
    end
  end
  step = orderfields (step, [{'step'}; sort(setdiff (fieldnames (step), {'step'}))]);
  for name = fieldnames (step)'
    value = step.(name{1});
    if strcmp (name{1}, 'step')
      continue
    elseif isempty (value)
      step = rmfield (step, name{1});
    elseif ~isfield (options, name{1})
      faults{end + 1} = sprintf ('there is no option ''%s''; the options are %s', name{1}, ...
                                 strjoin (fieldnames (options)', ', ')); %#ok<AGROW>
    else
      [step.(name{1}), found] = check_value (name{1}, value, options.(name{1}), layers);
      faults = [faults, found]; %#ok<AGROW>
    end
  end
  is_pattern = isfield (step, 'structure') && any (step.structure == ':');
  if ~isempty (one_of) && ~any (isfield (step, one_of)) && ~is_pattern
    faults{end + 1} = ['give one of the options ' strjoin(one_of, ', ')];
  end
end

function [value, faults] = check_value (name, value, kind, layers)
  faults = {};
  range = kind(2:end);
  switch kind{1}
    case 'by layer'
      if isnumeric (value) && isscalar (value)
        faults = fault_of (name, value, range{1}, [range{2:3}]);
        return
      end
      [value, rows] = table_of (value);
      if isempty (rows)
        faults = {sprintf('%s must be a number or a table {name, number; ...}, but is %s', ...
                          upper (name), octcompress.internal.describe (value))};
        return
      end
      for k = 1:size (rows, 1)
        found = fault_of (name, rows{k, 2}, range{1}, [range{2:3}]);
        faults = [faults, cellfun(@(text) [text ' for ''' rows{k, 1} ''''], found, ...
                                  'UniformOutput', false)]; %#ok<AGROW>
      end
      faults = [faults, unknown(name, rows(:, 1)', layers)];
    case 'layers'
      if isnumeric (value)
        value = num2cell (value(:)');
      elseif ischar (value)
        value = {value};
      end
      if ~iscell (value) || ~all (cellfun (@(v) ischar (v) || isnumeric (v), value))
        faults = {[upper(name) ' must be names or numbers of layers']};
        return
      end
      value = value(:)';
      faults = unknown (name, value(cellfun (@ischar, value)), layers);
    case 'names'
      if ischar (value)
        value = {value};
      end
      if iscell (value)
        value = value(:)';
        for k = 1:numel (value)
          faults = [faults, fault_of(name, value{k}, 'choice', range(:)')]; %#ok<AGROW>
        end
      else
        faults = fault_of (name, value, 'choice', range(:)');
      end
    case 'choice'
      faults = fault_of (name, value, 'choice', range(:)');
    otherwise
      faults = fault_of (name, value, kind{1}, [range{:}]);
  end
end

function found = fault_of (name, value, kind, range)
  found = {};
  try
    octcompress.internal.check ('check_recipe', name, value, kind, range);
  catch problem
    found = {strrep(problem.message, 'check_recipe: ', '')};
  end
end

function faults = unknown (name, given, layers)
  faults = {};
  if isempty (layers)
    return
  end
  for missing = given(~ismember (given, layers))
    faults{end + 1} = sprintf ('%s names the layer ''%s'', but those with weights are %s', ...
                               upper (name), missing{1}, strjoin (layers, ', ')); %#ok<AGROW>
  end
end

function [value, rows] = table_of (value)
  % Pairs {{'fc1', 0.9}, ...}, as JSON has them; or {'fc1', 0.9; ...}, or a struct.
  rows = {};
  if isstruct (value) && isscalar (value)
    value = [fieldnames(value), struct2cell(value)];
  end
  if iscell (value) && size (value, 2) == 2 && ~iscell (value{1})
    value = arrayfun (@(k) value(k, :), 1:size (value, 1), 'UniformOutput', false);
  end
  if iscell (value) && ~isempty (value) && all (cellfun (@is_pair, value(:)))
    value = cellfun (@(pair) pair(:)', value(:)', 'UniformOutput', false);
    rows = vertcat (value{:});
  end
end

function yes = is_pair (value)
  yes = iscell (value) && numel (value) == 2 && ischar (value{1}) && isnumeric (value{2});
end

%!function faults = of (varargin)
%!  [~, faults] = octcompress.search.check_recipe (varargin{:});
%!endfunction
%!test % tables in every form; empty options go
%! forms = {{'a', 0.5; 'b', 1}, struct('a', 0.5, 'b', 1), {{'a', 0.5}, {'b', 1}}};
%! for k = 1:3
%!   step = struct ('step', 'prune', 'sparsity', {forms{k}}, 'layers', []);
%!   [recipe, faults] = octcompress.search.check_recipe ({step}, {'a', 'b'});
%!   assert (faults, {});
%!   assert (recipe, {struct('step', 'prune', 'sparsity', {{{'a', 0.5}, {'b', 1}}})});
%! end
%!test % all faults at once, each with its place
%! recipe = {struct('step', 'prun'), struct('step', 'prune', 'sparsty', 1), 3, ...
%!           struct('step', 'quantize', 'bits', 40, 'rounding', 'up'), struct('step', 'train'), ...
%!           struct('step', 'prune', 'sparsity', {{'a', 2; 'z', 0.5}})};
%! faults = of (recipe, {'a', 'b'}, false);
%! assert (numel (faults), 9);
%! assert (strncmp (faults{1}, 'step 1 (prun): there is no step ''prun''; the steps', 45));
%! assert (strncmp (faults{2}, 'step 2 (prune): there is no option ''sparsty''; the opt', 50));
%! assert (faults{3}, ['step 2 (prune): give one of the options sparsity, threshold, keep, ' ...
%!                     'target_macs, target_bytes']);
%! assert (faults{4}, 'step 3: a step must be a struct with a field STEP that names it, but is 3');
%! assert (faults{5}, 'step 4 (quantize): BITS must be a whole number from 1 to 16, but is 40');
%! assert (strncmp (faults{6}, 'step 4 (quantize): ROUNDING must be one of ''nearest''', 50));
%! assert (faults{7}, 'step 5 (train): it trains, but TRAINING is false');
%! assert (faults{8}, 'step 6 (prune): SPARSITY must be a number from 0 to 1, but is 2 for ''a''');
%! assert (faults{9}, ['step 6 (prune): SPARSITY names the layer ''z'', but those with weights ' ...
%!                     'are a, b']);
%!test % what low rank renames is not checked; patterns need no amount
%! recipe = {struct('step', 'prune', 'structure', '2:4'), struct('step', 'lowrank', 'rank', 3), ...
%!           struct('step', 'quantize', 'layers', 'a_down')};
%! assert (of (recipe, {'a'}), {});
%! assert (of (recipe(3), {'a'}), {['step 1 (quantize): LAYERS names the layer ''a_down'', but ' ...
%!                                  'those with weights are a']});
%! assert (of (struct ('step', {'fold', 'shrink'})), {});
%!test
%! assert (of (3), {['a recipe must be a cell of steps, the name of a ready one or JSON text, ' ...
%!                   'but is 3']});
%! assert (of ('tiny'), {});
%! faults = of ('tny');
%! assert (strncmp (faults{1}, 'there is no ready recipe ''tny''; there are deep-compression', 50));
%!test % the verbs know every option that is listed
%! steps = octcompress.search.check_recipe ();
%! for name = fieldnames (steps)'
%!   options = setdiff (fieldnames (steps.(name{1}))', {'one_of', 'training', 'images', 'data', ...
%!                                                      'scope', 'structure', 'shift'});
%!   words = help (['nn_' name{1}]);
%!   if isfield (steps.(name{1}), 'training')
%!     words = [words, help('nn_train')];
%!   end
%!   for option = options
%!     assert (~isempty (strfind (words, option{1})), [name{1} ' ' option{1}]);
%!   end
%! end
