function [x, info] = draw_inputs (teacher, varargin)
%DRAW_INPUTS  Inputs for those who have a network but not its data.
%
%   [x, info] = octcompress.distill.draw_inputs (teacher)
%   [x, info] = octcompress.distill.draw_inputs (teacher, 'count', 2000, 'steps', 200, ...)
%
%   teacher  a network with one output. Its batch normalisations remember the mean and the variance
%            of what they saw in training: noise is changed by gradient until batches of it have the
%            same, in every such layer [1, 2], and until the teacher is sure of classes drawn at
%            random
%   x        inputs, as nn_predict takes them, single (double where the weights are)
%   info     struct: loss (of each step, mean of the batches), statistics_loss and label_loss (at
%            the end), layers (cellstr of the batch normalisations), options
%
%   A network without batch normalisation remembers nothing of its data: then MEAN and DEVIATION of
%   the inputs must be given, the inputs are drawn from the normal distribution that these describe,
%   and a term holds the batch to them.
%
%   Options, as name-value pairs or a struct:
%     count (1000)         observations
%     batch_size (100)     that are changed together: as many as give a sound mean and variance
%     steps (200)          of Adam
%     learning_rate (0.1)  of Adam, times DEVIATION
%     mean ([]), deviation ([])  of the inputs, numbers or arrays of the size of one observation;
%                          with batch normalisation 0 and 1 where nothing is given
%     label_weight (0.1)   of the cross-entropy with the classes drawn; 0 where the output is not
%                          one of classes
%     seed (0)
%     verbose (false)      a line for each batch
%
%   The loss of each batch normalisation, and of the inputs where MEAN and DEVIATION are given, is
%   that of octcompress.distill.batch_statistics.
%
%   Errors: octcompress:draw_inputs:noStatistics, :badValue, :unknownOption, :notModel, ...
%
%   [1] Yin et al., Dreaming to distill: data-free knowledge transfer via DeepInversion, CVPR 2020,
%       arXiv:1912.08795.
%   [2] Cai et al., ZeroQ: a novel zero shot quantization framework, CVPR 2020, arXiv:2001.00281.
%
%   See also nn_distill, octcompress.distill.batch_statistics.

  caller = 'draw_inputs';
  defaults = struct ('count', 1000, 'batch_size', 100, 'steps', 200, 'learning_rate', 0.1, ...
                     'mean', [], 'deviation', [], 'label_weight', 0.1, 'seed', 0, 'verbose', false);
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  check ('count', 'integer', [1 1e9]);
  check ('batch_size', 'integer', [2 1e6]);
  check ('steps', 'integer', [0 1e6]);
  check ('learning_rate', 'number', [0 1e6]);
  check ('label_weight', 'number', [0 1e6]);
  check ('seed', 'integer', [0 2^32 - 1]);
  check ('verbose', 'flag');
  teacher = octcompress.distill.tidy_named (caller, 'TEACHER', teacher);
  in_size = reshape (teacher.input_size, 1, []);
  if any (isnan (in_size))
    octcompress.internal.fail (caller, 'badValue', ...
      ['TEACHER takes sequences of any length: set input_size to [features steps] for the ' ...
       'length of those to draw']);
  end
  [plan, norms, classes] = targets_of (caller, teacher, in_size, options);
  given = ~isempty (options.mean) && ~isempty (options.deviation);
  if isempty (norms) && ~given
    octcompress.internal.fail (caller, 'noStatistics', ...
      ['TEACHER has no batch normalisation that remembers its data; give the MEAN and the ' ...
       'DEVIATION of its inputs (0.13 and 0.31 for MNIST from 0 to 1), or some real inputs']);
  end
  centre = of_size (caller, 'mean', options.mean, 0, in_size);
  spread = of_size (caller, 'deviation', options.deviation, 1, in_size);
  task = struct ('plan', plan, 'layers', {teacher.layers(1:numel (plan.run))}, ...
                 'norms', {norms}, 'classes', classes, 'inputs', [], 'weight', ...
                 options.label_weight);
  if given
    task.inputs = struct ('mean', centre(:), 'variance', spread(:) .^ 2);
  end

  before = octcompress.train.random ('seed', options.seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  kind = octcompress.model.float_class (teacher);
  parts = cell (1, ceil (options.count / options.batch_size));
  loss = zeros (numel (parts), options.steps);
  ends = zeros (numel (parts), 2);
  for b = 1:numel (parts)
    n = min (options.batch_size, options.count - (b - 1) * options.batch_size);
    % Two independent uniform numbers give a normal one; a batch of one has no variance.
    n = max (n, 2);
    u = octcompress.train.random ('uniform', [prod(in_size), n, 2]);
    z = sqrt (-2 * log (u(:, :, 1))) .* cos (2 * pi * u(:, :, 2));
    labels = [];
    if classes > 0
      labels = ceil (classes * octcompress.train.random ('uniform', [1, n]));
    end
    x = cast (centre(:) + spread(:) .* z, kind);
    [parts{b}, loss(b, :), ends(b, :)] = change (x, spread(:), labels, task, in_size, options);
    if options.verbose
      octcompress.internal.progress ('drawing inputs', b, numel (parts), ...
                                     'statistics %.4f, labels %.4f', ends(b, :));
    end
  end
  x = [parts{:}];
  x = x(:, 1:options.count);
  if numel (in_size) == 2
    x = permute (reshape (x, [in_size, options.count]), [1 3 2]);
  else
    x = reshape (x, [in_size, options.count]);
  end
  names = cellfun (@(norm) norm.name, norms, 'UniformOutput', false);
  info = struct ('options', options, 'loss', mean (loss, 1), 'statistics_loss', ...
                 mean (ends(:, 1)), 'label_loss', mean (ends(:, 2)), 'layers', {names});
end

function [plan, norms, classes] = targets_of (caller, teacher, in_size, options)
  % The batch normalisations and what they read, as outputs of the plan after the logits.
  plan = octcompress.train.cut (caller, teacher, {'softmax', 'logsoftmax'});
  out_size = plan.sizes{plan.outputs};
  classes = 0;
  if options.label_weight > 0 && isscalar (out_size) && out_size > 1
    classes = out_size;
  end
  norms = {};
  for k = 1:numel (plan.run)
    layer = teacher.layers{k};
    if strcmp (layer.type, 'batchnorm')
      reads = plan.inputs{k};
      norm = struct ('name', layer.name, 'reads', reads, 'size', in_size, 'mean', ...
                     layer.mean, 'variance', ...
                     layer.variance + octcompress.layers.option (layer, 'epsilon', 1e-5));
      if reads > 0
        norm.size = plan.sizes{reads};
        plan.outputs(end + 1) = reads;
        plan.last_use(reads) = Inf;
      end
      norms{end + 1} = norm; %#ok<AGROW>
    end
  end
end

function value = of_size (caller, name, given, standard, in_size)
  value = given;
  if isempty (given)
    value = standard;
  end
  if ~isnumeric (value) || ~isreal (value) || ~all (isfinite (value(:))) ...
        || (strcmp (name, 'deviation') && any (value(:) < 0)) ...
        || ~any (numel (value) == [1, prod(in_size)])
    octcompress.internal.fail (caller, 'badValue', ...
      '%s must be a number or an array of the size of one observation, [%s], but is %s', ...
      upper (name), num2str (in_size), octcompress.internal.describe (given));
  end
  value = double (value);
  if isscalar (value)
    value = repmat (value, prod (in_size), 1);
  end
end

function [x, losses, ends] = change (x, spread, labels, task, in_size, options)
  losses = zeros (1, options.steps);
  state = {zeros(size (x), class (x)), zeros(size (x), class (x))};
  rate = cast (options.learning_rate * spread, class (x));
  for step = 1:options.steps
    [each, dx] = loss_of (x, labels, task, in_size);
    losses(step) = each(1) + task.weight * each(2);
    % Adam's step at rate 1, scaled by the spread of each input.
    [moved, state{1}, state{2}] = octcompress.train.adam_step ( ...
      {zeros(size (x), class (x))}, state(1), state(2), {dx}, step, 1, 0.9, 0.999, 1e-8);
    state = [state{:}];
    x = x + rate .* moved{1};
  end
  ends = loss_of (x, labels, task, in_size);
end

function [each, dx] = loss_of (x, labels, task, in_size)
  % The losses of the statistics and of the labels; the gradient of their weighted sum.
  batch = to_batch (x, in_size);
  [y, trace] = octcompress.model.forward (task.plan, task.layers, batch);
  each = [0 0];
  direct = 0;
  dy = cell (size (y));
  dy{1} = zeros (size (y{1}), class (y{1}));
  if ~isempty (labels)
    [each(2), d] = octcompress.train.cross_entropy (y{1}, labels);
    dy{1} = task.weight * d;
  end
  next = 1;
  for k = 1:numel (task.norms)
    norm = task.norms{k};
    seen = batch;
    if norm.reads > 0
      next = next + 1;
      seen = y{next};
    end
    [value, d] = octcompress.distill.batch_statistics ( ...
      octcompress.distill.to_features (seen, norm.size), norm.mean, norm.variance);
    each(1) = each(1) + value;
    d = octcompress.distill.from_features (d, norm.size);
    if norm.reads > 0
      dy{next} = d;
    else
      direct = direct + d;
    end
  end
  [~, dx] = octcompress.model.backward (task.plan, task.layers, trace, dy, true);
  dx = from_batch (dx + direct, in_size);
  if ~isempty (task.inputs)
    [value, d] = octcompress.distill.batch_statistics (x, task.inputs.mean, task.inputs.variance);
    each(1) = each(1) + value;
    dx = dx + d;
  end
end

function batch = to_batch (x, in_size)
  % From a column for each observation to the engine's layout.
  if numel (in_size) == 2
    batch = permute (reshape (x, in_size(1), in_size(2), []), [1 3 2]);
  else
    batch = octcompress.model.to_engine (reshape (x, [in_size, size(x, 2)]), in_size);
  end
end

function x = from_batch (batch, in_size)
  if numel (in_size) == 2
    x = permute (batch, [1 3 2]);
  else
    x = octcompress.model.from_engine (batch, in_size);
  end
  x = reshape (x, prod (in_size), []);
end

%!function model = with_norms ()
%!  model = nn_new ('input', 4, 'batchnorm', 'dense', 12, 'batchnorm', 'relu', 'dense', 3, ...
%!                  'seed', 3);
%!  x = [1 0 0 0; 1 2 0 0; 0 0 1 0; 0 1 0 3] * sin ((1:4)' .* (1:400) .^ 1.5) + [1; -2; 0; 3];
%!  y = 1 + (x(1, :) > 1) + (x(4, :) > 3);
%!  model = nn_train (model, x, y, 'epochs', 6, 'batch_size', 40, 'optimizer', 'adam', ...
%!                    'learning_rate', 0.02, 'verbose', false);
%!endfunction
%!test % the statistics come near those remembered, and the teacher is sure of its classes
%! model = with_norms ();
%! [x, info] = octcompress.distill.draw_inputs (model, 'count', 150, 'steps', 150);
%! assert (size (x), [4 150]);
%! assert (class (x), 'single');
%! assert (mean (x, 2), model.layers{1}.mean, 0.3);
%! assert (var (x, 1, 2) ./ model.layers{1}.variance, ones (4, 1), 0.4);
%! assert (info.loss(end) < 0.1 * info.loss(1));
%! assert (info.layers, {'batchnorm_1', 'batchnorm_3'});
%! p = nn_predict (model, x);
%! p = exp (p) ./ sum (exp (p), 1);
%! assert (mean (max (p, [], 1)) > 0.7);
%! assert (numel (unique (nthargout (2, @max, p, [], 1))), 3);
%! assert (octcompress.distill.draw_inputs (model, 'count', 150, 'steps', 150), x);
%!test % without labels all goes to the statistics
%! model = with_norms ();
%! [~, info] = octcompress.distill.draw_inputs (model, 'count', 100, 'label_weight', 0);
%! assert (info.statistics_loss < 0.02);
%! assert (info.label_loss, 0);
%!test % images and sequences keep their layout; a last batch of one
%! model = nn_new ('input', [5 4 2], 'conv2d', {3, 3}, 'batchnorm', 'flatten', 'dense', 2);
%! [x, info] = octcompress.distill.draw_inputs (model, 'count', 21, 'batch_size', 10, 'steps', 30);
%! assert (size (x), [5 4 2 21]);
%! assert (info.loss(end) < info.loss(1));
%! model = nn_new ('input', [3 6], 'lstm', 4, 'dense', 2);
%! x = octcompress.distill.draw_inputs (model, 'count', 7, 'steps', 3, 'mean', 5, 'deviation', 0.1);
%! assert (size (x), [3 7 6]);
%! assert (mean (x(:)), single (5), 0.1);
%!test % without batch normalisation: what is given of the inputs
%! model = nn_new ('input', 3, 'dense', 2);
%! x = octcompress.distill.draw_inputs (model, 'count', 100, 'mean', [1; 0; -1], 'deviation', ...
%!                                      [1; 0; 3], 'label_weight', 0, 'steps', 50);
%! assert (mean (x, 2), single ([1; 0; -1]), 0.05);
%! assert (std (x, 1, 2), single ([1; 0; 3]), 0.05);
%! plain = octcompress.distill.draw_inputs (model, 'count', 100, 'mean', 0, 'deviation', 1, ...
%!                                          'steps', 0);
%! assert (std (plain(:)), single (1), 0.15);
%!error <draw_inputs: TEACHER has no batch normalisation that remembers its data; give the MEAN and the DEVIATION of its inputs>
%! octcompress.distill.draw_inputs (nn_new ('input', 3, 'dense', 2));
%!error <draw_inputs: DEVIATION must be a number or an array of the size of one observation, \[3\], but is \[1 2\]>
%! octcompress.distill.draw_inputs (nn_new ('input', 3, 'dense', 2), 'mean', 0, 'deviation', [1 2]);
%!error <draw_inputs: TEACHER takes sequences of any length>
%! model = nn_new ('input', [3 NaN], 'lstm', 2);
%! octcompress.distill.draw_inputs (model, 'mean', 0, 'deviation', 1);
%!error <draw_inputs: there is no option 'number'> octcompress.distill.draw_inputs (nn_new ('input', 3, 'dense', 2), 'number', 3)
