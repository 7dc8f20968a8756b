function model = sort_units (caller, model)
%SORT_UNITS  Put the filters and neurons with the most weights first.
%
%   model = octcompress.prune.sort_units (caller, model)
%
%   model  a tidy network; on return with the same outputs to rounding
%
%   The weights that count are those of a unit that are not zero, its own and those that read it.
%   Of equals the first stays first. Moved are the units of layers that one other layer with weights
%   reads, through layers that work channel by channel and flatten. Others stay as they are, and so
%   do layers in a pattern of neighbours: pruned by n:m or by blocks, or on a grid by groups.
%
%   See also nn_shrink, octcompress.prune.select_units.

  plan = octcompress.model.plan (caller, model);
  count = numel (model.layers);
  kinds = cell (1, count);
  for k = 1:count
    kinds{k} = octcompress.prune.channel_kind (model, plan, k);
  end
  for k = find (strcmp (kinds, 'linear'))
    way = way_to_reader (k, plan, kinds);
    if isempty (way) || is_pattern (model.layers{k}) || is_pattern (model.layers{way(end)})
      continue
    end
    own = weights_of_units (model.layers{k}, true);
    owners = (1:numel (own))';
    for r = way(strcmp (kinds(way), 'flatten'))
      owners = owners(octcompress.prune.flatten_owners (model, plan, r));
    end
    read = weights_of_units (model.layers{way(end)}, false);
    [~, order] = sort (-own - accumarray (owners, read, [numel(own), 1]));

    inputs = 1:numel (weights_of_units (model.layers{k}, false));
    model.layers{k} = octcompress.prune.select_units (model.layers{k}, 'linear', order, inputs);
    for r = way(1:end-1)
      if strcmp (kinds{r}, 'flatten')
        [~, places] = sort (octcompress.prune.flatten_owners (model, plan, r));
        places = reshape (places, [], numel (order));
        moved = places(:, order);
        order = places(:);
        order(places(:)) = moved(:);
      else
        model.layers{r} = octcompress.prune.select_units (model.layers{r}, 'same', order);
      end
    end
    outputs = 1:numel (weights_of_units (model.layers{way(end)}, true));
    model.layers{way(end)} = octcompress.prune.select_units (model.layers{way(end)}, 'linear', ...
                                                             outputs, order);
  end
end

function way = way_to_reader (k, plan, kinds)
  %  The layers behind layer K up to the next with weights; none if others read it too.
  way = [];
  at = k;
  while isempty (way) || ~strcmp (kinds{at}, 'linear')
    readers = find (cellfun (@(reads) any (reads == at), plan.inputs));
    if numel (readers) ~= 1 || any (plan.outputs == at) || ~isscalar (plan.inputs{readers}) ...
       || ~any (strcmp (kinds{readers}, {'linear', 'same', 'flatten'}))
      way = [];
      return
    end
    at = readers;
    way(end + 1) = at; %#ok<AGROW>
  end
end

function yes = is_pattern (layer)
  yes = false;
  if isfield (layer, 'pruning') && isfield (layer.pruning, 'weights') ...
     && isfield (layer.pruning.weights, 'structure')
    structure = layer.pruning.weights.structure;
    yes = strcmp (structure, 'block') || any (structure == ':');
  end
  if isfield (layer, 'quantization') && isfield (layer.quantization, 'weights')
    grid = layer.quantization.weights;
    yes = yes || (isfield (grid, 'group') && any (grid.group > 0));
  end
end

function counts = weights_of_units (layer, outputs)
  %  How many weights of each output channel, or of each input channel, are not zero.
  if strcmp (layer.type, 'dense')
    used = layer.weights ~= 0;
  else
    sizes = octcompress.layers.weights_size (layer, 4);
    used = reshape (sum (reshape (layer.weights ~= 0, sizes(1) * sizes(2), []), 1), sizes(3:4));
    if strcmp (layer.type, 'conv2d')
      used = used';
    end
  end
  counts = sum (used, 1 + outputs);
  counts = counts(:);
end

%!test % by their weights and their readers'; biases go with them
%! layer = @(w, b) struct ('type', 'dense', 'weights', single (w), 'bias', single (b));
%! model.layers = {layer([1 0; 0 0; 1 1], [1; 2; 3]), struct('type', 'relu'), ...
%!                 layer([0 1 2; 0 3 0], [0; 0])};
%! model = octcompress.model.tidy ('f', model);
%! sorted = octcompress.prune.sort_units ('f', model);
%! assert (sorted.layers{1}.weights, single ([1 1; 0 0; 1 0]));
%! assert (sorted.layers{1}.bias, single ([3; 2; 1]));
%! assert (sorted.layers{3}.weights, single ([2 1 0; 0 3 0]));
%!test % through norms, poolings and every order of flatten
%! w = single (reshape (sin (1:3 * 3 * 2 * 4), 3, 3, 2, 4));
%! w(:, :, 1, [1 3]) = 0;
%! norm = struct ('type', 'batchnorm', 'scale', single ([1; 2; 3; 4]), 'offset', ...
%!   single ([4; 3; 2; 1]), 'mean', single ([0; 1; 0; 2]), 'variance', single ([1; 2; 1; 3]));
%! X = single (reshape (cos ((1:8 * 7 * 2 * 5) .^ 2), 8, 7, 2, 5));
%! for order = {'hwc', 'chw', 'keras'}
%!   model = struct ('input_size', [8 7 2], 'layers', {{struct('type', 'conv2d', 'weights', w, ...
%!     'bias', single ([1; 2; 3; 4])), norm, struct('type', 'maxpool', 'pool_size', 2), ...
%!     struct('type', 'flatten', 'order', order{1}), struct('type', 'relu'), ...
%!     struct('type', 'dense', 'weights', single (reshape (sin (1:3 * 24), 3, 24)))}});
%!   model = octcompress.model.tidy ('f', model);
%!   sorted = octcompress.prune.sort_units ('f', model);
%!   assert (sorted.layers{1}.bias, single ([2; 4; 1; 3]));
%!   assert (nn_predict (sorted, X), nn_predict (model, X), 1e-5);
%! end
%!test % what two layers read, the network's outputs and patterns stay
%! layer = @(name, w) struct ('type', 'dense', 'name', name, 'weights', single (w));
%! a = layer ('a', [0 0; 1 1]);
%! b = layer ('b', [0 0; 1 1]);
%! sum_of = struct ('type', 'add', 'name', 's', 'inputs', {{'a', 'b'}});
%! two = octcompress.model.tidy ('f', struct ('layers', {{a, b, sum_of, layer('c', [1 1])}}));
%! assert (octcompress.prune.sort_units ('f', two), two);
%! pattern = struct ('layers', {{layer('a', [0 0 0 0; 1 1 0 0]), layer('b', [1 1])}});
%! pattern.layers{1}.pruning.weights = struct ('structure', '2:4');
%! pattern = octcompress.model.tidy ('f', pattern);
%! assert (octcompress.prune.sort_units ('f', pattern), pattern);
