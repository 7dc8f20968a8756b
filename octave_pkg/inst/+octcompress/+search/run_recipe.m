function [model, steps] = run_recipe (model, recipe, data, settings)
%RUN_RECIPE  Apply the steps of a recipe to a network, one after the other.
%
%   [model, steps] = octcompress.search.run_recipe (model, recipe, data)
%   [model, steps] = octcompress.search.run_recipe (model, recipe, data, settings)
%
%   model     a network
%   recipe    of octcompress.search.check_recipe, without faults
%   data      struct: X, and Y (labels) or Y = []: what may be learnt from; of it the first IMAGES
%             observations (option of a step; 2000) are the calibration inputs
%   settings  struct, may be left out: seed (0) of the steps that name none; verbose (false)
%   steps     cell of structs, one for each: step, seconds, bytes (octcompress.search.coded_bytes
%             of the model after it), nonzeros (of the weights)
%
%   What a step does is what nn_STEP does. The teacher of distill and of prune_train is MODEL as it
%   came; without labels distill learns from the teacher alone, and the other steps that train are
%   refused.
%
%   Errors: octcompress:nn_compress:noLabels, and those of the verbs.
%
%   See also nn_compress, octcompress.search.check_recipe.

  if nargin < 4
    settings = struct ();
  end
  defaults = struct ('seed', 0, 'verbose', false);
  settings = octcompress.internal.parse_options ('run_recipe', defaults, {settings});
  original = model;
  steps = cell (1, numel (recipe));
  for k = 1:numel (recipe)
    started = tic ();
    name = recipe{k}.step;
    options = rmfield (recipe{k}, 'step');
    if any (strcmp (name, {'train', 'distill', 'prune_train', 'quantize_train'}))
      model = train (name, model, original, data, options, settings);
    else
      model = change (name, model, original, data, options, settings);
    end
    [~, bytes, nonzeros] = octcompress.search.coded_bytes (model);
    steps{k} = struct ('step', name, 'seconds', toc (started), 'bytes', bytes, 'nonzeros', ...
                       nonzeros);
  end
end

function model = change (name, model, original, data, options, settings)
  [images, options] = take (options, 'images', 2000);
  count = min (images, octcompress.model.observations (data.X, original.input_size));
  x = octcompress.search.pick (data.X, original.input_size, 1:count);
  value = @(field) take (options, field, '');
  switch name
    case 'prune'
      if any (strcmp (value ('criterion'), {'taylor', 'movement', 'obd', 'obs', 'wanda'}))
        options.data = x;
      end
      if any (strcmp (value ('criterion'), {'taylor', 'movement'}))
        options.labels = labels_of (name, data, 1:count);
      end
      if isfield (options, 'sparsity') && iscell (options.sparsity)
        options.sparsity = vertcat (options.sparsity{:});
      end
      options = seeded (options, settings);
      model = nn_prune (model, options);
    case 'quantize'
      needs = any (strcmp (value ('rounding'), {'gptq', 'adaround', 'obq'}));
      if ~isfield (options, 'activations')
        options.activations = 'none';
      end
      if needs || strcmp (options.activations, 'static')
        options.data = x;
      end
      if isfield (options, 'bits') && iscell (options.bits)
        options.bits = bits_of (model, options);
      end
      options = seeded (options, settings);
      model = nn_quantize (model, options);
    case 'rdoq'
      options = seeded (options, settings);
      model = nn_rdoq (model, options, 'data', x, 'held_out', 0);
    case 'lowrank'
      [with_data, options] = take (options, 'data', false);
      if with_data
        options.data = x;
      end
      model = nn_lowrank (model, options);
    case 'equalize'
      if strcmp (value ('method'), 'activations')
        options.data = x;
      end
      model = nn_equalize (model, options);
    case 'correct'
      options.data = x;
      if numel (original.layers) == numel (model.layers)
        options.original = original;
      end
      model = nn_correct (model, options);
    case 'shrink'
      model = nn_shrink (model);
    case 'fold'
      model = nn_fold (model);
  end
end

function model = train (name, model, original, data, options, settings)
  options = seeded (options, settings);
  options.verbose = settings.verbose;
  [shift, options] = take (options, 'shift', 0);
  if shift > 0
    options.augmentation = struct ('shift', shift);
  end
  switch name
    case 'distill'
      if isempty (data.Y)
        options.alpha = 1;
      end
      model = nn_distill (original, model, data.X, data.Y, options);
    case 'train'
      model = nn_train (model, data.X, labels_of (name, data), options);
    case 'quantize_train'
      model = nn_quantize_train (model, data.X, labels_of (name, data), options);
    case 'prune_train'
      options.teacher = original;
      options.prune = {};
      for option = {'scope', 'structure'}
        [value, options] = take (options, option{1}, '');
        if ~isempty (value)
          options.prune = [options.prune, option, {value}];
        end
      end
      model = nn_prune_train (model, data.X, labels_of (name, data), options);
  end
end

function y = labels_of (name, data, which)
  if isempty (data.Y)
    octcompress.internal.fail ('nn_compress', 'noLabels', ...
      'the step %s needs labels, but DATA has none; distill learns without', name);
  end
  y = data.Y;
  if nargin > 2
    y = y(:, which);
  end
end

function bits = bits_of (model, options)
  % One number for each tensor that is chosen; layers that the table leaves out have 8 bits.
  layers = [];
  if isfield (options, 'layers')
    layers = options.layers;
  end
  tensors = octcompress.model.select_tensors ('nn_quantize', model, layers, false);
  table = vertcat (options.bits{:});
  bits = repmat (8, 1, numel (tensors));
  for k = 1:numel (tensors)
    place = strcmp (table(:, 1), tensors{k}.owner);
    if any (place)
      bits(k) = table{place, 2};
    end
  end
end

function options = seeded (options, settings)
  if ~isfield (options, 'seed')
    options.seed = settings.seed;
  end
end

function [value, options] = take (options, name, fallback)
  value = fallback;
  if isfield (options, name)
    value = options.(name);
    options = rmfield (options, name);
  end
end

%!shared model, data
%! rand ('twister', 3);
%! data.X = single (rand (6, 150));
%! [~, data.Y] = max (data.X(1:3, :) + 0.3 * data.X(4:6, :), [], 1);
%! model = nn_new ('input', 6, 'dense', 12, 'relu', 'dense', 3);
%! model = nn_train (model, data.X, data.Y, 'epochs', 5, 'learning_rate', 0.1, 'batch_size', 20, ...
%!                   'verbose', false);
%!test % every ready recipe runs, and what it promises stands
%! for name = octcompress.search.ready_recipe ()
%!   recipe = octcompress.search.ready_recipe (name{1});
%!   for k = 1:numel (recipe)
%!     if isfield (recipe{k}, 'epochs')
%!       recipe{k}.epochs = 1;
%!     end
%!   end
%!   [small, steps] = octcompress.search.run_recipe (model, recipe, data);
%!   assert (numel (steps), numel (recipe));
%!   assert (steps{end}.bytes < 600, name{1});
%!   assert (isfield (small.layers{1}.quantization, 'weights'));
%! end
%!test % the verbs, by hand
%! recipe = {struct('step', 'prune', 'sparsity', 0.5, 'criterion', 'obs', 'images', 40), ...
%!           struct('step', 'quantize', 'bits', {{{'dense_3', 3}}}), ...
%!           struct('step', 'distill', 'epochs', 2)};
%! small = octcompress.search.run_recipe (model, recipe, data, struct ('seed', 5));
%! p = nn_prune (model, 'sparsity', 0.5, 'criterion', 'obs', 'data', data.X(:, 1:40));
%! p = nn_quantize (p, 'bits', [8 3]);
%! p = nn_distill (model, p, data.X, data.Y, 'epochs', 2, 'seed', 5, 'verbose', false);
%! assert (small, p);
%!test % without labels, other steps
%! data.Y = [];
%! recipe = {struct('step', 'lowrank', 'rank', 2, 'data', true), ...
%!           struct('step', 'distill', 'epochs', 1)};
%! small = octcompress.search.run_recipe (model, recipe, data);
%! assert (size (small.layers{1}.weights), [2 6]);
%! recipe = {struct('step', 'rdoq', 'tradeoff', 0.01), ...
%!           struct('step', 'prune', 'threshold', 1e-12, 'scale', 'none'), ...
%!           struct('step', 'distill', 'epochs', 1)};
%! small = octcompress.search.run_recipe (model, recipe, data);
%! q = nn_rdoq (model, 'data', data.X, 'tradeoff', 0.01, 'held_out', 0);
%! assert (small.layers{1}.weights(q.layers{1}.weights == 0) == 0);
%! recipe = {struct('step', 'equalize', 'method', 'activations'), ...
%!           struct('step', 'prune', 'sparsity', 0.5), struct('step', 'correct')};
%! octcompress.search.run_recipe (model, recipe, data);
%!error <nn_compress: the step train needs labels, but DATA has none>
%! data.Y = [];
%! octcompress.search.run_recipe (model, {struct('step', 'train')}, data);
