function stats = input_gram (caller, model, x, k, batch_size, reference)
%INPUT_GRAM  Sums of products of a layer's inputs over calibration data: the layer's Hessian.
%
%   stats = octcompress.model.input_gram (caller, model, x, k)
%   stats = octcompress.model.input_gram (caller, model, x, k, batch_size)
%   stats = octcompress.model.input_gram (caller, model, x, k, batch_size, reference)
%
%   model       a tidy network
%   x           calibration inputs, as nn_predict takes them; batch_size (256) at a time
%   k           number of a dense or conv2d layer
%   reference   a second tidy network with the same layers: the original of a compressed MODEL
%   stats       with u the layer's unrolled inputs (octcompress.model.unrolled_inputs), d rows:
%     gram      d x d x groups double, the sum of u * u'. The Hessian of the squared error of the
%               layer's outputs is twice that [1].
%     total     d x groups double, the sum of u
%     count     number of columns of u: observations times positions
%     cross     with REFERENCE: d x d x groups, the sum of u_reference * u'
%     total_reference  with REFERENCE: d x groups
%
%   Only one batch's activations are held at a time.
%
%   Errors: octcompress:CALLER:badInput, :notFinite, :badLayer (another layer type).
%
%   [1] Hassibi et al., Optimal brain surgeon and general network pruning, ICNN 1993.
%
%   See also octcompress.model.weights_matrix, octcompress.prune.obs_order.

  if nargin < 5 || isempty (batch_size)
    batch_size = 256;
  end
  two = nargin > 5;
  layer = model.layers{k};
  if ~any (strcmp (layer.type, {'dense', 'conv2d'}))
    octcompress.internal.fail (caller, 'badLayer', ...
      ['layer %d (''%s'') is of type %s, but only dense and conv2d layers have an input ' ...
       'Hessian; leave it out with LAYERS'], ...
      k, layer.name, layer.type);
  end
  plan = octcompress.model.plan (caller, model);
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  if isempty (ranges)
    octcompress.internal.fail (caller, 'badInput', 'DATA must hold at least one observation');
  end
  stats = struct ('gram', 0, 'total', 0, 'count', 0);
  if two
    stats.cross = 0;
    stats.total_reference = 0;
  end
  for b = 1:size (ranges, 1)
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    u = octcompress.model.unrolled_inputs (layer, octcompress.model.layer_inputs (plan, ...
          model.layers, batch, k));
    gram = products (u, u);
    stats.gram = stats.gram + gram;
    stats.total = stats.total + totals (u);
    stats.count = stats.count + size (u, 2);
    if two
      r = octcompress.model.unrolled_inputs (layer, octcompress.model.layer_inputs (plan, ...
            reference.layers, batch, k));
      if isequal (r, u)   % no layer before has changed
        stats.cross = stats.cross + gram;
      else
        stats.cross = stats.cross + products (r, u);
      end
      stats.total_reference = stats.total_reference + totals (r);
    end
  end
  if ~all (isfinite (stats.gram(:)))
    octcompress.internal.fail (caller, 'notFinite', ...
      'the input of layer ''%s'' is not finite on DATA; scale the inputs as in training', ...
      layer.name);
  end
end

function g = products (a, b)
  g = zeros (size (a, 1), size (a, 1), size (a, 3));
  for i = 1:size (a, 3)
    g(:, :, i) = double (a(:, :, i) * b(:, :, i)');
  end
end

function t = totals (u)
  t = reshape (sum (u, 2, 'double'), size (u, 1), size (u, 3));
end

%!shared model, X
%! model.layers = {struct('type', 'dense', 'weights', single ([1 2; 3 -4])), ...
%!                 struct('type', 'relu', 'name', 'r'), struct('type', 'dense', 'weights', ...
%!                                                             single ([1 1]))};
%! model = octcompress.model.tidy ('f', model);
%! X = single ([1 2 3; 1 0 -1]);
%!test % batches add up
%! s = octcompress.model.input_gram ('f', model, X, 3, 2);
%! u = double (max ([1 2; 3 -4] * X, 0));
%! assert (s, struct ('gram', u * u', 'total', sum (u, 2), 'count', 3), 1e-6);
%!test % beside another network
%! other = model;
%! other.layers{1}.weights = single ([1 0; 0 1]);
%! s = octcompress.model.input_gram ('f', other, X, 3, 2, model);
%! u = double (max (X, 0));
%! r = double (max ([1 2; 3 -4] * X, 0));
%! assert (s.cross, r * u', 1e-6);
%! assert (s.total_reference, sum (r, 2), 1e-6);
%!error <f: layer 2 \('r'\) is of type relu, but only dense and conv2d> octcompress.model.input_gram ('f', model, X, 2)
%!error <f: DATA must hold at least one observation> octcompress.model.input_gram ('f', model, X(:, []), 1)
