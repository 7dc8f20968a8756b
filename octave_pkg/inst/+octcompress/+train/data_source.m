function source = data_source (caller, model, plan, x, y, options, name)
%DATA_SOURCE  Inputs and what is to be learnt of them, checked and ready for the training loop.
%
%   source = octcompress.train.data_source (caller, model, plan, x, y, options, name)
%
%   plan     of octcompress.train.cut
%   x        inputs, as nn_train takes them
%   y        labels or targets, as options.loss wants them; [] with no loss: only the inputs
%   options  loss, augmentation, and label_smoothing, class_weights, huber_delta where the loss uses
%            them
%   name     {'X', 'Y'} as the user knows them, for messages
%   source   struct: x, count, loss, labels, wanted, check, as octcompress.train.loop has them
%
%   Errors: octcompress:CALLER:badInput, :notFinite, :empty, :badLabels, :badTarget, :badOutput.
%
%   See also octcompress.train.loop.

  x = check_inputs (caller, model, x, options);
  count = octcompress.model.observations (x, model.input_size);
  if count == 0
    octcompress.internal.fail (caller, 'empty', ...
                               '%s must hold at least one observation, but is %s', name{1}, ...
                               octcompress.internal.describe (x));
  end
  source = struct ('x', x, 'count', count, 'loss', [], 'labels', [], 'wanted', [], ...
                   'check', sample_sum (x));
  if isempty (y)
    return
  end
  check_monitor (caller, options);
  out_size = plan.sizes{plan.outputs};
  if strcmp (options.loss, 'crossentropy')
    classes = prod (out_size);
    if classes ~= out_size(end) || classes < 2
      octcompress.internal.fail (caller, 'badOutput', ...
        ['the loss ''crossentropy'' needs an output of 2 or more values, but layer ''%s'' ' ...
         'gives [%s]'], ...
        model.layers{plan.outputs}.name, num2str (out_size));
    end
    labels = octcompress.model.labels (caller, y, classes);
    require_count (caller, numel (labels), count, name);
    source.labels = labels;
    source.wanted = @(which) labels(which);
    cross_entropy = @octcompress.train.cross_entropy;
    source.loss = @(outputs, which, ~) class_loss (cross_entropy, outputs{1}, labels(which), ...
                                                   options);
  else
    target = octcompress.train.target (caller, y, out_size, count, options.loss, name{2});
    kind = octcompress.model.float_class (model);
    source.wanted = @(which) some_targets (target, which, out_size, kind);
    source.loss = @(outputs, which, ~) target_loss (outputs{1}, source.wanted (which), options);
  end
  source.check = source.check + sample_sum (y);
end

function check_monitor (caller, options)
  known = {'loss', 'mse', 'mae', 'psnr'};
  if strcmp (options.loss, 'crossentropy')
    known = {'loss', 'accuracy', 'top_k', 'auc'};
  elseif strcmp (options.loss, 'binary_crossentropy')
    known = {'loss', 'auc'};
  end
  if isfield (options, 'monitor') && ~any (strcmp (options.monitor, known))
    octcompress.internal.fail (caller, 'badValue', ...
      'with the loss ''%s'' MONITOR must be one of ''%s'', but is ''%s''', options.loss, ...
      strjoin (known, ''', '''), options.monitor);
  end
end

function x = check_inputs (caller, model, x, options)
  wanted = model;
  if ~isempty (options.augmentation)
    pixels = options.augmentation.pixels;
    if isempty (pixels) && numel (model.input_size) ~= 3
      octcompress.internal.fail (caller, 'badValue', ...
        ['AUGMENTATION needs images, H x W x C x N, or their PIXELS as features, but ' ...
         'MODEL.INPUT_SIZE is [%s]'], num2str (model.input_size(:)'));
    elseif ~isempty (pixels) && ~isequal (prod (pixels), model.input_size)
      octcompress.internal.fail (caller, 'badValue', ...
        ['the PIXELS of AUGMENTATION must be [H W C] of the %s features of MODEL, but are ' ...
         '[%s]'], num2str (model.input_size(:)'), num2str (pixels(:)'));
    end
    if options.augmentation.crop
      given = [size(x, 1), size(x, 2)];
      wanted.input_size(1:2) = max (given, model.input_size(1:2));
    end
  end
  x = octcompress.model.batches (caller, wanted, x, 1);
end

function value = sample_sum (x)
  stride = max (1, floor (numel (x) / 1000));
  value = sum (double (x(1:stride:end)));
end

function require_count (caller, given, count, name)
  if given ~= count
    octcompress.internal.fail (caller, 'badLabels', ...
      '%s must have one entry for each of the %d observations of %s, but has %d', name{2}, ...
      count, name{1}, given);
  end
end

function [value, dy] = class_loss (cross_entropy, y, labels, options)
  if ismatrix (y)
    [value, gradient] = cross_entropy (y, labels, options.label_smoothing, options.class_weights);
    dy = {gradient};
  else
    [value, dy] = class_loss (cross_entropy, reshape (y, [], numel (labels)), labels, options);
    dy{1} = reshape (dy{1}, size (y));
  end
end

function target = some_targets (target, which, out_size, kind)
  if numel (out_size) == 3
    target = target(:, :, :, which);
  else
    target = target(:, which, :);
  end
  target = octcompress.model.to_engine (cast (target, kind), out_size);
end

function [value, dy] = target_loss (y, target, options)
  switch options.loss
    case 'mse'
      [value, gradient] = octcompress.train.squared_error (y, target);
    case 'mae'
      [value, gradient] = octcompress.train.absolute_error (y, target);
    case 'huber'
      [value, gradient] = octcompress.train.huber (y, target, options.huber_delta);
    case 'binary_crossentropy'
      [value, gradient] = octcompress.train.binary_cross_entropy (y, target);
  end
  dy = {gradient};
end

%!shared three, one
%! three.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 0; 0 1; 1 1])};
%! three.input_size = 2;
%! one = three;
%! one.layers{1}.weights = [1 1];
%!function s = made (model, x, y, loss, augmentation)
%!  o = struct ('loss', loss, 'augmentation', [], 'label_smoothing', 0, 'class_weights', [], ...
%!              'huber_delta', 1);
%!  if nargin > 4
%!    o.augmentation = augmentation;
%!  end
%!  plan = octcompress.train.cut ('f', model, {});
%!  s = octcompress.train.data_source ('f', model, plan, x, y, o, {'X', 'Y'});
%!endfunction
%!test % labels of the batch
%! s = made (three, ones (2, 4), [3 1 2 1], 'crossentropy');
%! assert ({s.count, s.labels}, {4, [3 1 2 1]});
%! [value, dy] = s.loss ({[1 0; 2 1; 0 5]}, [1 3], []);
%! [expected, d] = octcompress.train.cross_entropy ([1 0; 2 1; 0 5], [3 2]);
%! assert ({value, dy}, {expected, {d}});
%!test % targets of the batch
%! s = made (three, ones (2, 4), reshape (1:12, 3, 4), 'mse');
%! assert (s.loss ({[1 7; 2 8; 3 9]}, [1 3], []), 0);
%! assert (s.loss ({[1 7; 2 8; 3 9]}, [1 4], []), 4.5);
%!test % one output: Y may be a column
%! s = made (one, ones (2, 4), [1; 2; 3; 4], 'mae');
%! assert (s.loss ({[1 3]}, [1 3], []), 0);
%!test % the check number sees other data
%! a = made (three, ones (2, 4), [1 2 3 1], 'crossentropy');
%! b = made (three, ones (2, 4), [1 2 3 2], 'crossentropy');
%! assert (a.check ~= b.check);
%!error <f: X must have 2 features in each column, but is 3x4 double> made (three, ones (3, 4), 1, 'crossentropy')
%!error <f: X must be finite, but element 3 of 4 is NaN> made (three, [1 2; NaN 4]', [1 2], 'crossentropy')
%!error <f: X must hold at least one observation, but is empty \(2x0 double\)> made (three, zeros (2, 0), 1, 'crossentropy')
%!error <f: Y must hold class numbers from 1 to 3, but element 2 is 4> made (three, ones (2, 4), [1 4 1 1], 'crossentropy')
%!error <f: Y must have one entry for each of the 4 observations of X, but has 2> made (three, ones (2, 4), [1 2], 'crossentropy')
%!error <f: with the loss 'mse' Y must be of the output's size, 3x4, but is 4x3 double> made (three, ones (2, 4), ones (4, 3), 'mse')
%!error <f: Y must be a real numeric array, but is 'abcd'> made (one, ones (2, 4), 'abcd', 'mse')
%!error <f: with the loss 'binary_crossentropy' Y must lie from 0 to 1, but goes from 0 to 2> made (three, ones (2, 4), repmat ([0; 1; 2], 1, 4), 'binary_crossentropy')
%!error <f: the loss 'crossentropy' needs an output of 2 or more values, but layer 'a' gives \[1\]> made (one, ones (2, 4), ones (1, 4), 'crossentropy')
%!error <f: AUGMENTATION needs images, H x W x C x N, or their PIXELS as features, but MODEL.INPUT_SIZE is \[2\]> made (three, ones (2, 4), [1 2 3 1], 'crossentropy', struct ('flip', 'none', 'shift', 1, 'crop', false, 'pixels', []))
%!error <f: the PIXELS of AUGMENTATION must be \[H W C\] of the 2 features of MODEL, but are \[2  2  1\]> made (three, ones (2, 4), [1 2 3 1], 'crossentropy', struct ('flip', 'none', 'shift', 1, 'crop', false, 'pixels', [2 2 1]))
%!error <f: with the loss 'mse' MONITOR must be one of 'loss', 'mse', 'mae', 'psnr', but is 'auc'> octcompress.train.data_source ('f', one, octcompress.train.cut ('f', one, {}), ones (2, 4), ones (1, 4), struct ('loss', 'mse', 'monitor', 'auc', 'augmentation', []), {'X', 'Y'})
