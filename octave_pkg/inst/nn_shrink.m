function [model, info] = nn_shrink (model, varargin)
%NN_SHRINK  Make a pruned network really smaller: remove its dead filters and neurons.
%
%   [model, info] = nn_shrink (model)
%   [model, info] = nn_shrink (model, 'sort', true)
%
%   model  a network (docs/model-format.md), pruned by nn_prune with the structure 'filter',
%          'neuron', 'row', 'channel' or 'column', or in any other way
%
%   Options, as name-value pairs or a struct:
%     sort (false)  true: units with many weights, their own and those that read them, come first; a
%                   coded file gets 1 or 2% smaller (octcompress.prune.sort_units)
%
%   info.parameters  [before after], all trained numbers
%   info.macs        [before after], multiply-accumulates of one observation
%   info.layers      cell of structs, one for each layer with weights: layer, before, after (the
%                    sizes of its weights)
%
%   What is removed: filters and neurons whose weights are all zero, and those that nothing reads;
%   with them the columns, channels, batch norm entries and depthwise filters that belong to them,
%   over chains, residual adds, concats and flatten layers. A removed unit may give a constant that
%   is not zero (by its bias or by batch norm): that is added to the biases of the layers that read
%   it, so the outputs agree to rounding. Where a padded convolution reads it this is impossible at
%   the border, and the unit stays. The network's inputs and outputs keep their sizes.
%
%   The result is an ordinary network: it is saved, trained, quantized and exported like any other.
%   Promises of pruning and quantization are kept for what remains.
%
%   Errors: octcompress:nn_shrink:notModel, :badLayer, :badSize, :badValue, :unknownOption.
%
%   Example:
%     model = nn_prune (model, 'sparsity', 0.5, 'structure', 'row');
%     [small, info] = nn_shrink (model);
%
%   See also nn_prune, octcompress.prune.shrink.

  options = octcompress.internal.parse_options ('nn_shrink', struct ('sort', false), varargin);
  octcompress.internal.check ('nn_shrink', 'sort', options.sort, 'flag');
  model = octcompress.model.tidy ('nn_shrink', model);
  before = model;
  model = octcompress.prune.shrink ('nn_shrink', model);
  if options.sort
    model = octcompress.prune.sort_units ('nn_shrink', model);
  end
  plans = {octcompress.model.plan('nn_shrink', before), octcompress.model.plan('nn_shrink', model)};
  info = struct ('parameters', [parameters(before), parameters(model)], ...
                 'macs', [sum(plans{1}.macs), sum(plans{2}.macs)], 'layers', {{}});
  for k = 1:numel (model.layers)
    if isfield (model.layers{k}, 'weights')
      info.layers{end + 1} = struct ('layer', model.layers{k}.name, 'before', ...
                                     before.layers{k}.weights_size, ...
                                     'after', model.layers{k}.weights_size);
    end
  end
end

function count = parameters (model)
  count = 0;
  for k = 1:numel (model.layers)
    entry = octcompress.layers.types (model.layers{k}.type);
    for field = entry.trained
      if isfield (model.layers{k}, field{1})
        count = count + numel (model.layers{k}.(field{1}));
      end
    end
  end
end

%!shared dense, conv, norm, X
%! dense = @(name, w, b) struct ('type', 'dense', 'name', name, 'weights', single (w), 'bias', ...
%!                               single (b));
%! conv = @(name, w, b, padding) struct ('type', 'conv2d', 'name', name, 'weights', single (w), ...
%!       'weights_size', [size(w, 1) size(w, 2) size(w, 3) size(w, 4)], 'bias', single (b), ...
%!       'padding', padding);
%! norm = @(name, c) struct ('type', 'batchnorm', 'name', name, 'scale', single ((1:c)' / c), ...
%!       'offset', single (0.3 * (1:c)' - 0.5), 'mean', single (0.1 * (1:c)'), 'variance', ...
%!       single ((1:c)'));
%! X = single (reshape (sin ((1:8*7*2*5) .^ 2), 8, 7, 2, 5));
%!function w = some (varargin)
%!  w = reshape (sin ((1:prod ([varargin{:}])) * 1.3), varargin{:});
%!endfunction
%!function small = same_outputs (model, X)
%!  small = nn_shrink (model);
%!  assert (nn_predict (small, X), nn_predict (model, X), 1e-5);
%!endfunction
%!test % a chain of dense layers: a dead row's constant goes into the next bias
%! model.layers = {dense('a', [1 2; 0 0; 3 4], [1; 2; -1]), struct('type', 'relu'), ...
%!                 dense('b', [1 5 2; 3 7 1], [0; 0])};
%! [small, info] = nn_shrink (model);
%! assert (small.layers{1}.weights, single ([1 2; 3 4]));
%! assert (small.layers{3}.weights, single ([1 2; 3 1]));
%! assert (small.layers{3}.bias, single ([10; 14]));
%! assert (info.parameters, [17, 12]);
%! assert (info.macs, [12, 8]);
%! assert (info.layers{1}.after, [2 2]);
%!test % unread units go, and what only they read
%! model.layers = {dense('a', some (4, 3), zeros (4, 1)), ...
%!                 dense('b', [1 0 0 0; 0 1 0 0; 1 1 1 1], [1; 2; 3]), dense('c', [1 2 0], 0)};
%! small = same_outputs (model, single (some (3, 4)));
%! assert (small.layers{1}.weights_size, [2 3]);
%! assert (small.layers{2}.weights_size, [2 2]);
%!test % all dead: one stays
%! model.layers = {dense('a', zeros (3, 2), [1; 2; 3]), struct('type', 'relu'), ...
%!                 dense('b', [1 5 2], 0)};
%! small = same_outputs (model, single (some (2, 4)));
%! assert (small.layers{1}.weights_size, [1 2]);
%!test % convolutions, batch norm, pooling, flatten
%! for order = {'hwc', 'chw', 'keras'}
%!   w = some (3, 3, 2, 6);
%!   w(:, :, :, [2 5]) = 0;
%!   v = some (2, 2, 6, 4);
%!   v(:, :, :, 3) = 0;
%!   model = struct ('input_size', [8 7 2], 'layers', {{conv('a', w, some (6, 1), 0), ...
%!                                                      norm('n', 6), struct('type', 'relu'), ...
%!     conv('b', v, some (4, 1), 0), struct('type', 'sigmoid'), ...
%!     struct('type', 'maxpool', 'pool_size', 2), ...
%!     struct('type', 'flatten', 'order', order{1}), dense('c', some (3, 16), zeros (3, 1))}});
%!   small = same_outputs (model, X);
%!   assert (small.layers{1}.weights_size, [3 3 2 4]);
%!   assert (size (small.layers{2}.variance), [4 1]);
%!   assert (small.layers{4}.weights_size, [2 2 4 3]);
%!   assert (small.layers{8}.weights_size, [3 12]);
%! end
%!test % a padded convolution: zeros go, other constants stay
%! w = some (3, 3, 2, 4);
%! w(:, :, :, [2 3]) = 0;
%! model = struct ('input_size', [8 7 2], 'layers', {{conv('a', w, [1; -1; 1; 1], 0), ...
%!       struct('type', 'relu'), conv('b', some (3, 3, 4, 2), [0; 0], 'same')}});
%! small = same_outputs (model, X);
%! assert (small.layers{1}.weights_size, [3 3 2 3]);
%!test % a residual add: only what is dead in all branches
%! w = some (3, 3, 2, 4);
%! w(:, :, :, [1 2]) = 0;
%! v = some (3, 3, 4, 4);
%! v(:, :, :, [2 3]) = 0;
%! model = struct ('input_size', [8 7 2], 'layers', {{conv('a', w, zeros (4, 1), 'same'), ...
%!                                                    struct('type', 'relu', 'name', 'r'), ...
%!   conv('b', v, zeros (4, 1), 'same'), struct('type', 'add', 'name', 's', 'inputs', ...
%!                                              {{'r', 'b'}}), ...
%!   struct('type', 'globalaveragepool'), struct('type', 'flatten'), ...
%!   dense('c', some (3, 4), zeros (3, 1))}});
%! small = same_outputs (model, X);
%! assert (small.layers{1}.weights_size, [3 3 2 3]);
%! assert (small.layers{3}.weights_size, [3 3 3 3]);
%! assert (small.layers{7}.weights_size, [3 3]);
%!test % concat and depthwise
%! w = some (3, 3, 2, 4);
%! w(:, :, :, 2) = 0;
%! v = some (1, 1, 2, 3);
%! v(:, :, :, 1) = 0;
%! deep = conv ('d', some (3, 3, 1, 7), some (7, 1), 0);
%! deep.groups = 7;
%! model = struct ('input_size', [8 7 2], 'layers', {{conv('a', w, zeros (4, 1), 'same'), ...
%!   setfield(conv ('b', v, [0.5; 0; 0], 0), 'inputs', {'input'}), ...
%!   struct('type', 'concat', 'name', 'k', 'inputs', {{'a', 'b'}}), ...
%!   deep, struct('type', 'relu'), conv('e', some (2, 2, 7, 2), zeros (2, 1), 0)}});
%! small = same_outputs (model, X);
%! assert ({small.layers{1}.weights_size, small.layers{2}.weights_size}, {[3 3 2 3], [1 1 2 2]});
%! assert ({small.layers{4}.weights_size, small.layers{4}.groups}, {[3 3 1 5], 5});
%!test % transposed convolution
%! w = some (3, 3, 2, 4);
%! w(:, :, :, 2) = 0;
%! t = struct ('type', 'transposedconv2d', 'name', 't', 'weights', single (some (2, 2, 3, 4)), ...
%!             'weights_size', [2 2 3 4], 'bias', zeros (3, 1, 'single'), 'stride', 2);
%! t.weights(:, :, 1, :) = 0;
%! model = struct ('input_size', [8 7 2], 'layers', {{conv('a', w, zeros (4, 1), 0), t, ...
%!       conv('e', some (2, 2, 3, 2), zeros (2, 1), 0)}});
%! small = same_outputs (model, X);
%! assert (small.layers{2}.weights_size, [2 2 2 3]);
%!test % promises of what remains; softmax at the end; nothing to do the second time
%! model.layers = {dense('a', [1 2; 0 0; 3 0], [1; 2; -1]), struct('type', 'relu'), ...
%!                 dense('b', [1 5 2; 3 7 1], [0; 0]), struct('type', 'softmax')};
%! model = nn_quantize (nn_prune (model, 'threshold', 0), 8, 'granularity', 'channel');
%! small = same_outputs (model, single (some (2, 4)));
%! assert (size (small.layers{1}.quantization.weights.scale), [2 1]);
%! assert (small.layers{1}.pruning.weights.zeros, 1);
%! assert (nn_shrink (small), small);
%!test % trains and keeps its outputs' size
%! model.layers = {dense('a', [1 2; 0 0; 3 0], [1; 2; -1]), struct('type', 'relu'), ...
%!                 dense('b', [1 5 2; 3 7 1], [0; 0])};
%! small = nn_train (nn_shrink (model), single (some (2, 8)), [1 2 1 2 1 2 1 2], 'epochs', 1, ...
%!                   'verbose', false);
%! assert (size (nn_predict (small, single ([1; 1]))), [2 1]);
%!test % sorted units: the same outputs, a smaller file
%! rand ('twister', 4);
%! sparse = @(m, n) single ((rand (m, n) - 0.5) .* (rand (m, n) < rand (m, 1) .* rand (1, n)));
%! model.layers = {dense('a', sparse (60, 40), zeros (60, 1)), struct('type', 'relu'), ...
%!                 dense('b', sparse (50, 60), zeros (50, 1)), struct('type', 'relu'), ...
%!                 dense('c', sparse (5, 50), zeros (5, 1))};
%! small = nn_quantize (nn_shrink (model), 3);
%! sorted = nn_shrink (small, 'sort', true);
%! x = single (some (40, 9));
%! assert (nn_predict (sorted, x), nn_predict (small, x), 1e-5);
%! [~, before] = nn_pack (small);
%! [~, after] = nn_pack (sorted);
%! assert (after.bytes < before.bytes);
%!error <nn_shrink: there is no option 'srt'; the options are sort> nn_shrink (struct (), 'srt', 1)
%!error <nn_shrink: MODEL must be a struct with a cell LAYERS> nn_shrink (struct ('A', 1))
