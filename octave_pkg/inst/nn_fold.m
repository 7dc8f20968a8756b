function [model, info] = nn_fold (model)
%NN_FOLD  Fold batch normalisations into the layers before them.
%
%   [model, info] = nn_fold (model)
%
%   model  a network (docs/model-format.md)
%
%   A batchnorm or scale layer that alone reads a dense, conv2d or transposedconv2d layer computes
%   a * y + c for each channel, a = scale / sqrt (variance + epsilon), c = offset - a * mean: the
%   weights and the bias before it are multiplied by a, c is added to the bias, and the layer goes
%   [1]. Predictions stay the same up to rounding; zeros of pruning stay zeros. Runtimes do this
%   before they quantize, so do it before nn_quantize and nn_calibrate.
%
%   info.folded  cellstr, the layers that went
%   info.kept    cellstr, batchnorm and scale layers that have nothing to go into
%
%   Errors: octcompress:nn_fold:notModel, :quantized (names the layer).
%
%   [1] Jacob et al., Quantization and training of neural networks, CVPR 2018, arXiv:1712.05877,
%       section 3.2.
%
%   See also nn_quantize, nn_equalize.

  model = octcompress.model.tidy ('nn_fold', model);
  plan = octcompress.model.plan ('nn_fold', model);
  info = struct ('folded', {{}}, 'kept', {{}});
  count = numel (model.layers);
  names = cellfun (@(layer) layer.name, model.layers, 'UniformOutput', false);
  readers = zeros (1, count);
  for k = 1:count
    for source = plan.inputs{k}(plan.inputs{k} > 0)
      readers(source) = readers(source) + 1;
    end
  end
  stands_for = 1:count;   % the layer whose output has taken the place of this one's
  for k = 1:count
    layer = model.layers{k};
    if ~any (strcmp (layer.type, {'batchnorm', 'scale'}))
      continue
    end
    source = plan.inputs{k};
    target = 0;
    if isscalar (source) && source > 0
      target = stands_for(source);
    end
    if target == 0 || readers(source) > 1 || any (plan.outputs == source) ...
       || ~any (strcmp (model.layers{target}.type, {'dense', 'conv2d', 'transposedconv2d'}))
      info.kept{end + 1} = layer.name;
      continue
    end
    model.layers{target} = folded (model.layers{target}, layer);
    stands_for(k) = target;
    info.folded{end + 1} = layer.name;
  end

  gone = stands_for ~= 1:count;
  for k = find (~gone)
    reads = plan.inputs{k};
    moved = reads;
    moved(reads > 0) = stands_for(reads(reads > 0));
    before = find (~gone(1:k-1), 1, 'last');
    if isempty (before)
      before = 0;
    end
    if ~isequal (moved, before) && (~isequal (moved, reads) || ~isfield (model.layers{k}, 'inputs'))
      all_names = [{'input'}, names];
      model.layers{k}.inputs = all_names(moved + 1);
    elseif isfield (model.layers{k}, 'inputs') && ~isequal (moved, reads)
      model.layers{k} = rmfield (model.layers{k}, 'inputs');
    end
  end
  outputs = stands_for(plan.outputs);
  if (isfield (model, 'outputs') && ~isempty (model.outputs)) || ~issorted (outputs)
    model.outputs = names(outputs);   % in the order that they had
  end
  model.layers = model.layers(~gone);
end

function layer = folded (layer, norm)
  refuse (layer, 'weights', 'the weights of layer ''%s'' are', norm);
  refuse (layer, 'output', 'the output of layer ''%s'' is', norm);
  refuse (norm, 'output', 'the output of layer ''%s'' is', norm);
  layer = octcompress.layers.with_norm (layer, norm);
end

function refuse (layer, field, text, norm)
  if isfield (layer, 'quantization') && isfield (layer.quantization, field)
    octcompress.internal.fail ('nn_fold', 'quantized', ...
      [text ' quantized; fold ''%s'' before nn_quantize'], layer.name, norm.name);
  end
end

%!shared model, X
%! rand ('twister', 3);
%! r = @(varargin) single (rand (varargin{:}) - 0.3);
%! bn = @(name, n) struct ('type', 'batchnorm', 'name', name, 'scale', r (n, 1), 'offset', ...
%!                         r (n, 1), 'mean', r (n, 1), 'variance', r (n, 1) + 0.5);
%! model.input_size = [6 5 2];
%! model.layers = {struct('type', 'conv2d', 'name', 'c', 'weights', r (3, 3, 2, 4), 'padding', ...
%!                        'same'), bn('b', 4), struct('type', 'relu', 'name', 'r'), ...
%!   struct('type', 'transposedconv2d', 'name', 't', 'weights', r (2, 2, 3, 4), 'weights_size', ...
%!          [2 2 3 4], 'stride', 2, 'bias', r (3, 1)), bn('bt', 3), ...
%!   struct('type', 'flatten', 'name', 'f'), struct('type', 'dense', 'name', 'd', 'weights', ...
%!         r (3, 360), 'bias', r (3, 1)), bn('bd', 3), struct('type', 'scale', 'name', 's', ...
%!               'scale', r (3, 1), 'offset', r (3, 1))};
%! X = r (6, 5, 2, 7);
%!test % the same predictions with fewer layers
%! [q, info] = nn_fold (model);
%! assert (info.folded, {'b', 'bt', 'bd', 's'});
%! assert (numel (q.layers), 5);
%! assert (nn_predict (q, X), nn_predict (model, X), 1e-4);
%! assert (nn_fold (q), q);
%!test % read by others too: kept; named inputs follow
%! m = model;
%! m.layers = [model.layers(1:3), {struct('type', 'add', 'name', 'a', 'inputs', {{'b', 'r'}})}];
%! q = nn_fold (m);
%! assert (q.layers{end}.inputs, {'c', 'r'});
%! assert (nn_predict (q, X), nn_predict (m, X), 1e-5);
%! m.layers{4}.inputs = {'c', 'r'};
%! [q, info] = nn_fold (m);
%! assert (info.kept, {'b'});
%! assert (nn_predict (q, X), nn_predict (m, X));
%!test % the output named, and normalised first
%! first = struct ('type', 'batchnorm', 'name', 'b0', 'scale', [2; 1], 'offset', [0; 1], ...
%!                 'mean', [0; 1], 'variance', [1; 2]);
%! m = struct ('input_size', [6 5 2], 'layers', {[{first}, model.layers(1:2)]}, 'outputs', {{'b'}});
%! [q, info] = nn_fold (m);
%! assert (info.kept, {'b0'});
%! assert (q.outputs, {'c'});
%! assert (nn_predict (q, X), nn_predict (m, X), 1e-5);
%!test % outputs that nobody named keep their order
%! m = model;
%! m.layers = [model.layers(1), {struct('type', 'relu', 'name', 'o', 'inputs', {{'input'}})}, ...
%!             model.layers(2)];
%! m.layers{3}.inputs = {'c'};
%! q = nn_fold (m);
%! assert (q.outputs, {'o', 'c'});
%! assert (nn_predict (q, X), nn_predict (m, X), 1e-5);
%!test % a grid on an output is for the numbers before or behind the normalisation
%! for k = 1:2
%!   m = model;
%!   m.layers{k}.quantization.output = octcompress.quant.choose_grid (X, 4);
%!   try
%!     nn_fold (m);
%!     error ('no error');
%!   catch e
%!     assert (e.identifier, 'octcompress:nn_fold:quantized');
%!   end
%! end
%!test % pruned zeros stay
%! p = nn_prune (model, 'sparsity', 0.5);
%! q = nn_fold (p);
%! assert (q.layers{1}.weights == 0, p.layers{1}.weights == 0);
%!test % then the integers can be computed
%! q = nn_quantize (nn_fold (model), 8, 'granularity', 'channel', 'data', X);
%! y = nn_predict (q, X);
%! assert (nn_predict (q, X, 'arithmetic', 'integer'), y, 0.03 * max (abs (y(:))));
%!error <nn_fold: the weights of layer 'c' are quantized; fold 'b' before> nn_fold (nn_quantize (model, 8))
