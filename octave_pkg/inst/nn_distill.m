function [student, info] = nn_distill (teacher, student, x, varargin)
%NN_DISTILL  Train a network to give what another one gives.
%
%   [student, info] = nn_distill (teacher, student, X)
%   [student, info] = nn_distill (teacher, student, X, Y)
%   [student, info] = nn_distill (teacher, student, X, Y, 'loss', 'kl', 'temperature', 4, ...)
%   [student, info] = nn_distill ({teacher, teacher, ...}, student, X, ...)
%   [student, info] = nn_distill (teacher, student, [], [], 'draw', {'count', 2000})
%
%   teacher  a network, or a cell of several; they do not change
%   student  a network with the same input and output size: a smaller one (nn_student), or the
%            teacher after nn_prune, nn_quantize, nn_lowrank or nn_shrink. What these have promised
%            is kept, as in nn_train
%   X        inputs, N observations, as nn_predict takes them; [] for inputs that
%            octcompress.distill.draw_inputs makes of what the (first) teacher knows of its data
%   Y        N class numbers 1 to K, or one-hot K x N; may be left out or [] : then the teacher
%            is all there is to learn from
%   info     as nn_train gives it; accuracies are against Y, NaN without. info.history also has
%            teacher_loss, and label_loss and feature_loss where there are any
%
%   The loss of a batch is alpha * teacher + (1 - alpha) * cross-entropy with the labels + features.
%   A final softmax of either network is left out: what is compared are the logits. The teachers'
%   outputs are computed once, before training, and kept in memory or in a file; with augmentation
%   they are computed for each batch, from the same augmented images. Of several teachers the losses
%   are averaged: for 'kl' and 'mse' with the gradient of the averaged outputs [3].
%
%   Options, as name-value pairs or a struct:
%     loss ('mse')        of the logits, or of any outputs: 'mse': mean squared error [1], 'mae',
%                         'cosine'; of the softened probabilities: 'kl' [2], 'reverse_kl',
%                         'jensen_shannon'; 'none'; or a handle [value, gradient] = loss (t, s) of
%                         the teacher's and the student's logits, K x N. help octcompress.distill.kl
%                         and so on have the formulas
%     temperature (4)     of the softened probabilities: a number, or [first last]: it goes from one
%                         to the other in the course of the training
%     alpha (0.5)         share of the teacher; 1 without Y; a number, or [first last]
%     ramp ('linear')     how temperature and alpha go: 'linear' or 'cosine'
%     features ({})       inner layers to compare too, a struct or a cell of structs:
%       loss ('hint')       'hint' (of another width through a projection that is learnt),
%                           'attention', 'rkd_distance', 'rkd_angle', 'similarity', or a handle
%                           [value, gradient] = loss (t, s) of features C x P x N
%       teacher, student    names of the layers; the student's: as the teacher's if left out
%       weight (1)          what the loss is multiplied with
%       from (1)            number of the teacher
%     teacher_weights ([])  one for each teacher; equal
%     cache ('')          a .mat file for the teachers' outputs on X: written, or read where it is
%                         there and belongs to these teachers and this X. Files over 1 GB are read
%                         batch by batch
%     generations (1)     the student becomes the teacher of the next generation, which starts from
%                         STUDENT again (born-again networks [4])
%     draw ({})           options of octcompress.distill.draw_inputs in a cell or struct, for X = []
%     and all of nn_train but its losses: optimizer, learning_rate, momentum, nesterov, beta1,
%     beta2, epsilon, weight_decay, clip_norm, schedule, warmup, decay, decay_epochs,
%     final_rate, epochs, batch_size, seed, shuffle, augmentation, validation,
%     validation_data ({X} or {X, Y}), monitor, patience, callback, checkpoint,
%     checkpoint_minutes, resume, verbose
%
%   Validation is by the last temperature and alpha, so that epochs can be compared.
%
%   Errors: octcompress:nn_distill:sizesDiffer (of teacher and student), :unknownLayer,
%   :cacheMismatch, :diverged, :badInput, :badLabels, :badOutput, :notFinite, :empty,
%   :nothingToTrain, :severalOutputs, :resumeMismatch, :notModel, :badSize, :badValue,
%   :unknownOption.
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
%   [3] You et al., Learning from multiple teacher networks, KDD 2017.
%   [4] Furlanello et al., Born-again neural networks, ICML 2018, arXiv:1805.04770.
%
%   See also nn_student, nn_train, octcompress.distill.kl, octcompress.distill.draw_inputs.

  caller = 'nn_distill';
  y = [];
  if ~isempty (varargin) && ~ischar (varargin{1}) && ~isstruct (varargin{1})
    y = varargin{1};
    varargin(1) = [];
  end
  own.loss = 'mse';
  own.temperature = 4;
  own.alpha = [];
  own.ramp = 'linear';
  own.features = {};
  own.teacher_weights = [];
  own.cache = '';
  own.generations = 1;
  own.draw = {};
  options = octcompress.train.training_options (caller, own, varargin);
  if ~iscell (teacher)
    teacher = {teacher};
  end
  options = check_options (caller, options, ~isempty (y), numel (teacher));
  group = octcompress.distill.teachers (caller, teacher, options.teacher_weights, ...
                                        options.features);
  student = octcompress.distill.tidy_named (caller, 'STUDENT', student);
  check_sizes (caller, group, student, options);
  if isempty (x)
    if ~isempty (y)
      octcompress.internal.fail (caller, 'badValue', ...
                                 'Y must be left out where X is [] and inputs are drawn');
    end
    draw = options.draw;
    if isstruct (draw)
      draw = {draw};
    end
    x = octcompress.distill.draw_inputs (group.members{1}.model, draw{:});
  end
  start = student;
  for generation = 1:options.generations
    if generation > 1
      group = octcompress.distill.teachers (caller, {student}, [], options.features);
    end
    [student, info] = one_generation (caller, group, start, x, y, options);
  end
end

function options = check_options (caller, options, labelled, teachers)
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  if ~isa (options.loss, 'function_handle')
    check ('loss', 'choice', octcompress.distill.logit_loss ());
  end
  if isempty (options.alpha)
    options.alpha = 1 - 0.5 * labelled;
  end
  options.temperature = check_ends (caller, options, 'temperature', [1e-3 1e6]);
  options.alpha = check_ends (caller, options, 'alpha', [0 1]);
  check ('ramp', 'choice', {'linear', 'cosine'});
  options.features = octcompress.distill.read_features (caller, options.features, teachers);
  check ('generations', 'integer', [1 1e4]);
  if ~isempty (options.cache)
    check ('cache', 'text');
  end
  if ~iscell (options.draw) && ~isstruct (options.draw)
    octcompress.internal.fail (caller, 'badValue', ...
      'DRAW must be a cell or struct of options of octcompress.distill.draw_inputs, but is %s', ...
      octcompress.internal.describe (options.draw));
  end
  if ~labelled && min (options.alpha) < 1
    octcompress.internal.fail (caller, 'badValue', ...
      'ALPHA must be 1 where no labels Y are given, but is %g', min (options.alpha));
  end
  if ~isempty (options.cache) && (~isempty (options.augmentation) || options.generations > 1)
    octcompress.internal.fail (caller, 'badValue', ...
      ['CACHE cannot go with AUGMENTATION or GENERATIONS, for which the teachers answer anew; ' ...
       'leave it out']);
  end
  if options.generations > 1 && ~(isempty (options.checkpoint) && isempty (options.resume))
    octcompress.internal.fail (caller, 'badValue', ...
      'CHECKPOINT and RESUME do not go with GENERATIONS; call nn_distill for each of them');
  end
end

function ends = check_ends (caller, options, name, range)
  % A number, or where it begins and where it ends.
  ends = options.(name);
  if isnumeric (ends) && numel (ends) == 2
    octcompress.internal.check (caller, ['the first ' name], ends(1), 'number', range);
    octcompress.internal.check (caller, ['the last ' name], ends(2), 'number', range);
    ends = double (reshape (ends, 1, 2));
  else
    octcompress.internal.check (caller, name, ends, 'number', range);
  end
end

function check_sizes (caller, group, student, options)
  plan = octcompress.train.cut (caller, student, {'softmax', 'logsoftmax'});
  out_size = plan.sizes{plan.outputs};
  for i = 1:numel (group.members)
    member = group.members{i};
    pairs = {'input', member.model.input_size, student.input_size; ...
             'output', member.outputs{1}.size, out_size};
    for k = 1:1 + ~strcmp (options.loss, 'none')
      if ~isequal (pairs{k, 2}(:), pairs{k, 3}(:))
        octcompress.internal.fail (caller, 'sizesDiffer', ...
          'TEACHER and STUDENT must have the same %s size, but have [%s] and [%s]', ...
          pairs{k, 1}, num2str (pairs{k, 2}(:)'), num2str (pairs{k, 3}(:)'));
      end
    end
  end
  soft = any (strcmp (options.loss, {'kl', 'reverse_kl', 'jensen_shannon'}));
  if (soft || min (options.alpha) < 1) && (prod (out_size) ~= out_size(end) || out_size(end) < 2)
    octcompress.internal.fail (caller, 'badOutput', ...
      ['the loss ''kl'' and its like, and labels, need outputs of 2 or more values, but layer ' ...
       '''%s'' of STUDENT gives [%s]; use ''mse'' without labels'], ...
      student.layers{plan.outputs}.name, num2str (out_size));
  end
end

function [student, info] = one_generation (caller, group, student, x, y, options)
  plan = octcompress.train.cut (caller, student, {'softmax', 'logsoftmax'});
  own = numel (plan.run);
  [model, plan, features] = octcompress.distill.attach_features (caller, student, plan, group, ...
                                                                 options.features, options.seed);
  source = @(x, y, cache, name) octcompress.distill.make_source ( ...
    caller, group, model, plan, features, x, y, options, cache, name);
  train = source (x, y, options.cache, {'X', 'Y'});
  validation = [];
  if ~isempty (options.validation_data)
    given = [options.validation_data, {[]}];
    validation = source (given{1}, given{2}, '', {'the X of VALIDATION_DATA', ...
                                                  'the Y of VALIDATION_DATA'});
  end
  judge = train;
  if ~isempty (validation)
    judge = validation;
  end
  octcompress.internal.check (caller, 'monitor', options.monitor, 'choice', {'loss', 'accuracy'});
  if strcmp (options.monitor, 'accuracy') && isempty (judge.labels)
    octcompress.internal.fail (caller, 'badValue', ...
                               'MONITOR can be ''accuracy'' only where there are labels');
  end
  [model, info] = octcompress.train.loop (caller, model, plan, train, validation, ...
                                          saveable (options));
  info.options.cache = options.cache;
  if isempty (features)
    student = model;
    return
  end
  % What was learnt beside the student, for the hints, goes.
  student.layers(1:own) = model.layers(1:own);
  for layer = model.layers(own + 1:numel (plan.run))
    rows = cellfun (@(row) row.tensor, info.layers, 'UniformOutput', false);
    info.layers(strncmp (rows, [layer{1}.name '.'], numel (layer{1}.name) + 1)) = [];
  end
end

function options = saveable (options)
  % What a checkpoint compares: the text of handles, and no cache.
  options = rmfield (options, 'cache');
  if isa (options.loss, 'function_handle')
    options.loss = func2str (options.loss);
  end
  for k = 1:numel (options.features)
    if isa (options.features{k}.loss, 'function_handle')
      options.features{k}.loss = func2str (options.features{k}.loss);
    end
  end
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
%!error <nn_distill: LOSS must be one of 'mse', 'mae', 'kl', .*, but is 'l2'> nn_distill (teacher, student, X, 'loss', 'l2')
%!error <nn_distill: there is no option 'temp'; the options are loss, temperature, alpha, ramp, features, .*> nn_distill (teacher, student, X, [], 'temp', 2)
%!error <nn_distill: TEMPERATURE must be a number from 0.001 to 1e\+06, but is 0> nn_distill (teacher, student, X, 'temperature', 0)
%!error <nn_distill: TEACHER must be a struct with a cell LAYERS of structs that have a TYPE, but is 3> nn_distill (3, student, X)
%!error <nn_distill: STUDENT must be a struct with a cell LAYERS of structs that have a TYPE, but is 3> nn_distill (teacher, 3, X)
%!error <nn_distill: X must have 2 features in each column, but is 3x4 double> nn_distill (teacher, student, ones (3, 4))
%!error <nn_distill: Y must hold class numbers from 1 to 3, but element 2 is 9> nn_distill (teacher, student, X, [1, 9, Y(3:end)])
%!error <nn_distill: MONITOR can be 'accuracy' only where there are labels> nn_distill (teacher, student, X, 'monitor', 'accuracy', 'validation', 0.1)
%!test % every loss on the logits, and one of the user's, bring the student nearer
%! own = @(t, s) octcompress.train.huber (s, t);
%! for loss = {'mae', 'reverse_kl', 'jensen_shannon', 'cosine', own}
%!   taught = nn_distill (teacher, student, X, 'loss', loss{1}, 'optimizer', 'adam', ...
%!                        'learning_rate', 0.03, 'epochs', 8, 'batch_size', 20, 'verbose', false);
%!   assert (accuracy (taught, X, Y) > 0.9);
%! end
%!test % features of inner layers: each loss falls, the projection is gone, the layers are as before
%! for loss = {'hint', 'rkd_distance', 'rkd_angle', 'similarity'}
%!   features = struct ('loss', loss{1}, 'teacher', 'r', 'weight', 5);
%!   [taught, info] = nn_distill (teacher, student, X, 'features', features, 'loss', 'none', ...
%!                                'optimizer', 'adam', 'learning_rate', 0.01, 'epochs', 4, ...
%!                                'batch_size', 20, 'verbose', false);
%!   assert (info.history.feature_loss(end) < 0.8 * info.history.feature_loss(1), loss{1});
%!   assert (fieldnames (taught), fieldnames (student));
%!   assert (numel (taught.layers), 4);
%!   assert (taught.layers{4}, student.layers{4});
%!   assert (all (cellfun (@(row) any (strcmp (row.tensor(1), {'a', 'b'})), info.layers)));
%! end
%!test % the gradient through a hint and its projection, and the checkpoint, go with the rest
%! options = {'features', struct('teacher', 'r'), 'epochs', 4, 'batch_size', 20, 'verbose', false};
%! [whole, info] = nn_distill (teacher, student, X, Y, options{:});
%! assert (info.history.loss, 0.5 * info.history.teacher_loss + 0.5 * info.history.label_loss ...
%!                            + info.history.feature_loss, 1e-6);
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_distill (teacher, student, X, Y, options{:}, 'checkpoint', file, 'callback', ...
%!             @(seen) seen.epoch == 2);
%! part = nn_load (file);
%! assert (size (nn_predict (part, X(:, 1:5))), [3 5]);
%! assert (nn_distill (teacher, student, X, Y, options{:}, 'resume', file), whole);
%!test % attention in images, and a hint through a convolution of 1 x 1
%! conv = @(name, c) struct ('type', 'conv2d', 'name', name, 'padding', 'same', 'weights', ...
%!                           single (reshape (sin (1:9*c), 3, 3, 1, c)), 'weights_size', [3 3 1 c]);
%! head = @(c) {struct('type', 'globalaveragepool'), struct('type', 'flatten'), ...
%!              struct('type', 'dense', 'weights', single (reshape (cos (1:2*c), 2, c)))};
%! large = struct ('input_size', [5 4 1], 'layers', {[{conv('c', 6)}, head(6)]});
%! small = struct ('input_size', [5 4 1], 'layers', {[{conv('c', 3)}, head(3)]});
%! images = reshape (sin ((1:5*4*40) * 1.7), 5, 4, 1, 40);
%! for loss = {'hint', 'attention'}
%!   [taught, info] = nn_distill (large, small, images, 'features', ...
%!                                struct ('teacher', 'c', 'loss', loss{1}), 'epochs', 6, ...
%!                                'optimizer', 'adam', 'batch_size', 10, 'verbose', false);
%!   assert (info.history.feature_loss(end) < 0.98 * info.history.feature_loss(1), loss{1});
%!   assert (numel (taught.layers), 4);
%! end
%!test % several teachers, equal and weighted; one of weight 1 is that one alone
%! other = nn_train (network (20, 3), X, Y, 'epochs', 2, 'batch_size', 20, 'verbose', false);
%! options = {'epochs', 2, 'batch_size', 20, 'loss', 'kl', 'verbose', false};
%! alone = nn_distill (other, student, X, options{:});
%! both = nn_distill ({teacher, other}, student, X, options{:}, 'teacher_weights', [0 2]);
%! assert (both.layers{1}.weights, alone.layers{1}.weights, 1e-6);
%! equal = nn_distill ({teacher, other}, student, X, options{:});
%! assert (max (abs (equal.layers{1}.weights(:) - alone.layers{1}.weights(:))) > 1e-4);
%!test % the cache is written once and gives the same; another teacher is refused
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! options = {'epochs', 2, 'batch_size', 20, 'verbose', false};
%! plain = nn_distill (teacher, student, X, options{:});
%! for round = 1:2
%!   assert (nn_distill (teacher, student, X, options{:}, 'cache', file), plain);
%! end
%! try
%!   nn_distill (student, student, X, options{:}, 'cache', file);
%! catch problem
%! end
%! assert (problem.identifier, 'octcompress:nn_distill:cacheMismatch');
%!test % schedules of temperature and alpha; validation by their ends
%! options = {'epochs', 3, 'batch_size', 200, 'loss', 'kl', 'learning_rate', 0, 'verbose', false};
%! [~, info] = nn_distill (teacher, student, X, Y, options{:}, 'temperature', [8 2], 'alpha', ...
%!                         [1 0.4], 'validation_data', {X, Y});
%! [~, last] = nn_distill (teacher, student, X, Y, options{:}, 'temperature', 2, 'alpha', 0.4);
%! [~, mid] = nn_distill (teacher, student, X, Y, options{:}, 'temperature', 6, 'alpha', 0.8);
%! assert (info.history.loss(2), mid.history.loss(2), 1e-6);
%! assert (info.history.validation_loss, last.history.loss, 1e-6);
%!test % a low-rank and a shrunk student recover
%! wide = nn_train (network (40, 5), X, Y, 'epochs', 5, 'batch_size', 20, 'verbose', false);
%! row = nn_shrink (nn_prune (wide, 'sparsity', 0.7, 'structure', 'row', 'layers', {'a'}));
%! thin = nn_lowrank (wide, 'rank', 1);
%! for small = {row, thin}
%!   taught = nn_distill (wide, small{1}, X, 'epochs', 5, 'batch_size', 20, 'verbose', false);
%!   counts = @(model) cellfun (@(row) row.parameters, getfield (nn_info (model), 'rows'));
%!   assert (counts (taught), counts (small{1}));
%!   assert (distance (wide, taught, X) < distance (wide, small{1}, X));
%! end
%!test % generations: the second teacher is the first student
%! options = {'epochs', 2, 'batch_size', 20, 'verbose', false};
%! first = nn_distill (teacher, student, X, options{:});
%! assert (nn_distill (teacher, student, X, options{:}, 'generations', 2), ...
%!         nn_distill (first, student, X, options{:}));
%!test % progress tells the parts
%! text = evalc ('nn_distill (teacher, student, X, Y, ''epochs'', 1);');
%! assert (~isempty (regexp (text, 'loss [\d.]+ \(teacher [\d.]+, label [\d.]+\), rate')));
%!error <nn_distill: FEATURES names the layer 'q' of STUDENT, but its layers up to the output are a, r, b>
%! nn_distill (teacher, student, X, 'features', struct ('teacher', 'a', 'student', 'q'));
%!error <nn_distill: THE LAST ALPHA must be a number from 0 to 1, but is 2> nn_distill (teacher, student, X, Y, 'alpha', [1 2])
%!error <nn_distill: CACHE cannot go with AUGMENTATION or GENERATIONS> nn_distill (teacher, student, X, 'generations', 2, 'cache', 'a.mat')
%!error <nn_distill: CHECKPOINT and RESUME do not go with GENERATIONS> nn_distill (teacher, student, X, 'generations', 2, 'checkpoint', 'a.mat')
%!error <nn_distill: Y must be left out where X is \[\] and inputs are drawn> nn_distill (teacher, student, [], Y)
