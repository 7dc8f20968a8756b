function [model, info] = nn_train (model, x, y, varargin)
%NN_TRAIN  Train a network, or train it on, and keep what compression has promised.
%
%   [model, info] = nn_train (model, X, Y)
%   [model, info] = nn_train (model, X, Y, 'optimizer', 'adam', 'epochs', 20, ...)
%
%   model  a network with one output (docs/model-format.md). Weights whose layer.pruning is there
%          and that are zero stay zero; weights whose layer.quantization is there stay on
%          their grid to the bit (straight-through training [1]); grids do not change.
%   X      inputs, N observations, as nn_predict takes them
%   Y      for the loss 'crossentropy' N class numbers 1 to K, or one-hot K x N; for all others
%          targets of the output's size, K x N or H x W x C x N
%   info.options         the options as merged with the defaults
%   info.history         struct of rows with an entry for each epoch: loss, learning_rate, seconds
%                        (of training), validation_loss and validation_accuracy (0 to 1)
%   info.epochs, info.steps  done in all
%   info.best_epoch      the epoch whose weights are returned; 0 without validation: the last
%   info.stopped         'finished', 'patience' or 'callback'
%   info.layers          cell of structs, one for each trained array: tensor, count, nonzeros,
%                        pruned, quantized
%
%   With 'crossentropy' a final softmax, with 'binary_crossentropy' a final sigmoid is left out in
%   training: the loss computes them exactly. Without one the outputs are taken for logits.
%
%   Options, as name-value pairs or a struct:
%     loss ('crossentropy')   or 'binary_crossentropy', 'mse', 'mae', 'huber'
%     label_smoothing (0)     share of the label that is spread over all classes
%     class_weights ([])      K numbers: how much an observation of each class counts
%     huber_delta (1)         where 'huber' turns from squared to linear
%
%     optimizer ('sgd')       or 'adam' [2], 'adamw' [3]
%     learning_rate (0.01)    0.001 for adam and adamw
%     momentum (0.9)          of sgd; nesterov (false)
%     beta1 (0.9), beta2 (0.999), epsilon (1e-8)   of adam and adamw
%     weight_decay (0)        added to the gradient as weight_decay * w, in adamw taken from the
%                             weights as learning_rate * weight_decay * w; biases do not decay
%     clip_norm (Inf)         gradients are scaled down to this norm, of all together
%
%     schedule ('constant')   'step', 'exponential', 'cosine', 'onecycle': see
%                             octcompress.train.learning_rate
%     warmup (0)              epochs in which the rate rises from zero
%     decay (0.9), decay_epochs (1)   of 'exponential': times decay every so many epochs; of 'step'
%                             (0.1) and (10)
%     final_rate (0)          where 'cosine' ends; 'onecycle': learning_rate / 10000
%
%     epochs (10), batch_size (128)
%     seed (0)                of all random numbers; the generator is left as it was found
%     shuffle (true)          another order in each epoch
%     augmentation ([])       of images, struct or cell of pairs: flip ('none', 'horizontal',
%                             'vertical', 'both'), shift (0: pixels), crop (false: X holds larger
%                             images, of which windows of model.input_size are taken), pixels ([]:
%                             [H W C] where X holds features that are pixels, row by row)
%
%     validation_data ({})    {X, Y}, judged after every epoch; the weights of the best epoch are
%                             returned
%     validation (0)          instead: the share of X to hold back for that
%     monitor ('loss')        what is best: of the loss 'crossentropy' also 'accuracy', 'top_k' (5),
%                             'auc'; of 'binary_crossentropy' 'auc'; of the others 'mse', 'mae',
%                             'psnr' (nn_evaluate); info.history.validation_auc etc. has it
%     patience (Inf)          epochs without a better one, after which training stops
%
%     callback ([])           handle stop = callback (seen), after every epoch; true stops. seen has
%                             epoch, epochs, loss, validation_loss, validation_accuracy,
%                             learning_rate, seconds, model
%     checkpoint ('')         file for the state of the training. It is a model file too:
%                             nn_load opens it
%     checkpoint_minutes (10) how often it is written; also at the end and when interrupted
%     resume ('')             a checkpoint's name: goes on from there, bit for bit, given the same
%                             X, Y and options (epochs may be more)
%     verbose (true)          a line for each epoch
%
%   Interrupted by Ctrl-C, the checkpoint is written; without one,
%   model = octcompress.train.interrupted () has the model, and can be resumed from, too.
%
%   Errors: octcompress:nn_train:diverged (loss or weights NaN or Inf), :badInput, :notFinite,
%   :badLabels, :badTarget, :badOutput, :empty, :nothingToTrain, :severalOutputs,
%   :resumeMismatch, :notModel, :badSize, :badValue, :unknownOption.
%
%   Example:
%     [X, Y] = nn_data ('mnist.mat', 'train');
%     small = nn_prune (nn_load ('lenet300.mat'), 'sparsity', 0.9);
%     small = nn_train (small, X, Y, 'optimizer', 'adam', 'epochs', 3);
%
%   [1] Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013,
%       arXiv:1308.3432.
%   [2] Kingma and Ba, Adam, ICLR 2015, arXiv:1412.6980.
%   [3] Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, arXiv:1711.05101.
%
%   See also nn_distill, nn_evaluate, nn_prune, nn_quantize, octcompress.train.check_gradient.

  own.loss = 'crossentropy';
  own.label_smoothing = 0;
  own.class_weights = [];
  own.huber_delta = 1;
  options = octcompress.train.training_options ('nn_train', own, varargin);
  check_options (options);
  model = octcompress.model.tidy ('nn_train', model);
  switch options.loss
    case 'crossentropy'
      dropped = {'softmax', 'logsoftmax'};
    case 'binary_crossentropy'
      dropped = {'sigmoid'};
    otherwise
      dropped = {};
  end
  plan = octcompress.train.cut ('nn_train', model, dropped);
  if isempty (y)
    octcompress.internal.fail ('nn_train', 'empty', ...
                               'Y must not be empty; nn_distill needs no labels');
  end
  check_class_weights (options, prod (plan.sizes{plan.outputs}));
  train = octcompress.train.data_source ('nn_train', model, plan, x, y, options, {'X', 'Y'});
  validation = [];
  if ~isempty (options.validation_data)
    if numel (options.validation_data) < 2 || isempty (options.validation_data{2})
      octcompress.internal.fail ('nn_train', 'badValue', 'VALIDATION_DATA must be a cell {X, Y}');
    end
    validation = octcompress.train.data_source ('nn_train', model, plan, ...
                                                options.validation_data{1}, ...
                                           options.validation_data{2}, options, ...
                                           {'the X of VALIDATION_DATA', ...
                                            'the Y of VALIDATION_DATA'});
  end
  [model, info] = octcompress.train.loop ('nn_train', model, plan, train, validation, options);
end

function check_options (options)
  octcompress.internal.check ('nn_train', 'loss', options.loss, 'choice', ...
                              {'crossentropy', 'binary_crossentropy', 'mse', 'mae', 'huber'});
  octcompress.internal.check ('nn_train', 'label_smoothing', options.label_smoothing, 'number', ...
                              [0 1]);
  octcompress.internal.check ('nn_train', 'huber_delta', options.huber_delta, 'number', ...
                              [1e-12 1e12]);
end

function check_class_weights (options, classes)
  weights = options.class_weights;
  if ~isempty (weights) && ~(isnumeric (weights) && isreal (weights) ...
                             && numel (weights) == classes ...
                             && all (isfinite (weights(:))) && all (weights(:) > 0))
    octcompress.internal.fail ('nn_train', 'badValue', ...
      'CLASS_WEIGHTS must be %d numbers above 0, one for each class, but is %s', classes, ...
      octcompress.internal.describe (weights));
  end
end

%!function [x, y] = clusters (count)
%!  % Three noisy clusters on a circle: a line between two of them goes through the third.
%!  before = octcompress.train.random ('seed', 11);
%!  u = octcompress.train.random ('uniform', [3, count]);
%!  octcompress.train.random ('restore', before);
%!  y = ceil (3 * u(1, :));
%!  x = single ([cos(2 * y); sin(2 * y)] + 0.8 * (u(2:3, :) - 0.5));
%!endfunction
%!function model = small_network ()
%!  before = octcompress.train.random ('seed', 5);
%!  model.layers = {struct('type', 'dense', 'name', 'a', 'weights', ...
%!                         octcompress.train.initial_weights ([12 2]), ...
%!                         'bias', zeros (12, 1, 'single')), ...
%!                  struct('type', 'relu', 'name', 'r'), ...
%!                  struct('type', 'dense', 'name', 'b', 'weights', ...
%!                         octcompress.train.initial_weights ([3 12]), ...
%!                         'bias', zeros (3, 1, 'single')), ...
%!                  struct('type', 'softmax', 'name', 's')};
%!  octcompress.train.random ('restore', before);
%!  model = octcompress.model.tidy ('f', model);
%!endfunction
%!function part = checkpoint_of (model, x, y)
%!  file = [tempname() '.mat'];
%!  nn_train (model, x, y, 'epochs', 1, 'verbose', false, 'checkpoint', file);
%!  part = nn_load (file);
%!  delete (file);
%!endfunction
%!function value = accuracy (model, x, y)
%!  result = nn_evaluate (model, x, y);
%!  value = result.accuracy;
%!endfunction
%!function value = loss_of (model, x, y)
%!  result = nn_evaluate (model, x, y);
%!  value = result.loss;
%!endfunction
%!shared X, Y, model
%! [X, Y] = clusters (200);
%! model = small_network ();
%!test % every optimiser learns it
%! for optimizer = {'sgd', 'adam', 'adamw'}
%!   [trained, info] = nn_train (model, X, Y, 'optimizer', optimizer{1}, 'learning_rate', 0.05, ...
%!                               'epochs', 10, ...
%!                               'batch_size', 20, 'verbose', false);
%!   assert (accuracy (trained, X, Y) > 0.95, optimizer{1});
%!   assert (info.history.loss(end) < 0.3 * info.history.loss(1), optimizer{1});
%!   assert ({info.epochs, info.steps, info.stopped}, {10, 100, 'finished'});
%! end
%!test % every schedule, and clipping, nesterov and decay
%! for schedule = {'constant', 'step', 'exponential', 'cosine', 'onecycle'}
%!   [trained, info] = nn_train (model, X, Y, 'schedule', schedule{1}, 'warmup', 1, ...
%!                               'learning_rate', 0.1, ...
%!                               'epochs', 12, 'batch_size', 20, 'clip_norm', 1, 'nesterov', ...
%!                               true, ...
%!                               'weight_decay', 1e-4, 'verbose', false);
%!   assert (accuracy (trained, X, Y) > 0.95, schedule{1});
%!   assert (numel (unique (info.history.learning_rate)) > 1, ~strcmp (schedule{1}, 'constant'));
%! end
%!test % one batch of everything is one step by hand
%! options = {'epochs', 1, 'batch_size', 200, 'learning_rate', 0.5, 'weight_decay', 0.1, ...
%!            'verbose', false};
%! trained = nn_train (model, X, Y, options{:});
%! w = model.layers{3}.weights;
%! h = max (model.layers{1}.weights * X, 0);
%! [~, d] = octcompress.train.cross_entropy (w * h, Y);
%! assert (trained.layers{3}.weights, w - 0.5 * (d * h' + 0.1 * w), 1e-6);
%! assert (trained.layers{3}.bias, -0.5 * sum (d, 2), 1e-6);
%! clipped = nn_train (model, X, Y, options{:}, 'clip_norm', 1e-3, 'weight_decay', 0);
%! change = 0;
%! for k = [1 3]
%!   change = change + sum ((clipped.layers{k}.weights(:) - model.layers{k}.weights(:)) .^ 2) ...
%!            + sum (clipped.layers{k}.bias .^ 2);
%! end
%! assert (sqrt (change), 0.5e-3, 1e-6);
%!test % the same seed gives the same bits, another seed others; the generator is left as it was
%! options = {'epochs', 2, 'batch_size', 30, 'verbose', false};
%! state = octcompress.train.random ('state');
%! a = nn_train (model, X, Y, options{:});
%! assert (octcompress.train.random ('state'), state);
%! rand (1, 5);
%! assert (nn_train (model, X, Y, options{:}), a);
%! b = nn_train (model, X, Y, options{:}, 'seed', 1);
%! assert (~ isequal (a.layers{1}.weights, b.layers{1}.weights));
%! c = nn_train (model, X, Y, options{:}, 'shuffle', false);
%! assert (c, nn_train (model, X, Y, options{:}, 'shuffle', false, 'seed', 1));
%!test % pruned zeros stay zero, to the bit, and other zeros move
%! pruned = nn_prune (model, 'sparsity', 0.5);
%! pruned.layers{3} = rmfield (pruned.layers{3}, 'pruning');
%! for optimizer = {'sgd', 'adamw'}
%!   [trained, info] = nn_train (pruned, X, Y, 'optimizer', optimizer{1}, 'learning_rate', ...
%!                               0.05, 'epochs', 3, ...
%!                               'batch_size', 20, 'weight_decay', 0.01, 'verbose', false);
%!   assert (trained.layers{1}.weights == 0, pruned.layers{1}.weights == 0);
%!   assert (any (trained.layers{1}.weights(:) ~= pruned.layers{1}.weights(:)));
%!   assert (nnz (trained.layers{3}.weights) > nnz (pruned.layers{3}.weights));
%!   assert (trained.layers{1}.pruning, pruned.layers{1}.pruning);
%!   assert ({info.layers{1}.tensor, info.layers{1}.pruned, info.layers{1}.nonzeros}, ...
%!           {'a.weights', true, 12});
%! end
%!test % quantized weights stay on their grid, to the bit, and learn
%! for bits = [1 2 4 8]
%!   for scheme = {'symmetric', 'affine'}
%!     q = nn_quantize (model, 'bits', bits, 'scheme', scheme{1}, 'granularity', 'channel');
%!     trained = nn_train (q, X, Y, 'optimizer', 'adam', 'learning_rate', 0.02, 'epochs', 4, ...
%!                         'batch_size', 20, ...
%!                         'verbose', false);
%!     for k = [1 3]
%!       grid = q.layers{k}.quantization.weights;
%!       w = trained.layers{k}.weights;
%!       assert (trained.layers{k}.quantization.weights, grid);
%!       assert (octcompress.quant.decode_grid (octcompress.quant.encode_grid (w, grid), grid), w);
%!     end
%!     assert (loss_of (trained, X, Y) < loss_of (q, X, Y));
%!   end
%! end
%!test % pruned and quantized, activations too
%! q = nn_quantize (nn_prune (model, 'sparsity', 0.5), 'bits', 4, 'scheme', 'affine', 'data', X);
%! trained = nn_train (q, X, Y, 'learning_rate', 0.1, 'epochs', 5, 'batch_size', 20, 'verbose', ...
%!                     false);
%! for k = [1 3]
%!   w = trained.layers{k}.weights;
%!   assert (all (w(q.layers{k}.weights == 0) == 0));
%!   assert (octcompress.quant.snap_to_grid (w, q.layers{k}.quantization.weights), w);
%!   assert (trained.layers{k}.quantization, q.layers{k}.quantization);
%! end
%! assert (any (trained.layers{1}.weights(:) ~= q.layers{1}.weights(:)));
%! assert (loss_of (trained, X, Y) < loss_of (q, X, Y));
%!test % stopped after any batch, it goes on bit for bit
%! start = nn_quantize (nn_prune (model, 'sparsity', 0.3), 'bits', 6);
%! for optimizer = {'sgd', 'adam'}
%!   options = {'optimizer', optimizer{1}, 'epochs', 4, 'batch_size', 30, 'learning_rate', ...
%!              0.02, 'schedule', 'cosine', ...
%!              'validation', 0.2, 'monitor', 'accuracy', 'verbose', false};
%!   [whole, all_info] = nn_train (start, X, Y, options{:});
%!   file = [tempname() '.mat'];
%!   deleting = onCleanup (@() delete (file));
%!   for epoch = 1:3
%!     nn_train (start, X, Y, options{:}, 'checkpoint', file, 'callback', ...
%!               @(seen) seen.epoch == epoch);
%!     [resumed, info] = nn_train (start, X, Y, options{:}, 'resume', file);
%!     assert (resumed, whole);
%!     info.history.seconds = all_info.history.seconds;
%!     assert (info.history, all_info.history);
%!     assert (info.best_epoch, all_info.best_epoch);
%!   end
%!   clear deleting
%! end
%!test % a checkpoint in the middle of an epoch is a model, and training goes on from it
%! options = {'epochs', 2, 'batch_size', 30, 'verbose', false};
%! whole = nn_train (model, X, Y, options{:});
%! tried = {};
%! try
%!   stop = @(seen) error ('stop:now', '%s', 'now');
%!   evalc ('nn_train (model, X, Y, options{:}, ''callback'', stop)');
%! catch e
%!   tried = e.identifier;
%! end
%! assert (tried, 'stop:now');
%! part = octcompress.train.interrupted ();
%! assert (part.training.step, 7);
%! assert (loss_of (part, X, Y) < loss_of (model, X, Y));
%! assert (nn_train (model, X, Y, options{:}, 'resume', octcompress.train.interrupted ()), whole);
%! octcompress.train.interrupted ('end');
%!test % early stopping: the weights of the best epoch come back
%! half_wrong = [Y(1:15), Y(20:34)];
%! [trained, info] = nn_train (model, X(:, 1:30), half_wrong, 'epochs', 50, 'learning_rate', ...
%!                             0.3, ...
%!                             'validation_data', {X(:, 31:end), Y(31:end)}, 'patience', 3, ...
%!                             'batch_size', 10, ...
%!                             'verbose', false);
%! assert (info.stopped, 'patience');
%! assert (info.epochs, info.best_epoch + 3);
%! assert (loss_of (trained, X(:, 31:end), Y(31:end)), min (info.history.validation_loss), 1e-6);
%! assert (numel (info.history.validation_accuracy), info.epochs);
%!test % the share held back is not trained on
%! [~, info] = nn_train (model, X, Y, 'epochs', 1, 'validation', 0.25, 'batch_size', 10, ...
%!                       'verbose', false);
%! assert (info.steps, 15);
%!test % the callback sees and stops
%! [~, info] = nn_train (model, X, Y, 'callback', @(seen) seen.epoch == 2 ...
%!                       && isfield (seen.model, 'layers'), ...
%!                       'verbose', false);
%! assert ({info.epochs, info.stopped}, {2, 'callback'});
%!test % one-hot labels, double models, no softmax, and what training does not touch
%! hot = double ((1:3)' == Y);
%! a = nn_train (model, X, Y, 'epochs', 1, 'verbose', false);
%! assert (nn_train (model, X, hot, 'epochs', 1, 'verbose', false), a);
%! bare = model;
%! bare.layers(4) = [];
%! bare.meta = struct ('kept', 1);
%! b = nn_train (bare, X, Y, 'epochs', 1, 'verbose', false);
%! assert (b.layers{3}.weights, a.layers{3}.weights);
%! assert (b.meta, bare.meta);
%! for k = [1 3]
%!   bare.layers{k}.weights = double (bare.layers{k}.weights);
%!   bare.layers{k}.bias = double (bare.layers{k}.bias);
%! end
%! c = nn_train (bare, X, Y, 'epochs', 1, 'verbose', false);
%! assert (class (c.layers{1}.weights), 'double');
%! assert (single (c.layers{1}.weights), b.layers{1}.weights, 1e-5);
%!test % label smoothing and class weights
%! [~, info] = nn_train (model, X, Y, 'label_smoothing', 0.1, 'class_weights', [1 2 3], ...
%!                       'epochs', 1, ...
%!                       'batch_size', 200, 'verbose', false);
%! logits = model.layers{3}.weights * max (model.layers{1}.weights * X, 0);
%! assert (info.history.loss, octcompress.train.cross_entropy (logits, Y, 0.1, [1 2 3]), 1e-6);
%!test % regression
%! target = [X(1, :) .* X(2, :); X(1, :) .^ 2; X(2, :)];
%! plain = model;
%! plain.layers(4) = [];
%! for loss = {'mse', 'mae', 'huber'}
%!   [~, info] = nn_train (plain, X, target, 'loss', loss{1}, 'optimizer', 'adam', ...
%!                         'learning_rate', 0.02, ...
%!                         'epochs', 25, 'batch_size', 20, 'validation', 0.2, 'verbose', false);
%!   assert (info.history.loss(end) < 0.4 * info.history.loss(1), loss{1});
%!   assert (all (isnan (info.history.validation_accuracy)));
%! end
%!test % binary cross-entropy, with its sigmoid left out
%! binary = model;
%! binary.layers{4} = struct ('type', 'sigmoid', 'name', 's');
%! target = (1:3)' == Y;
%! trained = nn_train (binary, X, target, 'loss', 'binary_crossentropy', 'learning_rate', 0.1, ...
%!                     'epochs', 10, ...
%!                     'batch_size', 20, 'verbose', false);
%! p = nn_predict (trained, X);
%! assert (mean ((p(:) > 0.5) == target(:)) > 0.95);
%!test % images, with augmentation
%! images = zeros (4, 4, 1, 40);
%! images(:, 1:2, 1, 1:20) = 1;
%! images(1:2, :, 1, 21:40) = 1;
%! labels = [ones(1, 20), 2 * ones(1, 20)];
%! net.input_size = [3 3 1];
%! before = octcompress.train.random ('seed', 2);
%! net.layers = {struct('type', 'flatten'), ...
%!               struct('type', 'dense', 'weights', octcompress.train.initial_weights ([8 9])), ...
%!               struct('type', 'relu'), ...
%!               struct('type', 'dense', 'weights', octcompress.train.initial_weights ([2 8]))};
%! octcompress.train.random ('restore', before);
%! options = {'epochs', 20, 'batch_size', 8, 'learning_rate', 0.05, 'validation', 0.2, ...
%!            'verbose', false, ...
%!            'augmentation', {'flip', 'both', 'shift', 1, 'crop', true}};
%! [trained, info] = nn_train (net, images, labels, options{:});
%! assert (info.history.loss(end) < 0.5 * info.history.loss(1));
%! assert (nn_train (net, images, labels, options{:}), trained);
%!test % no epochs, no change
%! [same, info] = nn_train (model, X, Y, 'epochs', 0, 'verbose', false);
%! assert (same, model);
%! assert (info.history.loss, []);
%!test % progress lines
%! text = evalc ('nn_train (model, X, Y, ''epochs'', 2, ''validation'', 0.1);');
%! assert (numel (strfind (text, 'training ')), 2);
%! assert (~isempty (regexp (text, ...
%!       'training 2/2: loss [\d.]+, validation loss [\d.]+, accuracy [\d.]+%, rate 0.01, \d+/s')));
%! assert (evalc ('nn_train (model, X, Y, ''epochs'', 1, ''verbose'', false);'), '');
%!error <nn_train: the training diverged: the loss is NaN in epoch \d, step \d+; lower LEARNING_RATE \(it is 1e\+06\)>
%! nn_train (model, X, Y, 'learning_rate', 1e6, 'momentum', 1, 'epochs', 3, 'verbose', false);
%!error <nn_train: there is no option 'epoch'; the options are loss, label_smoothing> nn_train (model, X, Y, 'epoch', 1)
%!error <nn_train: LOSS must be one of 'crossentropy', .*, but is 'nll'> nn_train (model, X, Y, 'loss', 'nll')
%!error <nn_train: Y must hold class numbers from 1 to 3, but element 1 is 0> nn_train (model, X, [0, Y(2:end)])
%!error <nn_train: Y must have one entry for each of the 200 observations of X, but has 100> nn_train (model, X, Y(1:100))
%!error <nn_train: Y must not be empty> nn_train (model, X, [])
%!error <nn_train: X must have 2 features in each column, but is 200x2 single> nn_train (model, X', Y)
%!error <nn_train: X must be finite, but element 1 of 400 is NaN> nn_train (model, [NaN(2, 1), X(:, 2:end)], Y)
%!error <nn_train: X has 200 observations, of which 200 are for training and 0 for validation> nn_train (model, X, Y, 'validation', 0.001)
%!error <nn_train: with the loss 'mse' MONITOR must be one of 'loss', 'mse', 'mae', 'psnr', but is 'accuracy'> nn_train (model, X, ones (3, 200), 'loss', 'mse', 'monitor', 'accuracy')
%!error <nn_train: CLASS_WEIGHTS must be 3 numbers above 0> nn_train (model, X, Y, 'class_weights', [1 2])
%!error <nn_train: MODEL has no weights to train> nn_train (struct ('layers', {{struct('type', 'relu')}}, 'input_size', 2), X, ones (1, 200))
%!error <nn_train: MODEL must be a struct with a cell LAYERS> nn_train (struct ('Theta1', 1), X, Y)
%!error <nn_train: LEARNING_RATE was 0.01 in the checkpoint, but is 0.02; give the same options to go on>
%! nn_train (model, X, Y, 'learning_rate', 0.02, 'resume', checkpoint_of (model, X, Y));
%!error <nn_train: RESUME is a checkpoint of a training on other data \(200 observations; now 150\)>
%! nn_train (model, X(:, 1:150), Y(1:150), 'resume', checkpoint_of (model, X, Y));
%!error <nn_train: RESUME is a checkpoint of another network>
%! other = model;
%! other.layers{1}.weights = ones (9, 2, 'single');
%! other.layers{1}.bias = zeros (9, 1, 'single');
%! other.layers{3}.weights = ones (3, 9, 'single');
%! nn_train (other, X, Y, 'resume', checkpoint_of (model, X, Y));
%!error <nn_train: RESUME must be a checkpoint, but has no state of a training> nn_train (model, X, Y, 'resume', model)
%!error <nn_load: there is no file 'nowhere.mat'> nn_train (model, X, Y, 'resume', 'nowhere.mat')
