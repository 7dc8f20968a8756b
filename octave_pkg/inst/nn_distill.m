function [student, info] = nn_distill (teacher, student, x, varargin)
%NN_DISTILL  Train a network to give what another one gives.
%
%   [student, info] = nn_distill (teacher, student, X)
%   [student, info] = nn_distill (teacher, student, X, Y)
%   [student, info] = nn_distill (teacher, student, X, Y, 'loss', 'kl', 'temperature', 4, ...)
%
%   teacher  a network; it does not change
%   student  a network with the same input and output size: a smaller one, or the teacher after
%            nn_prune or nn_quantize. What these have promised is kept, as in nn_train
%   X        inputs, N observations, as nn_predict takes them
%   Y        N class numbers 1 to K, or one-hot K x N; may be left out or [] : then the teacher
%            is all there is to learn from
%   info     as nn_train gives it; accuracies are against Y, NaN without
%
%   The loss of a batch is alpha * distillation + (1 - alpha) * cross-entropy with the labels.
%   A final softmax of either network is left out: what is compared are the logits. The teacher's
%   are computed once, before training, and kept in memory; with augmentation they are computed for
%   each batch, from the same augmented images.
%
%   Options, as name-value pairs or a struct:
%     loss ('mse')        'mse': mean squared error of the logits [1], or of any outputs;
%                         'kl': divergence of the softened probabilities [2]
%     temperature (4)     of 'kl'
%     alpha (0.5)         share of the teacher; 1 without Y
%     and all of nn_train but its losses: optimizer, learning_rate, momentum, nesterov, beta1,
%     beta2, epsilon, weight_decay, clip_norm, schedule, warmup, decay, decay_epochs,
%     final_rate, epochs, batch_size, seed, shuffle, augmentation, validation,
%     validation_data ({X} or {X, Y}), monitor, patience, callback, checkpoint,
%     checkpoint_minutes, resume, verbose
%
%   Errors: octcompress:nn_distill:sizesDiffer (of teacher and student), :diverged, :badInput,
%   :badLabels, :badOutput, :notFinite, :empty, :nothingToTrain, :severalOutputs,
%   :resumeMismatch, :notModel, :badSize, :badValue, :unknownOption.
%
%   Example:
%     teacher = nn_load ('lenet300.mat');
%     X = nn_data ('mnist.mat', 'train');
%     student = nn_prune (teacher, 'sparsity', 0.95);
%     student = nn_distill (teacher, student, X, 'optimizer', 'adam', 'epochs', 3);
%
%   [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184.
%   [2] Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015,
%       arXiv:1503.02531.
%
%   See also nn_train, octcompress.distill.mse, octcompress.distill.kl, nn_prune, nn_quantize.

  y = [];
  if ~isempty (varargin) && ~ischar (varargin{1}) && ~isstruct (varargin{1})
    y = varargin{1};
    varargin(1) = [];
  end
  own.loss = 'mse';
  own.temperature = 4;
  own.alpha = [];
  options = octcompress.train.training_options ('nn_distill', own, varargin);
  options = check_options (options, ~isempty (y));

  teacher = tidy_named ('TEACHER', teacher);
  student = tidy_named ('STUDENT', student);
  softmax = {'softmax', 'logsoftmax'};
  teacher_plan = octcompress.train.cut ('nn_distill', teacher, softmax);
  plan = octcompress.train.cut ('nn_distill', student, softmax);
  check_sizes (teacher, student, teacher_plan, plan, options);

  train = make_source (teacher, student, teacher_plan, plan, x, y, options, {'X', 'Y'});
  validation = [];
  if ~isempty (options.validation_data)
    given = [options.validation_data, {[]}];
    validation = make_source (teacher, student, teacher_plan, plan, given{1}, given{2}, options, ...
                              {'the X of VALIDATION_DATA', 'the Y of VALIDATION_DATA'});
  end
  judge = train;
  if ~isempty (validation)
    judge = validation;
  end
  if strcmp (options.monitor, 'accuracy') && isempty (judge.labels)
    octcompress.internal.fail ('nn_distill', 'badValue', ...
                               'MONITOR can be ''accuracy'' only where there are labels');
  end
  [student, info] = octcompress.train.loop ('nn_distill', student, plan, train, validation, ...
                                            options);
end

function options = check_options (options, labelled)
  octcompress.internal.check ('nn_distill', 'loss', options.loss, 'choice', {'mse', 'kl'});
  octcompress.internal.check ('nn_distill', 'temperature', options.temperature, 'number', ...
                              [1e-3 1e6]);
  if isempty (options.alpha)
    options.alpha = 1 - 0.5 * labelled;
  end
  octcompress.internal.check ('nn_distill', 'alpha', options.alpha, 'number', [0 1]);
  if ~labelled && options.alpha < 1
    octcompress.internal.fail ('nn_distill', 'badValue', ...
      'ALPHA must be 1 where no labels Y are given, but is %g', options.alpha);
  end
end

function model = tidy_named (name, model)
  if ~octcompress.model.is_network (model)
    octcompress.internal.fail ('nn_distill', 'notModel', ...
      '%s must be a struct with a cell LAYERS of structs that have a TYPE, but is %s', name, ...
      octcompress.internal.describe (model));
  end
  model = octcompress.model.tidy ('nn_distill', model);
end

function check_sizes (teacher, student, teacher_plan, plan, options)
  pairs = {'input', teacher.input_size, student.input_size; ...
           'output', teacher_plan.sizes{teacher_plan.outputs}, plan.sizes{plan.outputs}};
  for k = 1:2
    if ~isequal (pairs{k, 2}(:), pairs{k, 3}(:))
      octcompress.internal.fail ('nn_distill', 'sizesDiffer', ...
        'TEACHER and STUDENT must have the same %s size, but have [%s] and [%s]', pairs{k, 1}, ...
        num2str (pairs{k, 2}(:)'), num2str (pairs{k, 3}(:)'));
    end
  end
  out_size = pairs{2, 3};
  if (strcmp (options.loss, 'kl') || options.alpha < 1) ...
        && (prod (out_size) ~= out_size(end) || out_size(end) < 2)
    octcompress.internal.fail ('nn_distill', 'badOutput', ...
      ['the loss ''kl'' and labels need outputs of 2 or more values, but layer ''%s'' of ' ...
       'STUDENT gives [%s]; ' ...
       'use ''mse'' without labels'], student.layers{plan.outputs}.name, num2str (out_size));
  end
end

function source = make_source (teacher, student, teacher_plan, plan, x, y, options, name)
  wanted = struct ('loss', 'crossentropy', 'augmentation', options.augmentation, ...
                   'label_smoothing', 0, ...
                   'class_weights', []);
  source = octcompress.train.data_source ('nn_distill', student, plan, x, y, wanted, name);
  label_loss = source.loss;
  if isempty (y) && options.alpha < 1
    octcompress.internal.fail ('nn_distill', 'badValue', ...
                               'ALPHA must be 1 where %s is left out, but is %g', ...
                               name{2}, options.alpha);
  end
  kind = octcompress.model.float_class (student);
  if isempty (options.augmentation)
    logits = cast (octcompress.distill.logits ('nn_distill', teacher, teacher_plan, source.x, ...
                                               256), kind);
    if numel (plan.sizes{plan.outputs}) == 3
      teacher_of = @(which, x) logits(:, :, which, :);
    else
      teacher_of = @(which, x) logits(:, which, :);
    end
    source.check = source.check + sum (double (logits(1:max (1, ...
                                                             floor (numel (logits) / 1000)):end)));
  else
    layers = teacher.layers(1:numel (teacher_plan.run));
    teacher_of = @(which, x) only (octcompress.model.forward (teacher_plan, layers, x));
  end
  source.loss = @(outputs, which, x) mixed_loss (outputs, which, x, teacher_of, label_loss, ...
                                                 options);
end

function value = only (values)
  value = values{1};
end

function [value, dy] = mixed_loss (outputs, which, x, teacher_of, label_loss, options)
  y = outputs{1};
  t = teacher_of (which, x);
  value = 0;
  gradient = 0;
  if options.alpha > 0
    if strcmp (options.loss, 'kl')
      n = numel (which);
      [value, gradient] = octcompress.distill.kl (reshape (t, [], n), reshape (y, [], n), ...
                                                  options.temperature);
      gradient = reshape (gradient, size (y));
    else
      [value, gradient] = octcompress.distill.mse (t, y);
    end
  end
  if options.alpha < 1
    [label_value, label_dy] = label_loss (outputs, which, x);
    value = options.alpha * value + (1 - options.alpha) * label_value;
    gradient = options.alpha * gradient + (1 - options.alpha) * label_dy{1};
  end
  dy = {gradient};
end

%!function [x, y] = clusters (count)
%!  before = octcompress.train.random ('seed', 11);
%!  u = octcompress.train.random ('uniform', [3, count]);
%!  octcompress.train.random ('restore', before);
%!  y = ceil (3 * u(1, :));
%!  x = single ([cos(2 * y); sin(2 * y)] + 0.8 * (u(2:3, :) - 0.5));
%!endfunction
%!function model = network (width, seed)
%!  before = octcompress.train.random ('seed', seed);
%!  model.layers = {struct('type', 'dense', 'name', 'a', 'weights', ...
%!                         octcompress.train.initial_weights ([width 2]), ...
%!                         'bias', zeros (width, 1, 'single')), ...
%!                  struct('type', 'relu', 'name', 'r'), ...
%!                  struct('type', 'dense', 'name', 'b', 'weights', ...
%!                         octcompress.train.initial_weights ([3 width]), ...
%!                         'bias', zeros (3, 1, 'single')), ...
%!                  struct('type', 'softmax', 'name', 's')};
%!  octcompress.train.random ('restore', before);
%!  model = octcompress.model.tidy ('f', model);
%!endfunction
%!function value = accuracy (model, x, y)
%!  result = nn_evaluate (model, x, y);
%!  value = result.accuracy;
%!endfunction
%!function gap = distance (a, b, x)
%!  a.layers(end) = [];
%!  b.layers(end) = [];
%!  difference = nn_predict (a, x) - nn_predict (b, x);
%!  gap = mean (reshape ((difference - mean (difference, 1)) .^ 2, [], 1));
%!endfunction
%!shared X, Y, teacher, student
%! [X, Y] = clusters (200);
%! teacher = nn_train (network (20, 1), X, Y, 'learning_rate', 0.05, 'epochs', 10, ...
%!                     'batch_size', 20, 'verbose', false);
%! student = network (8, 2);
%!test % without labels, by both losses, the student learns what the teacher knows
%! for loss = {'mse', 'kl'}
%!   [taught, info] = nn_distill (teacher, student, X, 'loss', loss{1}, 'optimizer', 'adam', ...
%!                                'learning_rate', 0.03, ...
%!                                'epochs', 15, 'batch_size', 20, 'verbose', false);
%!   assert (accuracy (taught, X, Y) > 0.95, loss{1});
%!   assert (distance (teacher, taught, X) < 0.1 * distance (teacher, student, X), loss{1});
%!   assert (info.options.alpha, 1);
%!   assert (info.history.loss(end) < 0.1 * info.history.loss(1), loss{1});
%! end
%!test % the loss of a batch is the mix, by hand
%! options = {'epochs', 1, 'batch_size', 200, 'learning_rate', 0.5, 'verbose', false};
%! h = max (student.layers{1}.weights * X, 0);
%! z = student.layers{3}.weights * h;
%! t = teacher.layers{3}.weights * max (teacher.layers{1}.weights * X + teacher.layers{1}.bias, ...
%!                                      0) + teacher.layers{3}.bias;
%! [c, dc] = octcompress.train.cross_entropy (z, Y);
%! [k, dk] = octcompress.distill.kl (t, z, 3);
%! [taught, info] = nn_distill (teacher, student, X, Y, 'loss', 'kl', 'temperature', 3, ...
%!                              'alpha', 0.7, options{:});
%! assert (info.history.loss, 0.7 * k + 0.3 * c, 1e-5);
%! assert (taught.layers{3}.weights, ...
%!         student.layers{3}.weights - 0.5 * (0.7 * dk + 0.3 * dc) * h', 1e-5);
%! [m, dm] = octcompress.distill.mse (t, z);
%! [taught, info] = nn_distill (teacher, student, X, Y, options{:});
%! assert (info.history.loss, 0.5 * m + 0.5 * c, 1e-5);
%! assert (taught.layers{3}.weights, student.layers{3}.weights - 0.25 * (dm + dc) * h', 1e-5);
%!test % alpha 0 is nn_train
%! options = {'epochs', 2, 'batch_size', 20, 'verbose', false};
%! assert (nn_distill (teacher, student, X, Y, 'alpha', 0, options{:}), ...
%!         nn_train (student, X, Y, options{:}));
%!test % the teacher itself: nothing to learn
%! [same, info] = nn_distill (teacher, teacher, X, [], 'epochs', 1, 'verbose', false);
%! assert (info.history.loss, 0, 1e-10);
%! assert (same.layers{1}.weights, teacher.layers{1}.weights, 1e-5);
%!test % a pruned and quantized student keeps its zeros and its grid
%! small = nn_quantize (nn_prune (teacher, 'sparsity', 0.6), 'bits', 4);
%! taught = nn_distill (teacher, small, X, 'learning_rate', 0.02, 'epochs', 10, 'batch_size', ...
%!                      20, 'verbose', false);
%! for k = [1 3]
%!   w = taught.layers{k}.weights;
%!   assert (all (w(small.layers{k}.weights == 0) == 0));
%!   assert (octcompress.quant.snap_to_grid (w, small.layers{k}.quantization.weights), w);
%! end
%! assert (distance (teacher, taught, X) < distance (teacher, small, X));
%!test % validation, early stopping, resume: as in nn_train
%! options = {'epochs', 4, 'batch_size', 20, 'validation', 0.2, 'verbose', false};
%! [whole, info] = nn_distill (teacher, student, X, Y, options{:});
%! assert (numel (info.history.validation_accuracy), 4);
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_distill (teacher, student, X, Y, options{:}, 'checkpoint', file, 'callback', ...
%!             @(seen) seen.epoch == 2);
%! assert (nn_distill (teacher, student, X, Y, options{:}, 'resume', file), whole);
%! [~, info] = nn_distill (teacher, student, X, 'epochs', 2, 'validation_data', {X(:, 1:20)}, ...
%!                         'verbose', false);
%! assert (isnan (info.history.validation_accuracy), [true true]);
%!error <nn_distill: RESUME is a checkpoint of a training on other data>
%! options = {'epochs', 1, 'verbose', false};
%! file = [tempname() '.mat'];
%! nn_distill (teacher, student, X, options{:}, 'checkpoint', file);
%! part = nn_load (file);
%! delete (file);
%! nn_distill (student, student, X, options{:}, 'resume', part);
%!test % images that are augmented: the teacher sees them so too
%! net.input_size = [3 3 1];
%! net.layers = {struct('type', 'flatten'), struct('type', 'dense', 'weights', ...
%!                                                 single (reshape (sin (1:18), 2, 9)))};
%! images = reshape (sin ((1:3*3*40) * 1.7), 3, 3, 1, 40);
%! [~, info] = nn_distill (net, net, images, 'epochs', 2, 'augmentation', {'shift', 1}, ...
%!                         'validation', 0.2, 'verbose', false);
%! assert (info.history.loss, [0 0]);
%! assert (info.history.validation_loss, [0 0]);
%!test % outputs that are images
%! net = struct ('layers', {{struct('type', 'identity')}}, 'input_size', [4 3 1]);
%! learner = net;
%! learner.layers = {struct('type', 'flatten'), struct('type', 'dense', 'weights', ...
%!                                                     single (0.9 * eye (12))), ...
%!                   struct('type', 'reshape', 'output_size', [4 3 1])};
%! images = reshape (sin ((1:12*40) * 1.7), 4, 3, 1, 40);
%! [~, info] = nn_distill (net, learner, images, 'epochs', 5, 'batch_size', 10, ...
%!                         'learning_rate', 0.5, 'verbose', false);
%! assert (info.history.loss(end) < 0.5 * info.history.loss(1));
%!error <nn_distill: TEACHER and STUDENT must have the same output size, but have \[3\] and \[2\]>
%! other = student;
%! other.layers{3}.weights(3, :) = [];
%! other.layers{3}.bias(3) = [];
%! nn_distill (teacher, other, X);
%!error <nn_distill: TEACHER and STUDENT must have the same input size, but have \[2\] and \[3\]>
%! other = student;
%! other.layers{1}.weights = ones (8, 3, 'single');
%! other.input_size = 3;
%! nn_distill (teacher, other, X);
%!error <nn_distill: ALPHA must be 1 where no labels Y are given, but is 0.5> nn_distill (teacher, student, X, 'alpha', 0.5)
%!error <nn_distill: ALPHA must be 1 where the Y of VALIDATION_DATA is left out, but is 0.5> nn_distill (teacher, student, X, Y, 'validation_data', {X}, 'verbose', false)
%!error <nn_distill: LOSS must be one of 'mse', 'kl', but is 'l2'> nn_distill (teacher, student, X, 'loss', 'l2')
%!error <nn_distill: there is no option 'temp'; the options are loss, temperature, alpha, optimizer> nn_distill (teacher, student, X, [], 'temp', 2)
%!error <nn_distill: TEMPERATURE must be a number from 0.001 to 1e\+06, but is 0> nn_distill (teacher, student, X, 'temperature', 0)
%!error <nn_distill: TEACHER must be a struct with a cell LAYERS of structs that have a TYPE, but is 3> nn_distill (3, student, X)
%!error <nn_distill: STUDENT must be a struct with a cell LAYERS of structs that have a TYPE, but is 3> nn_distill (teacher, 3, X)
%!error <nn_distill: X must have 2 features in each column, but is 3x4 double> nn_distill (teacher, student, ones (3, 4))
%!error <nn_distill: Y must hold class numbers from 1 to 3, but element 2 is 9> nn_distill (teacher, student, X, [1, 9, Y(3:end)])
%!error <nn_distill: MONITOR can be 'accuracy' only where there are labels> nn_distill (teacher, student, X, 'monitor', 'accuracy', 'validation', 0.1)
