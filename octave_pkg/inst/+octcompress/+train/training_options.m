function options = training_options (caller, own, args)
%TRAINING_OPTIONS  The options that nn_train and nn_distill share, merged and checked.
%
%   options = octcompress.train.training_options (caller, own, args)
%
%   own   struct: the verb's own options with their defaults
%   args  cell, the user's options
%
%   The options are described in nn_train.
%
%   Errors: octcompress:CALLER:unknownOption, :badOption, :badValue.
%
%   See also nn_train, nn_distill.

  defaults = own;
  defaults.optimizer = 'sgd';
  defaults.learning_rate = [];
  defaults.momentum = 0.9;
  defaults.nesterov = false;
  defaults.beta1 = 0.9;
  defaults.beta2 = 0.999;
  defaults.epsilon = 1e-8;
  defaults.weight_decay = 0;
  defaults.clip_norm = Inf;
  defaults.schedule = 'constant';
  defaults.warmup = 0;
  defaults.decay = [];
  defaults.decay_epochs = [];
  defaults.final_rate = [];
  defaults.epochs = 10;
  defaults.batch_size = 128;
  defaults.seed = 0;
  defaults.shuffle = true;
  defaults.augmentation = [];
  defaults.validation = 0;
  defaults.validation_data = {};
  defaults.monitor = 'loss';
  defaults.patience = Inf;
  defaults.callback = [];
  defaults.checkpoint = '';
  defaults.checkpoint_minutes = 10;
  defaults.resume = '';
  defaults.verbose = true;
  options = octcompress.internal.parse_options (caller, defaults, args);

  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  check ('optimizer', 'choice', {'sgd', 'adam', 'adamw'});
  check ('schedule', 'choice', {'constant', 'step', 'exponential', 'cosine', 'onecycle'});
  if isempty (options.learning_rate)
    options.learning_rate = pick (strcmp (options.optimizer, 'sgd'), 0.01, 0.001);
  end
  if isempty (options.decay)
    options.decay = pick (strcmp (options.schedule, 'step'), 0.1, 0.9);
  end
  if isempty (options.decay_epochs)
    options.decay_epochs = pick (strcmp (options.schedule, 'step'), 10, 1);
  end
  if isempty (options.final_rate)
    options.final_rate = pick (strcmp (options.schedule, 'onecycle'), ...
                               options.learning_rate / 1e4, 0);
  end
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  numbers = {'learning_rate', [0 1e6]; 'momentum', [0 1]; 'beta1', [0 0.999999]; 'beta2', ...
             [0 0.999999]; ...
             'epsilon', [1e-30 1]; 'weight_decay', [0 1e6]; 'warmup', [0 1e6]; 'decay', [0 1]; ...
             'decay_epochs', [1e-6 1e6]; 'final_rate', [0 1e6]; 'validation', [0 0.9]; ...
             'checkpoint_minutes', [0 1e6]};
  for k = 1:size (numbers, 1)
    check (numbers{k, 1}, 'number', numbers{k, 2});
  end
  check ('epochs', 'integer', [0 1e6]);
  check ('batch_size', 'integer', [1 1e9]);
  check ('seed', 'integer', [0 2^32 - 1]);
  check ('nesterov', 'flag');
  check ('shuffle', 'flag');
  check ('verbose', 'flag');
  check ('monitor', 'choice', {'loss', 'accuracy', 'top_k', 'auc', 'mse', 'mae', 'psnr'});
  if ~isequal (options.clip_norm, Inf)
    check ('clip_norm', 'number', [1e-30 1e30]);
  end
  if ~isequal (options.patience, Inf)
    check ('patience', 'integer', [1 1e6]);
  end
  if ~isempty (options.checkpoint)
    check ('checkpoint', 'text');
  end
  if ~isempty (options.callback) && ~isa (options.callback, 'function_handle')
    octcompress.internal.fail (caller, 'badValue', ...
                               'CALLBACK must be a function handle, but is %s', ...
                               octcompress.internal.describe (options.callback));
  end
  if ~isempty (options.validation_data) && options.validation > 0
    octcompress.internal.fail (caller, 'badValue', ...
      'VALIDATION (a share of X) and VALIDATION_DATA cannot both be given; leave one out');
  end
  if ~isempty (options.validation_data) ...
     && ~(iscell (options.validation_data) && any (numel (options.validation_data) == [1 2]))
    octcompress.internal.fail (caller, 'badValue', ...
                               'VALIDATION_DATA must be a cell {X, Y}, but is %s', ...
                               octcompress.internal.describe (options.validation_data));
  end
  if isempty (options.validation_data) && options.validation == 0 && ~isinf (options.patience)
    octcompress.internal.fail (caller, 'badValue', ...
      'PATIENCE needs VALIDATION_DATA, a cell {X, Y}, or VALIDATION, a share of X to hold back');
  end
  options.augmentation = check_augmentation (caller, options.augmentation);
end

function value = pick (condition, yes, no)
  if condition
    value = yes;
  else
    value = no;
  end
end

function augmentation = check_augmentation (caller, given)
  augmentation = [];
  if isempty (given)
    return
  end
  if isstruct (given)
    given = {given};
  elseif ~iscell (given)
    octcompress.internal.fail (caller, 'badValue', ...
      'AUGMENTATION must be a struct or a cell of name-value pairs, but is %s', ...
      octcompress.internal.describe (given));
  end
  defaults = struct ('flip', 'none', 'shift', 0, 'crop', false, 'pixels', []);
  augmentation = octcompress.internal.parse_options (caller, defaults, given);
  octcompress.internal.check (caller, 'flip', augmentation.flip, 'choice', ...
                              {'none', 'horizontal', 'vertical', 'both'});
  octcompress.internal.check (caller, 'shift', augmentation.shift, 'integer', [0 1e4]);
  octcompress.internal.check (caller, 'crop', augmentation.crop, 'flag');
  pixels = augmentation.pixels;
  if ~isempty (pixels) && ~(isnumeric (pixels) && isreal (pixels) && numel (pixels) == 3 ...
                            && all (pixels(:) >= 1 & pixels(:) == fix (pixels(:))) ...
                            && ~augmentation.crop)
    octcompress.internal.fail (caller, 'badValue', ...
      'PIXELS must be [H W C], without CROP, but is %s', octcompress.internal.describe (pixels));
  end
end

%!function o = parsed (varargin)
%!  o = octcompress.train.training_options ('f', struct ('loss', 'mse'), varargin);
%!endfunction
%!test % defaults that depend on others
%! o = parsed ();
%! assert ({o.loss, o.learning_rate, o.decay, o.final_rate}, {'mse', 0.01, 0.9, 0});
%! o = parsed ('optimizer', 'adam', 'schedule', 'step');
%! assert ({o.learning_rate, o.decay, o.decay_epochs}, {0.001, 0.1, 10});
%! o = parsed ('schedule', 'onecycle', 'learning_rate', 0.5);
%! assert (o.final_rate, 0.5e-4);
%!test
%! o = parsed ('augmentation', {'shift', 2});
%! assert (o.augmentation, struct ('flip', 'none', 'shift', 2, 'crop', false, 'pixels', []));
%!error <f: PIXELS must be \[H W C\], without CROP, but is \[2 3\]> parsed ('augmentation', {'pixels', [2 3]})
%!error <f: there is no option 'rate'; the options are loss, optimizer, learning_rate> parsed ('rate', 1)
%!error <f: OPTIMIZER must be one of 'sgd', 'adam', 'adamw', but is 'rmsprop'> parsed ('optimizer', 'rmsprop')
%!error <f: MONITOR must be one of 'loss', 'accuracy', 'top_k', 'auc', 'mse', 'mae', 'psnr', but is 'ssim'> parsed ('monitor', 'ssim')
%!error <f: LEARNING_RATE must be a number from 0 to 1e\+06, but is -1> parsed ('learning_rate', -1)
%!error <f: EPOCHS must be a whole number from 0 to 1e\+06, but is 1.5> parsed ('epochs', 1.5)
%!error <f: PATIENCE needs VALIDATION_DATA> parsed ('patience', 3)
%!error <f: VALIDATION \(a share of X\) and VALIDATION_DATA cannot both be given> parsed ('validation', 0.1, 'validation_data', {1, 2})
%!error <f: VALIDATION_DATA must be a cell \{X, Y\}, but is 3> parsed ('validation_data', 3)
%!error <f: CALLBACK must be a function handle, but is 3> parsed ('callback', 3)
%!error <f: there is no option 'turn'; the options are flip, shift, crop> parsed ('augmentation', {'turn', 90})
%!error <f: FLIP must be one of 'none', 'horizontal', 'vertical', 'both', but is 1> parsed ('augmentation', struct ('flip', 1))
