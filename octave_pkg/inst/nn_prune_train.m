function [model, info] = nn_prune_train (model, x, y, varargin)
%NN_PRUNE_TRAIN  Prune a network while it trains.
%
%   [model, info] = nn_prune_train (model, X, Y)
%   [model, info] = nn_prune_train (model, X, Y, 'sparsity', 0.95, 'schedule_prune', 'agp', ...)
%
%   model  a network with one output and weights, mostly trained; X, Y as nn_train takes them
%   info   as nn_train gives it, and info.sparsity: [step share] at each change of the masks, in
%          rows
%
%   Options beside those of nn_train (except checkpoint and resume):
%     sparsity (0.9)          share of the weights that are zero at the end
%     initial_sparsity (0)    where the schedule begins
%     schedule_prune ('polynomial')  or 'agp', 'linear', 'oneshot', 'iterative':
%                             octcompress.prune.scheduled_sparsity
%     begin_step (0), end_step ([])  steps of training; [] is two thirds of all steps
%     frequency (100)         steps between two changes of the masks
%     power (3), rounds (5)   of 'polynomial' and of 'iterative'
%     prune ({})              options of nn_prune in a cell: criterion, structure, scope ('global'
%                             unless said), layers, norm, data, ...; 'movement' adds up w .* change
%                             of w over all steps [4]
%     regrowth (false)        true: pruned weights go on learning behind their mask, and come back
%                             when they grow large (Dynamic Network Surgery [1])
%     rewind ([])             after each change of the masks the weights that are left go back to
%                             their values at this step (0: the beginning) [2]
%     distill (0)             0 to 1: how much of the loss is to imitate the teacher
%     teacher ([])            a network with the same input and output size; [] is the model as it
%                             is given, dense
%     temperature (4)         of the distillation [3]
%
%   The masks come from nn_prune, at the share that the schedule gives. Between two changes zeros
%   stay zero. Of several epochs judged on validation data, the best one after the last change is
%   returned. The loss is (1 - distill) * cross-entropy + distill * T^2 * KL (teacher || pruned).
%
%   Errors: octcompress:nn_prune_train:badValue, :sizesDiffer (of model and teacher), and those of
%   nn_train and nn_prune.
%
%   Example:
%     [X, Y] = nn_data ('mnist.mat', 'train');
%     [small, info] = nn_prune_train (model, X, Y, 'sparsity', 0.98, 'optimizer', 'adam', ...
%                                     'epochs', 20, 'distill', 0.7);
%
%   [1] Guo, Yao, Chen, Dynamic network surgery, NIPS 2016, arXiv:1608.04493.
%   [2] Frankle and Carbin, The lottery ticket hypothesis, ICLR 2019, arXiv:1803.03635.
%   [3] Hinton, Vinyals, Dean, Distilling the knowledge in a neural network, 2015,
%       arXiv:1503.02531.
%   [4] Sanh, Wolf, Rush, Movement pruning, NeurIPS 2020, arXiv:2005.07683.
%
%   See also nn_prune, nn_train, nn_shrink, nn_distill.

  caller = 'nn_prune_train';
  own.sparsity = 0.9;
  own.initial_sparsity = 0;
  own.schedule_prune = 'polynomial';
  own.begin_step = 0;
  own.end_step = [];
  own.frequency = 100;
  own.power = 3;
  own.rounds = 5;
  own.prune = {};
  own.regrowth = false;
  own.rewind = [];
  own.distill = 0;
  own.teacher = [];
  own.temperature = 4;
  own.loss = 'crossentropy';
  own.label_smoothing = 0;
  own.class_weights = [];
  own.huber_delta = 1;
  options = octcompress.train.training_options (caller, own, varargin);
  check_options (caller, options);

  model = octcompress.model.tidy (caller, model);
  dropped = {};
  if strcmp (options.loss, 'crossentropy')
    dropped = {'softmax', 'logsoftmax'};
  elseif strcmp (options.loss, 'binary_crossentropy')
    dropped = {'sigmoid'};
  end
  plan = octcompress.train.cut (caller, model, dropped);
  if isempty (y)
    octcompress.internal.fail (caller, 'empty', 'Y must not be empty; nn_distill needs no labels');
  end
  train = octcompress.train.data_source (caller, model, plan, x, y, options, {'X', 'Y'});
  validation = [];
  if ~isempty (options.validation_data)
    if numel (options.validation_data) < 2
      octcompress.internal.fail (caller, 'badValue', 'VALIDATION_DATA must be a cell {X, Y}');
    end
    validation = octcompress.train.data_source (caller, model, plan, options.validation_data{1}, ...
                                           options.validation_data{2}, options, ...
                                           {'the X of VALIDATION_DATA', ...
                                            'the Y of VALIDATION_DATA'});
  end
  if options.distill > 0
    teacher = model;
    if ~isempty (options.teacher)
      teacher = other_teacher (caller, model, plan, options.teacher, dropped);
    end
    train.loss = with_teacher (caller, train.loss, model, teacher, train, options);
  end

  learnt = floor ((1 - options.validation) * train.count);
  steps = options.epochs * ceil (learnt / options.batch_size);
  schedule = struct ('schedule', options.schedule_prune, 'initial', options.initial_sparsity, ...
                     'final', options.sparsity, 'begin_step', options.begin_step, 'end_step', ...
                     options.end_step, ...
                     'frequency', options.frequency, 'power', options.power, 'rounds', ...
                     options.rounds);
  if isempty (schedule.end_step)
    schedule.end_step = options.begin_step + floor (2 / 3 * max (steps - options.begin_step, 0));
  end
  work = struct ('schedule', schedule, 'options', options, 'model', model, ...
                 'settings', {[{'scope', 'global'}, options.prune]});
  work.movement = any (cellfun (@(value) ischar (value) && strcmp (value, 'movement'), ...
                                work.settings));
  check_settings (caller, work);
  chosen = masks_at (model, work, 0, {});
  names = find (~cellfun (@isempty, chosen));
  work.start = cell (1, numel (model.layers));
  start = model;
  if octcompress.prune.scheduled_sparsity (0, schedule) > 0 && ~work.movement
    work.start = masks_at (model, work, octcompress.prune.scheduled_sparsity (0, schedule), {});
    for k = names
      start.layers{k}.weights(~work.start{k}) = 0;
    end
  end
  train.after_step = @(state, places) after_step (state, places, work);
  [model, info] = octcompress.train.loop (caller, start, plan, train, validation, options);
  model = with_promise (model, work, names);
  info.sparsity = changes (schedule, info.steps);
  pruned = cellfun (@(layer) [layer.name '.weights'], model.layers(names), 'UniformOutput', false);
  for k = 1:numel (info.layers)
    info.layers{k}.pruned = any (strcmp (info.layers{k}.tensor, pruned));
  end
end

function check_options (caller, options)
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  check ('sparsity', 'number', [0 1]);
  check ('initial_sparsity', 'number', [0 1]);
  check ('schedule_prune', 'choice', {'polynomial', 'agp', 'linear', 'oneshot', 'iterative'});
  check ('begin_step', 'integer', [0 Inf]);
  if ~isempty (options.end_step)
    check ('end_step', 'integer', [0 Inf]);
  end
  check ('frequency', 'integer', [1 Inf]);
  check ('power', 'number', [0 100]);
  check ('rounds', 'integer', [1 1e4]);
  check ('regrowth', 'flag');
  if ~isempty (options.rewind)
    check ('rewind', 'integer', [0 Inf]);
  end
  check ('distill', 'number', [0 1]);
  check ('loss', 'choice', {'crossentropy', 'binary_crossentropy', 'mse', 'mae', 'huber'});
  check ('label_smoothing', 'number', [0 1]);
  check ('huber_delta', 'number', [1e-12 1e12]);
  check ('temperature', 'number', [1e-3 1e3]);
end

function check_settings (caller, work)
  settings = work.settings;
  for k = 1:2:numel (settings) - 1
    if any (strcmp (settings{k}, {'sparsity', 'threshold', 'keep', 'target_macs', ...
                                  'target_bytes', 'bias'}))
      octcompress.internal.fail (caller, 'badValue', ...
        ['PRUNE cannot have the option ''%s'': ' ...
         'SPARSITY and the schedule say how much is removed'], settings{k});
    end
  end
  options = work.options;
  if ~isempty (options.checkpoint) || ~isempty (options.resume)
    octcompress.internal.fail (caller, 'badValue', ...
      ['CHECKPOINT and RESUME do not go with a schedule; train on afterwards with nn_train, ' ...
       'which keeps the zeros']);
  end
  if options.distill > 0 && ~strcmp (options.loss, 'crossentropy')
    octcompress.internal.fail (caller, 'badValue', ...
                               'DISTILL goes with the loss ''crossentropy'' only');
  end
end

function teacher = other_teacher (caller, model, plan, teacher, dropped)
  teacher = octcompress.model.tidy (caller, teacher);
  teacher_plan = octcompress.train.cut (caller, teacher, dropped);
  sizes = {model.input_size, teacher.input_size; ...
           plan.sizes{plan.outputs}, teacher_plan.sizes{teacher_plan.outputs}};
  if ~isequal (sizes{1, 1}(:), sizes{1, 2}(:)) || ~isequal (sizes{2, 1}(:), sizes{2, 2}(:))
    octcompress.internal.fail (caller, 'sizesDiffer', ...
      'MODEL goes from [%s] to [%s], but TEACHER from [%s] to [%s]; they must be the same', ...
      num2str (sizes{1, 1}(:)'), num2str (sizes{2, 1}(:)'), num2str (sizes{1, 2}(:)'), ...
      num2str (sizes{2, 2}(:)'));
  end
end

function loss = with_teacher (caller, own_loss, model, teacher, train, options)
  group = octcompress.distill.teachers (caller, teacher, [], {});
  kind = octcompress.model.float_class (model);
  if isempty (options.augmentation)
    read = octcompress.distill.all_outputs (caller, group, train.x, train.count, kind, '');
    answers = @(which, x) read (which);
  else
    answers = @(which, x) octcompress.distill.teach (group, x, [], kind);
  end
  loss = @(outputs, which, x) distilled (own_loss, outputs, which, x, answers (which, x), options);
end

function [value, d] = distilled (own_loss, outputs, which, x, t, options)
  [value, d] = own_loss (outputs, which, x);
  [divergence, toward] = octcompress.distill.kl (t, reshape (outputs{1}, size (t)), ...
                                                 options.temperature);
  share = options.distill;
  value = (1 - share) * value + share * divergence;
  d{1} = (1 - share) * d{1} + share * reshape (toward, size (d{1}));
end

function masks = masks_at (model, work, share, movement)
  % For each layer the weights that stay; [] where it is not pruned.
  settings = work.settings;
  if work.movement
    for k = 1:numel (movement)
      model.layers{k}.movement = movement{k};
    end
    for k = 2:2:numel (settings)
      if ischar (settings{k}) && strcmp (settings{k}, 'movement')
        settings{k} = @movement_of;
      end
    end
  end
  [pruned, info] = nn_prune (model, settings{:}, 'sparsity', share);
  masks = cell (1, numel (model.layers));
  names = cellfun (@(row) row.tensor, info.layers, 'UniformOutput', false);
  for k = 1:numel (model.layers)
    if any (strcmp (names, [pruned.layers{k}.name '.weights']))
      masks{k} = pruned.layers{k}.weights ~= 0;
    end
  end
end

function score = movement_of (w, layer)
  score = zeros (size (w));
  if isfield (layer, 'movement')
    score = layer.movement;
  end
end

function [state, places] = after_step (state, places, work)
  options = work.options;
  count = numel (state.layers);
  is_first = ~isfield (state, 'pruning');
  if is_first
    state.pruning = struct ('masks', {work.start(1:count)}, 'latent', ...
                            {weights_of(work.model.layers(1:count))}, ...
                            'last', {weights_of(work.model.layers(1:count))}, 'movement', {{}}, ...
                            'early', {work.model.layers(1:count)});
    if work.movement
      state.pruning.movement = cellfun (@(w) zeros (size (w)), state.pruning.last, ...
                                        'UniformOutput', false);
    end
  end
  kept = state.pruning;
  if work.movement
    for k = 1:count
      w = current (state.layers{k});
      moved = octcompress.prune.movement_score (kept.last{k}, w - kept.last{k});
      kept.movement{k} = kept.movement{k} + double (moved);
    end
  end
  if options.regrowth
    for k = 1:count
      if ~isempty (kept.masks{k})
        shown = kept.latent{k};
        shown(~kept.masks{k}) = 0;
        kept.latent{k} = kept.latent{k} + (state.layers{k}.weights - shown);
      else
        kept.latent{k} = current (state.layers{k});
      end
    end
  end

  [share, due] = octcompress.prune.scheduled_sparsity (state.step, work.schedule);
  if due
    model = work.model;
    model.layers(1:count) = state.layers;
    if options.regrowth
      for k = find (~cellfun (@isempty, kept.latent))
        model.layers{k}.weights = kept.latent{k};
      end
    end
    kept.masks = masks_at (model, work, share, kept.movement);
    kept.masks = kept.masks(1:count);
    if work.movement && ~options.regrowth
      for k = find (~cellfun (@isempty, kept.masks))
        kept.movement{k}(~kept.masks{k}) = -Inf;
      end
    end
    state.best.epoch = 0;
    if ~isempty (options.rewind) && state.step > options.rewind
      state = rewound (state, places, kept.early);
    end
  end
  if due || is_first || options.regrowth
    [state, places] = masked (state, places, kept, options.regrowth);
  end
  if ~isempty (options.rewind) && state.step == options.rewind
    kept.early = state.layers;
  end
  kept.last = weights_of (state.layers);
  state.pruning = kept;
end

function w = current (layer)
  w = [];
  if isfield (layer, 'weights')
    w = layer.weights;
  end
end

function list = weights_of (layers)
  list = cellfun (@current, layers, 'UniformOutput', false);
end

function state = rewound (state, places, early)
  for p = 1:numel (places)
    k = places{p}.layer;
    state.layers{k}.(places{p}.field) = early{k}.(places{p}.field);
    state.first{p}(:) = 0;
    state.second{p}(:) = 0;
  end
end

function [state, places] = masked (state, places, kept, regrowth)
  % Zeros under the mask, no gradient and no momentum there; with regrowth both go on.
  for p = 1:numel (places)
    k = places{p}.layer;
    if ~strcmp (places{p}.field, 'weights') || isempty (kept.masks{k})
      continue
    end
    gone = ~kept.masks{k};
    if regrowth
      state.layers{k}.weights = kept.latent{k};
      places{p}.keep = [];
      places{p}.pruned = false;
    else
      places{p}.keep = cast (kept.masks{k}, class (state.layers{k}.weights));
      places{p}.pruned = true;
      state.first{p}(gone) = 0;
      state.second{p}(gone) = 0;
    end
    state.layers{k}.weights(gone) = 0;
    if ~isempty (state.latent{p})
      state.latent{p}(gone) = 0;
    end
  end
end

function model = with_promise (model, work, names)
  for k = 1:numel (model.layers)
    if ~any (k == names)
      continue
    end
    w = model.layers{k}.weights;
    rule = struct ('criterion', 'magnitude', 'structure', 'weight', 'scope', 'global', 'rule', ...
                   'schedule', ...
                   'amount', work.options.sparsity, 'limit', 0, 'zeros', numel (w) - nnz (w));
    for i = 1:2:numel (work.settings) - 1
      value = work.settings{i + 1};
      if any (strcmp (work.settings{i}, {'criterion', 'structure', 'scope'}))
        if ~ischar (value)
          value = func2str (value);
        end
        rule.(work.settings{i}) = value;
      end
    end
    model.layers{k}.pruning.weights = rule;
  end
end

function rows = changes (schedule, steps)
  rows = zeros (0, 2);
  for step = 0:steps
    [share, due] = octcompress.prune.scheduled_sparsity (step, schedule);
    if due
      rows(end + 1, :) = [step share]; %#ok<AGROW>
    end
  end
end

%!shared model, X, Y, quiet
%! rand ('twister', 3);
%! X = single (rand (6, 200));
%! [~, Y] = max (X(1:3, :) + 0.3 * X(4:6, :), [], 1);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', single (rand (12, 6) - 0.5), ...
%!                        'bias', zeros (12, 1, 'single')), ...
%!   struct('type', 'relu', 'name', 'r'), struct('type', 'dense', 'name', 'b', 'weights', ...
%!         single (rand (3, 12) - 0.5), 'bias', zeros (3, 1, 'single'))};
%! model = nn_train (model, X, Y, 'epochs', 10, 'learning_rate', 0.1, 'batch_size', 20, ...
%!                   'verbose', false);
%! quiet = {'epochs', 6, 'learning_rate', 0.05, 'batch_size', 20, 'verbose', false, 'frequency', 5};
%!function n = nonzeros_of (model)
%!  n = nnz (model.layers{1}.weights) + nnz (model.layers{3}.weights);
%!endfunction
%!test % every schedule ends at the share, and training goes on
%! for schedule = {'polynomial', 'agp', 'linear', 'oneshot', 'iterative'}
%!   [p, info] = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'schedule_prune', ...
%!                               schedule{1});
%!   assert (nonzeros_of (p), 54);
%!   assert (info.sparsity(end, 2), 0.5, 1e-12);
%!   assert (p.layers{1}.pruning.weights.rule, 'schedule');
%!   assert (p.layers{1}.pruning.weights.zeros, 72 - nnz (p.layers{1}.weights));
%!   r = nn_evaluate (p, X, Y);
%!   assert (r.accuracy > 0.8);
%!   q = nn_train (p, X, Y, 'epochs', 1, 'verbose', false);
%!   assert (q.layers{1}.weights == 0, p.layers{1}.weights == 0);
%! end
%!test % one shot at the start: the zeros are those of nn_prune
%! p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'schedule_prune', 'oneshot');
%! q = nn_prune (model, 'sparsity', 0.5, 'scope', 'global');
%! assert (p.layers{1}.weights ~= 0, q.layers{1}.weights ~= 0);
%!test % adam, momentum and a quantization promise do not bring zeros back
%! q = nn_quantize (model, 6);
%! p = nn_prune_train (q, X, Y, quiet{:}, 'sparsity', 0.6, 'optimizer', 'adam', 'end_step', 10);
%! assert (nonzeros_of (p) <= 44);
%!test % regrowth: another set of weights than without
%! a = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.6, 'regrowth', true, 'end_step', 50);
%! assert (nonzeros_of (a), 44);
%! b = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.6, 'end_step', 50);
%! assert (any (any ((a.layers{1}.weights ~= 0) ~= (b.layers{1}.weights ~= 0))));
%!test % rewinding to the beginning, without a step after it
%! p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'schedule_prune', 'oneshot', ...
%!                     'begin_step', 60, 'rewind', 0);
%! kept = p.layers{1}.weights ~= 0;
%! assert (p.layers{1}.weights(kept), model.layers{1}.weights(kept));
%! assert (p.layers{3}.bias, model.layers{3}.bias);
%!test % distillation, movement, structures
%! p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'distill', 0.7);
%! assert (nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'distill', 0.7, 'teacher', ...
%!                         model), p);
%! other = nn_new ('input', 6, 'dense', 3, 'seed', 9);
%! q = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'distill', 0.7, 'teacher', other);
%! assert (~isequal (q, p));
%! assert (nonzeros_of (p), 54);
%! p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'prune', {'criterion', 'movement'});
%! assert (nonzeros_of (p), 54);
%! assert (p.layers{1}.pruning.weights.criterion, 'movement');
%! p = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'prune', ...
%!                     {'structure', 'neuron', 'scope', 'layer'});
%! small = nn_shrink (p);
%! assert (small.layers{1}.weights_size, [6 6]);
%!test % the best epoch is one after the last change
%! [p, info] = nn_prune_train (model, X, Y, quiet{:}, 'sparsity', 0.5, 'validation_data', {X, Y});
%! assert (nonzeros_of (p), 54);
%! assert (info.best_epoch >= 4);
%!error <nn_prune_train: there is no option 'sparsty'> nn_prune_train (model, X, Y, 'sparsty', 1)
%!error <nn_prune_train: SPARSITY must be a number from 0 to 1, but is 2> nn_prune_train (model, X, Y, 'sparsity', 2)
%!error <nn_prune_train: PRUNE cannot have the option 'keep'> nn_prune_train (model, X, Y, 'prune', {'keep', 3})
%!error <nn_prune: CRITERION must be one of> nn_prune_train (model, X, Y, 'prune', {'criterion', 'magic'})
%!error <nn_prune_train: CHECKPOINT and RESUME do not go with a schedule> nn_prune_train (model, X, Y, 'checkpoint', 'x.mat')
%!error <nn_prune_train: MODEL goes from \[6\] to \[3\], but TEACHER from \[6\] to \[2\]; they must be the same> nn_prune_train (model, X, Y, quiet{:}, 'distill', 1, 'teacher', nn_new ('input', 6, 'dense', 2))
