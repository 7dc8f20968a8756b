function [model, info] = loop (caller, model, plan, train, validation, options)
%LOOP  The training loop of nn_train and nn_distill.
%
%   [model, info] = octcompress.train.loop (caller, model, plan, train, validation, options)
%
%   caller      char, the function the user called
%   model       a tidy network
%   plan        of octcompress.train.cut: what of the network is computed in training
%   train       what is learnt from, a struct:
%     x           inputs, as octcompress.model.batches has checked them (larger images with crop)
%     count       number of observations
%     loss        handle [value, d_outputs] = loss (outputs, which, x): outputs is a cell, as
%                 octcompress.model.forward gives it, which the numbers of the observations, x the
%                 batch in the engine's layout; value is the mean loss of the batch and d_outputs
%                 a cell, its gradient by the outputs. The value may be a row: the loss, and the
%                 parts of it that PARTS names
%     parts       may be left out: cellstr, fields of the history for these parts
%     loss_at     may be left out: handle loss = loss_at (moment), the loss of a step, moment going
%                 from 0 at the first step to 1; loss itself then is for validation
%     wanted      handle target = wanted (which), in the engine's layout, for options.monitor; []
%                 where there is none
%     labels      1 x count class numbers, for the accuracy; [] where there are none
%     after_step  may be left out: handle [state, places] = after_step (state, places), called after
%                 each step; the schedules of nn_prune_train work through it
%     check       number that changes with the data, so that a resumed training gets the same
%   validation  the same, or []: then options.validation is the share of train to hold back
%   options     of octcompress.train.training_options
%   model, info  as nn_train returns them
%
%   A batch is computed with the weights on their grid; the gradient goes to full-precision
%   weights beside them (straight-through estimator [1]), which are kept within the grid's range
%   [2]. Weights that pruning has set to zero get no gradient.
%
%   Random numbers are drawn in this order after seeding: the order of all observations, if a
%   share is held back (its first part is); then in each epoch the order of the batches (if
%   options.shuffle), and in each batch augmentation, then the layers in their order.
%
%   Errors: octcompress:CALLER:diverged, :nothingToTrain, :empty, :resumeMismatch.
%
%   [1] Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013,
%       arXiv:1308.3432.
%   [2] Courbariaux et al., BinaryConnect, NIPS 2015, arXiv:1511.00363.
%
%   See also nn_train, nn_distill, octcompress.train.interrupted.

  count = numel (plan.run);
  places = octcompress.train.parameters (model, plan);
  if isempty (places)
    octcompress.internal.fail (caller, 'nothingToTrain', 'MODEL has no weights to train');
  end
  random_before = octcompress.train.random ('seed', options.seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', random_before));
  [index, held] = octcompress.train.hold_back (caller, train.count, validation, options);
  if isempty (validation)
    validation = train;
  end
  per_epoch = ceil (numel (index) / options.batch_size);

  base = struct ('caller', caller, 'model', model, 'options', options, 'data', ...
                 [train.count, train.check]);
  if isempty (options.resume)
    state = initial_state (model.layers(1:count), places, parts_of (train));
  else
    [base.model, state] = octcompress.train.from_checkpoint (base);
    places = octcompress.train.parameters (base.model, plan);
    for p = 1:numel (places)
      places{p}.keep = cast (state.kept{p}, class (places{p}.keep));
    end
    octcompress.train.random ('restore', state.random);
  end
  base.places = places;
  state.values = take_values (state.layers, places);
  chain = octcompress.train.dense_chain ('find', plan, state.layers, places);
  run = struct ('plan', plan, 'model', without_layers (base.model), 'options', options, ...
                'is_sgd', strcmp (options.optimizer, 'sgd'), 'call', handles (options), ...
                'statistics', {layers_with_statistics(model.layers(1:count))}, ...
                'chain', {chain}, ...
                'as_it_is', needs_nothing (base.model, train.x, options), ...
                'descends', isfield (options, 'scale_rule') ...
                            && strcmp (options.scale_rule, 'gradient'));
  run = with_places (run, places);
  has_after_step = isfield (train, 'after_step');
  has_loss_at = isfield (train, 'loss_at');
  state.rate = octcompress.train.learning_rate (options, state.step, per_epoch);
  rate_changes = ~strcmp (options.schedule, 'constant') || options.warmup > 0;
  octcompress.train.interrupted ('end');
  leaving = onCleanup (@() octcompress.train.save_interrupted (options.checkpoint));
  octcompress.internal.keep_pages ();
  stopped = '';
  last_saved = tic ();

  while state.epoch <= options.epochs && isempty (stopped)
    if state.done == 0
      state.order = index;
      if options.shuffle
        state.order = index(octcompress.train.random ('order', numel (index)));
      end
      state.loss_sum = 0;
      state.seconds = 0;
      state.random = octcompress.train.random ('state');
    end
    draws = true;  % until a batch of the epoch has drawn no random numbers
    while state.done < numel (index)
      started = tic ();
      which = state.order(state.done + 1:min (state.done + options.batch_size, numel (index)));
      if rate_changes
        state.rate = run.call.learning_rate (options, state.step, per_epoch);
      end
      if has_loss_at
        train.loss = train.loss_at (state.step / (options.epochs * per_epoch));
      end
      [state, loss] = train_batch (state, run, train, which);
      if ~isfinite (loss(1))
        diverged (caller, state, loss(1), options);
      end
      state.loss_sum = state.loss_sum + loss * numel (which);
      state.done = state.done + numel (which);
      state.step = state.step + 1;
      if has_after_step
        state.layers = put_values (state.layers, places, state.values);
        [state, places] = train.after_step (state, places);
        state.values = take_values (state.layers, places);
        run = with_places (run, places);
      end
      if draws
        before = state.random;
        state.random = run.call.random ('state');
        draws = ~isequal (before, state.random);
      end
      state.seconds = state.seconds + toc (started);
      run.call.interrupted ('keep', base, state);
      if ~isempty (options.checkpoint) && toc (last_saved) >= 60 * options.checkpoint_minutes
        require_finite (caller, state, options);
        nn_save (options.checkpoint, octcompress.train.to_checkpoint (base, state));
        last_saved = tic ();
      end
    end

    state.layers = put_values (state.layers, places, state.values);
    require_finite (caller, state, options);
    state = end_of_epoch (state, run, train, validation, held);
    octcompress.train.report (state, options, parts_of (train));
    if state.best.epoch > 0 && state.epoch - state.best.epoch >= options.patience
      stopped = 'patience';
    end
    if ~isempty (options.callback) ...
          && octcompress.train.call_back (caller, base.model, state, options)
      stopped = 'callback';
    end
    state.epoch = state.epoch + 1;
    state.done = 0;
    octcompress.train.interrupted ('keep', base, state);
  end

  if ~isempty (options.checkpoint)
    nn_save (options.checkpoint, octcompress.train.to_checkpoint (base, state));
  end
  octcompress.train.interrupted ('end');
  model = base.model;
  model.layers(1:count) = state.layers;
  if state.best.epoch > 0
    model.layers(1:count) = state.best.layers;
  end
  info = struct ('options', options, 'history', state.history, 'epochs', state.epoch - 1, ...
                 'steps', state.step, 'best_epoch', state.best.epoch, 'stopped', stopped, ...
                 'layers', {octcompress.train.trained_figures(model, places)});
  if isempty (stopped)
    info.stopped = 'finished';
  end
end

function parts = parts_of (source)
  parts = {};
  if isfield (source, 'parts')
    parts = source.parts;
  end
end

function state = initial_state (layers, places, parts)
  blank = cell (1, numel (places));
  state = struct ('layers', {layers}, 'latent', {blank}, 'first', {blank}, 'second', {blank}, ...
                  'kept', {blank}, ...
                  'step', 0, 'epoch', 1, 'done', 0, 'order', [], 'rate', 0, 'loss_sum', 0, ...
                  'seconds', 0, ...
                  'random', octcompress.train.random ('state'));
  for p = 1:numel (places)
    place = places{p};
    w = layers{place.layer}.(place.field);
    state.first{p} = zeros (size (w), class (w));
    state.second{p} = state.first{p};
    state.kept{p} = place.keep ~= 0;
    if place.quantized
      state.latent{p} = w;
      state.layers{place.layer}.(place.field) = octcompress.quant.snap_to_grid (w, place.grid);
    end
  end
  state.history = struct ('loss', [], 'validation_loss', [], 'validation_accuracy', [], ...
                          'learning_rate', [], ...
                          'seconds', []);
  for k = 1:numel (parts)
    state.history.(parts{k}) = [];
  end
  state.best = struct ('epoch', 0, 'value', 0, 'layers', {{}});
end

function list = layers_with_statistics (layers)
  list = [];
  for k = 1:numel (layers)
    entry = octcompress.layers.types (layers{k}.type);
    if ~isempty (entry.statistics)
      list(end + 1) = k; %#ok<AGROW>
    end
  end
end

function run = with_places (run, places)
  % Special are those that take more than the optimiser's step.
  run.places = places;
  special = cellfun (@(place) place.pruned || place.quantized, places);
  if run.options.weight_decay > 0
    special = special | cellfun (@(place) place.decays, places);
  end
  if ~isinf (run.options.clip_norm)
    special(:) = true;
  end
  run.special = find (special);
end

function call = handles (options)
  % What a step calls. To find a function in a package costs Octave more than a small layer.
  call = struct ('batch', @octcompress.train.batch, 'forward', @octcompress.model.forward, ...
                 'backward', @octcompress.model.backward, ...
                 'dense_chain', @octcompress.train.dense_chain, ...
                 'learning_rate', @octcompress.train.learning_rate, ...
                 'random', @octcompress.train.random, ...
                 'interrupted', @octcompress.train.interrupted, ...
                 'step', @octcompress.train.adam_step);
  if strcmp (options.optimizer, 'sgd')
    call.step = @octcompress.train.sgd_step;
  end
end

function yes = needs_nothing (model, x, options)
  % Features that are in the network's class already: octcompress.train.batch would only select
  % them.
  yes = isscalar (model.input_size) && isempty (options.augmentation) ...
        && ~isfield (model, 'quantization') ...
        && isa (x, octcompress.model.float_class (model));
end

function model = without_layers (model)
  % What take_batch needs of the model, and its first weights for the class.
  first = find (cellfun (@(layer) isfield (layer, 'weights'), model.layers), 1);
  model.layers = model.layers(first);
end

function [state, loss] = train_batch (state, run, train, which)
  if run.as_it_is
    x = train.x(:, which);
  else
    x = run.call.batch (train.x, run.model, which, run.options.augmentation, true);
  end
  % Gradients are linear in the loss: the learning rate of sgd is cheapest put in there.
  scale = 1;
  if run.is_sgd
    scale = state.rate;
  end
  if ~isempty (run.chain)
    [loss, steps] = run.call.dense_chain ('gradients', run.chain, state.values, x, train.loss, ...
                                          which, scale);
  else
    [loss, steps, state] = gradients_of (state, run, train, x, which, scale);
  end
  if run.descends   % for after_step: minus the learning rate times the gradients
    factor = state.rate / scale;
    if scale == 0
      factor = 0;
    end
    state.descent = cellfun (@(step) -factor * step, steps, 'UniformOutput', false);
  end
  if isfinite (loss(1))
    state = update (state, run, steps, scale);
  end
end

function [loss, steps, state] = gradients_of (state, run, train, x, which, scale)
  layers = put_values (state.layers, run.places, state.values);
  [y, trace] = run.call.forward (run.plan, layers, x, true);
  [loss, dy] = train.loss (y, which, x);
  for k = 1:numel (dy)
    dy{k} = scale * dy{k};
  end
  gradients = run.call.backward (run.plan, layers, trace, dy);
  for k = run.statistics
    names = fieldnames (trace.states{k}.statistics);
    for i = 1:numel (names)
      layers{k}.(names{i}) = trace.states{k}.statistics.(names{i});
    end
  end
  state.layers = layers;
  steps = cell (1, numel (run.places));
  for p = 1:numel (steps)
    place = run.places{p};
    steps{p} = gradients{place.layer}.(place.field);
  end
end

function state = update (state, run, steps, scale)
  options = run.options;
  values = state.values;
  if ~isempty (run.special)
    [values, steps] = prepare (values, steps, state, run, scale);
  end
  if run.is_sgd
    [values, state.first] = run.call.step (values, state.first, steps, options.momentum, ...
                                           options.nesterov);
  else
    [values, state.first, state.second] = run.call.step ( ...
      values, state.first, state.second, steps, state.step + 1, state.rate, options.beta1, ...
      options.beta2, options.epsilon);
  end
  for p = run.special
    place = run.places{p};
    if place.quantized
      state.latent{p} = min (max (values{p}, place.low), place.high);
      values{p} = octcompress.quant.snap_to_grid (state.latent{p}, place.grid);
      if place.pruned
        values{p} = values{p} .* place.keep;
      end
    end
  end
  state.values = values;
end

function [values, steps] = prepare (values, steps, state, run, scale)
  % Masks, clipping and weight decay; where there is a grid, the weights beside it are stepped.
  options = run.options;
  for p = run.special
    place = run.places{p};
    if place.pruned
      steps{p} = steps{p} .* place.keep;
    end
    if place.quantized
      values{p} = state.latent{p};
    end
  end
  if ~isinf (options.clip_norm)
    squares = cellfun (@(step) sum (double (step(:)) .^ 2), steps);
    factor = scale * options.clip_norm / sqrt (sum (squares));
    if factor < 1
      steps = cellfun (@(step) factor * step, steps, 'UniformOutput', false);
    end
  end
  if options.weight_decay > 0
    for p = run.special
      if ~run.places{p}.decays
        continue
      end
      if strcmp (options.optimizer, 'adamw')
        values{p} = (1 - state.rate * options.weight_decay) * values{p};
      else
        steps{p} = steps{p} + (scale * options.weight_decay) * values{p};
      end
    end
  end
end

function layers = put_values (layers, places, values)
  for p = 1:numel (places)
    layers{places{p}.layer}.(places{p}.field) = values{p};
  end
end

function values = take_values (layers, places)
  values = cellfun (@(place) layers{place.layer}.(place.field), places, 'UniformOutput', false);
end

function require_finite (caller, state, options)
  if ~all (cellfun (@(w) all (isfinite (w(:))), state.values))
    diverged (caller, state, NaN, options);
  end
end

function diverged (caller, state, loss, options)
  octcompress.train.interrupted ('end');
  where = '; set CHECKPOINT to have the last good model in a file';
  if ~isempty (options.checkpoint) && isfile (options.checkpoint)
    where = sprintf ('; the last good model is in ''%s''', options.checkpoint);
  end
  octcompress.internal.fail (caller, 'diverged', ...
    ['the training diverged: the loss is %g in epoch %d, step %d; lower LEARNING_RATE (it is ' ...
     '%g), ' ...
     'set CLIP_NORM, or scale X to about -1 to 1%s'], ...
    loss, state.epoch, state.step + 1, options.learning_rate, where);
end

function state = end_of_epoch (state, run, train, validation, held)
  options = run.options;
  history = state.history;
  means = state.loss_sum / numel (state.order);
  names = [{'loss'}, parts_of(train)];
  for k = 1:numel (names)
    history.(names{k})(end + 1) = means(k);
  end
  history.learning_rate(end + 1) = state.rate;
  history.seconds(end + 1) = state.seconds;
  if ~isempty (held)
    [value, accuracy, figure] = octcompress.train.validate (run.plan, run.model, state.layers, ...
                                                            validation, held, options);
    history.validation_loss(end + 1) = value;
    history.validation_accuracy(end + 1) = accuracy;
    if strcmp (options.monitor, 'accuracy')
      value = -accuracy;
    elseif ~strcmp (options.monitor, 'loss')
      name = ['validation_' options.monitor];
      if ~isfield (history, name)
        history.(name) = [];
      end
      history.(name)(end + 1) = figure;
      value = figure;
      if any (strcmp (options.monitor, {'top_k', 'auc', 'psnr'}))   % more is better; NaN never is
        value = -figure;
        value(isnan (value)) = Inf;
      end
    end
    if state.best.epoch == 0 || value < state.best.value
      state.best = struct ('epoch', state.epoch, 'value', value, 'layers', {state.layers});
    end
  end
  state.history = history;
end

%!function [value, dy] = stops_at (step, y, target)
%!  persistent calls
%!  if isempty (calls) || step < 0
%!    calls = 0;
%!  end
%!  calls = calls + 1;
%!  if calls == step
%!    error ('stop:now', 'now');
%!  end
%!  [value, gradient] = octcompress.train.squared_error (y{1}, target);
%!  dy = {gradient};
%!endfunction
%!function [model, info] = run (model, x, target, step, varargin)
%!  options = octcompress.train.training_options ('f', struct (), ...
%!        [{'epochs', 3, 'batch_size', 4, 'verbose', false}, varargin]);
%!  stops_at (-1, {0}, 0);
%!  stops_at (-1, {0}, 0);
%!  train = struct ('x', x, 'count', size (x, 2), 'labels', [], 'check', 1, ...
%!                  'loss', @(y, which, ~) stops_at (step + 1, y, target(:, which)));
%!  plan = octcompress.train.cut ('f', model, {});
%!  [model, info] = octcompress.train.loop ('f', model, plan, train, [], options);
%!endfunction
%!shared model, X, T
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 -1; 0.5 0.2; 0 1], ...
%!                        'bias', [0; 0; 0]), ...
%!                 struct('type', 'dropout', 'name', 'd', 'rate', 0.3), ...
%!                 struct('type', 'batchnorm', 'name', 'n', 'scale', ones (3, 1), 'offset', ...
%!                        zeros (3, 1), ...
%!                        'mean', zeros (3, 1), 'variance', ones (3, 1)), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', [0.3 -0.2 1])};
%! model = octcompress.model.tidy ('f', model);
%! X = [sin(1:10); cos(1:10)];
%! T = X(1, :) + 0.5 * X(2, :);
%!test % stopped in any step, it goes on bit for bit; here with dropout and batch normalisation
%! [whole, all_info] = run (model, X, T, Inf);
%! assert (any (whole.layers{3}.mean ~= 0));
%! for step = 2:9
%!   text = evalc ('try, run (model, X, T, step); catch e, caught = e.identifier; end');
%!   assert (caught, 'stop:now');
%!   assert (~isempty (strfind (text, 'training interrupted; the model as it is comes by')));
%!   part = octcompress.train.interrupted ();
%!   assert (part.training.step, step - 1);
%!   [resumed, info] = run (model, X, T, Inf, 'resume', part);
%!   assert (resumed, whole);
%!   assert (info.history.loss, all_info.history.loss);
%! end
%!test % the same through a file
%! whole = run (model, X, T, Inf, 'optimizer', 'adam');
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! text = evalc (['try, run (model, X, T, 5, ''optimizer'', ''adam'', ''checkpoint'', file); ' ...
%!                'catch, end']);
%! assert (~isempty (strfind (text, file)));
%! part = nn_load (file);
%! assert (part.training.step, 4);
%! assert (part.training.done, 4);
%! assert (run (model, X, T, Inf, 'optimizer', 'adam', 'resume', file), whole);
%!test % a checkpoint after every batch
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! run (model, X, T, Inf, 'checkpoint', file, 'checkpoint_minutes', 0);
%! part = nn_load (file);
%! assert (part.training.epoch, 4);
%! [~, info] = run (model, X, T, Inf, 'resume', file);
%! assert (info.steps, 9);
%!test % more epochs than at first
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! run (model, X, T, Inf, 'checkpoint', file);
%! more = run (model, X, T, Inf, 'resume', file, 'epochs', 5);
%! assert (more, run (model, X, T, Inf, 'epochs', 5));
%!test % a normal end keeps nothing
%! run (model, X, T, Inf);
%! assert (~ octcompress.train.interrupted ('is_kept'));
%!test % a layer that does not reach the output is left alone
%! graph = model;
%! graph.layers{end + 1} = struct ('type', 'dense', 'name', 'aside', 'inputs', {{'a'}}, ...
%!                                 'weights', [1 2 3]);
%! graph.outputs = {'b'};
%! graph = octcompress.model.tidy ('f', graph);
%! trained = run (graph, X, T, Inf);
%! assert (trained.layers{5}, graph.layers{5});
