function [model, info] = nn_quantize_train (model, X, Y, varargin)
%NN_QUANTIZE_TRAIN  Quantization-aware training: weights on grids whose steps are learned too.
%
%   [model, info] = nn_quantize_train (model, X, Y)
%   [model, info] = nn_quantize_train (model, X, Y, 'quantize', struct ('bits', 2), ...)
%
%   model  a network with one output (docs/model-format.md), pruned or not; layers whose weights
%          are quantized already start from their grids
%   X, Y   as nn_train takes them
%
%   Options, as name-value pairs or a struct: those of nn_train (loss 'crossentropy' or 'mse'), and
%     quantize ([])        struct of options of nn_quantize, for the start; by default 4 bits, by
%                          channel, rounding 'gptq' on the first 1000 observations
%     learn_scales (true)  the scales of uniform grids and the entries of codebooks are trained
%     scale_rule ('step')  how they learn: by the 'step' of the weights or by the loss's own
%                          'gradient', see below
%     learn_after (1)      steps before that
%     fold (true)          batch normalisations are folded into the layers before them first
%                          (nn_fold): their statistics are frozen, and what is trained are the
%                          weights that a device has
%     freeze (false)       batch normalisations that are left compute with their running
%                          statistics, which do not change any more
%
%   Each batch is computed with the weights on their grids, and with the activations on theirs where
%   quantize has activations 'static'; the gradient goes to full-precision weights beside them
%   (straight-through [1]). Zeros of pruning stay zeros, and codebooks stay codebooks.
%
%   Scales learn as in [2]: q = s * code, so that
%     dq/ds = code - w / s inside the grid, code at its ends,
%   and where the optimiser moves the weights by d, s moves by the mean of d * dq/ds
%   (octcompress.quant.step_of_grid). With scale_rule 'gradient' it is the published rule [2]: d is
%   minus the learning rate times the loss's gradient by the weights on the grid, and the sum is
%   divided by sqrt (n * greatest code), n weights sharing the scale. An entry of a codebook
%   moves by the mean of d over the weights that share it, with 'gradient' by the sum [3]; zeros
%   stay.
%
%   info  as that of nn_train; info.quantized as the info of nn_quantize at the start
%
%   Errors: octcompress:nn_quantize_train:badValue, :unknownOption, and those of nn_train and of
%   nn_quantize.
%
%   [1] Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013,
%       arXiv:1308.3432.
%   [2] Esser et al., Learned step size quantization, ICLR 2020, arXiv:1902.08153.
%   [3] Han et al., Deep compression, ICLR 2016, arXiv:1510.00149.
%
%   See also nn_train, nn_quantize, nn_fold, nn_prune_train.

  caller = 'nn_quantize_train';
  own = struct ('loss', 'crossentropy', 'label_smoothing', 0, 'class_weights', [], ...
                'huber_delta', 1, ...
                'quantize', [], 'learn_scales', true, 'scale_rule', 'step', ...
                'learn_after', 1, 'fold', true, 'freeze', false);
  options = octcompress.train.training_options (caller, own, varargin);
  octcompress.internal.check (caller, 'loss', options.loss, 'choice', {'crossentropy', 'mse'});
  octcompress.internal.check (caller, 'learn_scales', options.learn_scales, 'flag');
  octcompress.internal.check (caller, 'learn_after', options.learn_after, 'integer', [1 Inf]);
  octcompress.internal.check (caller, 'scale_rule', options.scale_rule, 'choice', ...
                              {'step', 'gradient'});
  octcompress.internal.check (caller, 'fold', options.fold, 'flag');
  octcompress.internal.check (caller, 'freeze', options.freeze, 'flag');
  model = octcompress.model.tidy (caller, model);
  if options.fold && ~any (cellfun (@is_quantized, model.layers))
    model = nn_fold (model);
  end
  [model, quantized] = start_on_grids (model, X, options);
  frozen = {};
  if options.freeze
    frozen = find (cellfun (@(layer) strcmp (layer.type, 'batchnorm'), model.layers));
    frozen = num2cell (frozen(~cellfun (@(layer) octcompress.layers.option (layer, 'frozen', ...
                                                          false), model.layers(frozen))));
  end
  for k = frozen
    model.layers{k{1}}.frozen = true;
  end

  dropped = {};
  if strcmp (options.loss, 'crossentropy')
    dropped = {'softmax', 'logsoftmax'};
  end
  plan = octcompress.train.cut (caller, model, dropped);
  train = octcompress.train.data_source (caller, model, plan, X, Y, options, {'X', 'Y'});
  validation = [];
  if ~isempty (options.validation_data)
    pair = [options.validation_data, {[]}];
    validation = octcompress.train.data_source (caller, model, plan, pair{1}, pair{2}, options, ...
                                                {'the X of VALIDATION_DATA', ...
                                                 'the Y of VALIDATION_DATA'});
  end
  if options.learn_scales
    train.after_step = @(state, places) learn (state, places, options);
  end
  [model, info] = octcompress.train.loop (caller, model, plan, train, validation, options);
  for k = frozen
    model.layers{k{1}} = rmfield (model.layers{k{1}}, 'frozen');
  end
  info.quantized = quantized;
end

function yes = is_quantized (layer)
  yes = isfield (layer, 'quantization') && isfield (layer.quantization, 'weights');
end

function [model, info] = start_on_grids (model, X, options)
  info = struct ();
  if isempty (options.quantize) && any (cellfun (@is_quantized, model.layers))
    return
  end
  settings = options.quantize;
  if isempty (settings)
    settings = struct ('bits', 4, 'granularity', 'channel', 'rounding', 'gptq');
  end
  needs = isfield (settings, 'rounding') && any (strcmp (settings.rounding, ...
                                                         {'gptq', 'adaround', 'obq'}));
  needs = needs || (isfield (settings, 'activations') && strcmp (settings.activations, 'static'));
  if needs && ~isfield (settings, 'data')
    dimension = 2 + 2 * (numel (model.input_size) == 3);
    which = repmat ({':'}, 1, max (ndims (X), dimension));
    which{dimension} = 1:min (1000, size (X, dimension));
    settings.data = X(which{:});
  end
  [model, info] = nn_quantize (model, settings);
end

function [state, places] = learn (state, places, options)
  % Full-precision weights may go to twice the grid's ends: held at the ends they could only pull
  % a scale down.
  is_first = ~isfield (state, 'latent_before');
  if is_first
    state.latent_before = cell (1, numel (places));
  end
  for p = 1:numel (places)
    place = places{p};
    if ~place.quantized || ~strcmp (place.field, 'weights')
      continue
    end
    layer = state.layers{place.layer};
    grid = layer.quantization.weights;
    latent = state.latent{p};
    if ~is_first && state.step > options.learn_after
      before = state.latent_before{p};
      move = latent - before;
      if strcmp (options.scale_rule, 'gradient')
        move = state.descent{p};
      end
      grid = octcompress.quant.step_of_grid (grid, before, move, layer.weights, ...
                                             options.scale_rule);
      if isfield (grid, 'codebook')
        w = octcompress.quant.decode_grid (octcompress.quant.encode_grid (layer.weights, ...
              layer.quantization.weights), grid);
        state.latent{p} = w;   % weights that share an entry move with it alone
      else
        w = octcompress.quant.snap_to_grid (latent, grid);
      end
      if place.pruned
        w(~place.keep) = 0;
      end
      layer.weights = w;
      layer.quantization.weights = grid;
      state.layers{place.layer} = layer;
      places{p}.grid = grid;
    end
    [low, high] = octcompress.quant.grid_ends (grid, latent);
    places{p}.low = 2 * low;
    places{p}.high = 2 * high;
    state.latent_before{p} = state.latent{p};
  end
end

%!shared model, X, Y
%! rand ('twister', 8);
%! r = @(varargin) single (rand (varargin{:}) - 0.5);
%! X = r (10, 400);
%! dense = @(name, out, in) struct ('type', 'dense', 'name', name, 'weights', r (out, in), ...
%!                                  'bias', zeros (out, 1, 'single'));
%! teacher.layers = {dense('t1', 20, 10), struct('type', 'tanh', 'name', 't'), dense('t2', 3, 20)};
%! [~, Y] = max (nn_predict (teacher, 4 * X), [], 1);
%! model.layers = {dense('a', 24, 10), struct('type', 'batchnorm', 'name', 'n', 'scale', ...
%!       ones (24, 1, 'single'), 'offset', zeros (24, 1, 'single'), 'mean', ...
%!       zeros (24, 1, 'single'), 'variance', ones (24, 1, 'single')), ...
%!                 struct('type', 'relu', 'name', 'r'), dense('b', 3, 24), ...
%!                 struct('type', 'softmax', 'name', 's')};
%! model = nn_train (model, X, Y, 'optimizer', 'adam', 'learning_rate', 0.01, 'epochs', 30, ...
%!                   'verbose', false);
%!function check_on_grid (model)
%!  for k = 1:numel (model.layers)
%!    if isfield (model.layers{k}, 'quantization') && isfield (model.layers{k}.quantization, ...
%!                                                             'weights')
%!      w = model.layers{k}.weights;
%!      assert (octcompress.quant.snap_to_grid (w, model.layers{k}.quantization.weights), w);
%!    end
%!  end
%!endfunction
%!test % from 2 bits: the loss falls, scales have moved, weights are on the grid, norms are folded
%! start = nn_quantize (nn_fold (model), 2, 'granularity', 'channel');
%! settings = {'optimizer', 'adam', 'learning_rate', 0.01, 'epochs', 20, 'batch_size', 32, ...
%!             'verbose', false};
%! q = nn_quantize_train (start, X, Y, settings{:});
%! before = nn_evaluate (start, X, Y);
%! after = nn_evaluate (q, X, Y);
%! assert (after.loss < 0.6 * before.loss);
%! check_on_grid (q);
%! before = start.layers{1}.quantization.weights.scale;
%! assert (any (q.layers{1}.quantization.weights.scale ~= before));
%! assert (numel (q.layers), 4);
%!test % scales that are too large shrink, and the loss with them
%! start = nn_quantize (nn_fold (model), 3);
%! for k = [1 3]
%!   layer = start.layers{k};
%!   layer.quantization.weights.scale = 4 * layer.quantization.weights.scale;
%!   layer.weights = octcompress.quant.snap_to_grid (layer.weights, layer.quantization.weights);
%!   start.layers{k} = layer;
%! end
%! settings = {'optimizer', 'adam', 'learning_rate', 0.01, 'epochs', 10, 'verbose', false};
%! q = nn_quantize_train (start, X, Y, settings{:});
%! for k = [1 3]
%!   assert (q.layers{k}.quantization.weights.scale < start.layers{k}.quantization.weights.scale);
%! end
%! learned = nn_evaluate (q, X, Y);
%! fixed = nn_evaluate (nn_quantize_train (start, X, Y, settings{:}, 'learn_scales', false), X, Y);
%! assert (learned.loss < fixed.loss);
%!test % by itself: folds, quantizes, trains
%! [q, info] = nn_quantize_train (model, X, Y, 'epochs', 2, 'verbose', false);
%! assert (q.layers{1}.quantization.weights.bits, 4);
%! assert (numel (info.quantized.layers), 2);
%! check_on_grid (q);
%!test % codebooks and pruned zeros are kept, entries move
%! pruned = nn_prune (nn_fold (model), 'sparsity', 0.5);
%! start = nn_quantize (pruned, 2, 'scheme', 'codebook');
%! for optimizer = {'sgd', 'adam'}
%!   q = nn_quantize_train (start, X, Y, 'optimizer', optimizer{1}, 'learning_rate', 0.01, ...
%!                          'epochs', 10, 'verbose', false);
%!   check_on_grid (q);
%!   assert (q.layers{1}.weights == 0, pruned.layers{1}.weights == 0);
%!   assert (numel (unique (q.layers{1}.weights)) <= 5);
%!   assert (~isequal (q.layers{1}.quantization.weights.codebook, ...
%!                     start.layers{1}.quantization.weights.codebook));
%!   a = nn_evaluate (start, X, Y);
%!   b = nn_evaluate (q, X, Y);
%!   assert (b.loss < a.loss);
%! end
%!test % one bit: learned steps do not shrink away
%! start = nn_quantize (nn_fold (model), 1, 'granularity', 'channel');
%! settings = {'optimizer', 'adam', 'learning_rate', 0.01, 'epochs', 20, 'batch_size', 32, ...
%!             'verbose', false};
%! learned = nn_evaluate (nn_quantize_train (start, X, Y, settings{:}), X, Y);
%! fixed = nn_evaluate (nn_quantize_train (start, X, Y, settings{:}, 'learn_scales', false), X, Y);
%! assert (learned.loss < fixed.loss);
%!test % scales alone stay where that is asked for
%! start = nn_quantize (nn_fold (model), 2);
%! q = nn_quantize_train (start, X, Y, 'epochs', 1, 'learn_scales', false, 'verbose', false);
%! assert (q.layers{1}.quantization.weights, start.layers{1}.quantization.weights);
%!test % the published rule, one step by hand; codebooks by the sum
%! start = nn_quantize (nn_fold (model), 3);
%! Y = mod (Y, 3) + 1;   % all wrong, for large gradients
%! latent = start.layers{1}.weights;
%! settings = {'batch_size', 400, 'momentum', 0, 'learning_rate', 0.1, 'verbose', false, ...
%!             'learn_after', 1, 'scale_rule', 'gradient'};
%! one = nn_quantize_train (start, X, Y, settings{:}, 'epochs', 1);
%! two = nn_quantize_train (start, X, Y, settings{:}, 'epochs', 2);
%! w = one.layers{1}.weights;
%! h = max (w * X + one.layers{1}.bias, 0);
%! [~, d] = octcompress.train.cross_entropy (one.layers{3}.weights * h + one.layers{3}.bias, Y);
%! by_w = ((one.layers{3}.weights' * d) .* (h > 0)) * X';
%! [~, d] = octcompress.train.cross_entropy (start.layers{3}.weights ...
%!            * max (latent * X + start.layers{1}.bias, 0) + start.layers{3}.bias, Y);
%! before = latent - 0.1 * ((start.layers{3}.weights' * d) ...
%!                          .* (latent * X + start.layers{1}.bias > 0)) * X';
%! s = start.layers{1}.quantization.weights.scale;
%! v = min (max (before, -6 * s), 6 * s) / s;
%! slope = min (max (round (v), -3), 3);
%! inside = abs (round (v)) <= 3;
%! slope(inside) = slope(inside) - v(inside);
%! expected = s - 0.1 * sum (by_w(:) .* slope(:)) / sqrt (numel (w) * 3);
%! assert (two.layers{1}.quantization.weights.scale, expected, -1e-4);
%! assert (abs (two.layers{1}.quantization.weights.scale - s) > 1e-5 * s);
%! book = nn_quantize (nn_fold (model), 2, 'scheme', 'codebook');
%! q = nn_quantize_train (book, X, Y, settings{:}, 'epochs', 5, 'learning_rate', 0.01);
%! check_on_grid (q);
%! after = nn_evaluate (q, X, Y);
%! before = nn_evaluate (book, X, Y);
%! assert (after.loss < before.loss);
%!test % batch normalisations left and frozen
%! settings = {'epochs', 1, 'verbose', false, 'fold', false, 'quantize', struct('bits', 8)};
%! q = nn_quantize_train (model, X, Y, settings{:}, 'freeze', true);
%! assert (q.layers{2}.mean, model.layers{2}.mean);
%! assert (~isequal (q.layers{2}.scale, model.layers{2}.scale));
%! assert (~isfield (q.layers{2}, 'frozen'));
%! q = nn_quantize_train (model, X, Y, settings{:});
%! assert (~isequal (q.layers{2}.mean, model.layers{2}.mean));
%!test % static activations in training
%! q = nn_quantize_train (model, X, Y, 'epochs', 1, 'verbose', false, 'quantize', ...
%!                        struct ('bits', 8, 'activations', 'static'));
%! assert (isfield (q.quantization, 'input'));
%! a = nn_predict (q, X);
%! b = nn_predict (q, X, 'arithmetic', 'integer');
%! assert (mean (abs (a(:) - b(:))) < 0.01);
%!error <nn_quantize_train: SCALE_RULE must be one of 'step', 'gradient', but is 'sum'> nn_quantize_train (model, X, Y, 'scale_rule', 'sum')
%!error <nn_quantize_train: LEARN_SCALES must be true or false, but is 3> nn_quantize_train (model, X, Y, 'learn_scales', 3)
