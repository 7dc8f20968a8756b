function scores = score_tensors (caller, model, tensors, arrays, shapes, options)
%SCORE_TENSORS  A score for every weight of several tensors; the least are pruned first.
%
%   scores = octcompress.prune.score_tensors (caller, model, tensors, arrays, shapes, options)
%
%   model    a tidy network; anything for a criterion that needs the weights alone
%   tensors  cell, of octcompress.model.tensors
%   arrays   cell, their weights
%   shapes   cell, of octcompress.prune.matrix_shape
%   options  of nn_prune: criterion, norm, data, labels, before, batch_size, seed
%   scores   cell of arrays, each of its weights' size. Where a criterion judges whole filters
%            (batchnorm, fpgm), all weights of a filter have its score
%
%   Errors: octcompress:CALLER:badScore, :badLayer, and those of the data.
%
%   See also nn_prune.

  count = numel (arrays);
  criterion = options.criterion;
  if isa (criterion, 'function_handle')
    scores = cell (1, count);
    for k = 1:count
      scores{k} = users_score (caller, criterion, model, tensors{k}, arrays{k});
    end
    return
  end
  switch criterion
    case 'magnitude'
      scores = cellfun (@(w) octcompress.prune.magnitude_score (w, options.norm), arrays, ...
                        'UniformOutput', false);
    case 'random'
      scores = cell (1, count);
      for k = 1:count
        scores{k} = octcompress.prune.random_score (size (arrays{k}), options.seed + k - 1);
      end
    case 'taylor'
      scores = octcompress.prune.loss_gradients (caller, model, options.data, options.labels, ...
                                                 tensors, ...
                                                 @octcompress.prune.taylor_score, ...
                                                 options.batch_size);
    case 'movement'
      if isempty (options.before)
        against = @(w, gradient) octcompress.prune.movement_score (w, -gradient);
        scores = octcompress.prune.loss_gradients (caller, model, options.data, options.labels, ...
                                                   tensors, ...
                                                   against, options.batch_size);
      else
        scores = cell (1, count);
        for k = 1:count
          scores{k} = octcompress.prune.movement_score (arrays{k}, ...
                arrays{k} - old_weights (caller, options.before, tensors{k}, arrays{k}));
        end
      end
    case 'obd'
      scores = octcompress.prune.loss_curvature (caller, model, options.data, tensors, ...
                                                 min (options.batch_size, 16), options.seed);
      for k = 1:count
        scores{k} = octcompress.prune.obd_score (double (arrays{k}), scores{k});
      end
    case 'fpgm'
      scores = cell (1, count);
      for k = 1:count
        w = octcompress.prune.to_matrix (arrays{k}, shapes{k});
        scores{k} = over_rows (octcompress.prune.fpgm_score (w), w, shapes{k}, size (arrays{k}));
      end
    case 'batchnorm'
      scores = cell (1, count);
      plan = octcompress.model.plan (caller, model);
      for k = 1:count
        w = octcompress.prune.to_matrix (arrays{k}, shapes{k});
        scale = batchnorm_scale (caller, model, plan, tensors{k});
        scores{k} = over_rows (double (abs (scale)), w, shapes{k}, size (arrays{k}));
      end
    case 'wanda'
      scores = cell (1, count);
      for k = 1:count
        stats = octcompress.model.input_gram (caller, model, options.data, tensors{k}.layer, ...
                                              options.batch_size);
        scores{k} = wanda_of (arrays{k}, stats, shapes{k});
      end
  end
end

function score = users_score (caller, f, model, tensor, w)
  if nargin (f) == 1
    score = f (w);
  elseif tensor.layer > 0
    score = f (w, model.layers{tensor.layer});
  else
    score = f (w, struct ());
  end
  if ~isfloat (score) || ~isreal (score) || ~isequal (size (score), size (w)) ...
        || any (isnan (score(:)))
    octcompress.internal.fail (caller, 'badScore', ...
      ['CRITERION must give a real array of the size of the weights of ''%s'' without NaN, but ' ...
       'gave %s'], ...
      tensor.name, octcompress.internal.describe (score));
  end
end

function old = old_weights (caller, before, tensor, w)
  found = {};
  if octcompress.model.is_network (before)
    before = octcompress.model.tidy (caller, before);
    found = octcompress.model.tensors (before);
    found = found(cellfun (@(t) strcmp (t.name, tensor.name), found));
  end
  if ~isempty (found)
    old = subsref (before, found{1}.path);
  end
  if isempty (found) || ~isequal (size (old), size (w))
    octcompress.internal.fail (caller, 'badValue', ...
      'BEFORE must be the same network before its training, but has no %s of the same size', ...
      tensor.name);
  end
end

function score = over_rows (values, w, shape, sizes)
  score = octcompress.prune.from_matrix (repmat (values, 1, size (w, 2)), shape, sizes);
end

function scale = batchnorm_scale (caller, model, plan, tensor)
  readers = find (cellfun (@(reads) any (reads == tensor.layer), plan.inputs));
  readers = readers(cellfun (@(k) strcmp (model.layers{k}.type, 'batchnorm'), num2cell (readers)));
  if isempty (readers)
    octcompress.internal.fail (caller, 'badLayer', ...
      ['the criterion ''batchnorm'' needs a batchnorm layer after ''%s''; name the layers that ' ...
       'have one in LAYERS'], ...
      tensor.owner);
  end
  scale = model.layers{readers(1)}.scale;
end

function score = wanda_of (w, stats, shape)
  matrix = double (octcompress.prune.to_matrix (w, shape));
  norms = zeros (size (matrix));
  each = shape.rows / shape.parts;
  for g = 1:shape.parts
    rows = (g - 1) * each + (1:each);
    norms(rows, :) = repmat (sqrt (diag (stats.gram(:, :, g)))', each, 1);
  end
  score = octcompress.prune.from_matrix (octcompress.prune.wanda_score (matrix, norms), shape, ...
                                         size (w));
end

%!shared model, X, Y, options, tensors, arrays, shapes
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 -2; 0.5 1; -1 1], 'bias', ...
%!                        [0; 0.1; 0.2]), ...
%!                 struct('type', 'batchnorm', 'name', 'n', 'scale', [2; -3; 1], 'offset', ...
%!                        zeros (3, 1), 'mean', zeros (3, 1), 'variance', ones (3, 1))};
%! model = octcompress.model.tidy ('f', model);
%! X = [1 2 3 0.5; 0 1 -1 2];
%! Y = [1 2 3 1];
%! options = struct ('criterion', '', 'norm', 'l1', 'data', X, 'labels', Y, 'before', [], ...
%!                   'batch_size', 2, 'seed', 3);
%! tensors = octcompress.model.tensors (model);
%! arrays = {model.layers{1}.weights};
%! shapes = {octcompress.prune.matrix_shape(arrays{1}, model.layers{1})};
%!function s = one (criterion, model, tensors, arrays, shapes, options)
%!  options.criterion = criterion;
%!  s = octcompress.prune.score_tensors ('f', model, tensors, arrays, shapes, options);
%!  s = s{1};
%!endfunction
%!assert (one ('magnitude', model, tensors, arrays, shapes, options), [1 2; 0.5 1; 1 1])
%!assert (one ('batchnorm', model, tensors, arrays, shapes, options), [2 2; 3 3; 1 1])
%!assert (one ('wanda', model, tensors, arrays, shapes, options), ...
%!        abs (arrays{1}) .* sqrt ([14.25, 6]), 1e-12)
%!assert (one ('random', model, tensors, arrays, shapes, options), ...
%!        octcompress.prune.random_score ([3 2], 3))
%!assert (one (@(w) w + 5, model, tensors, arrays, shapes, options), arrays{1} + 5)
%!assert (one (@(w, layer) w * numel (layer.bias), model, tensors, arrays, shapes, options), ...
%!        arrays{1} * 3)
%!test % fpgm: one score a filter
%! s = one ('fpgm', model, tensors, arrays, shapes, options);
%! assert (s, repmat (octcompress.prune.fpgm_score (arrays{1}), 1, 2));
%!test % taylor, movement and obd have the size of the weights
%! for c = {'taylor', 'movement', 'obd'}
%!   s = one (c{1}, model, tensors, arrays, shapes, options);
%!   assert (size (s), [3 2]);
%!   assert (any (s(:) ~= 0));
%! end
%!test % movement from before a training
%! options.before = model;
%! options.before.layers{1}.weights = zeros (3, 2);
%! assert (one ('movement', model, tensors, arrays, shapes, options), arrays{1} .^ 2);
%!error <f: CRITERION must give a real array of the size of the weights of 'a.weights' without NaN, but gave 1> one (@(w) 1, model, tensors, arrays, shapes, options)
