function [model, removed] = shrink (caller, model)
%SHRINK  Remove dead filters and neurons through the graph of a network.
%
%   [model, removed] = octcompress.prune.shrink (caller, model)
%
%   model    a tidy network; on return smaller, with the same outputs to rounding
%   removed  cell, for each layer a logical with a true for each channel of its output that went
%
%   1. Forward: which channels are constant whatever the input, and their values: those whose
%      weights are zero, and what follows from them.
%   2. Backward, to the largest consistent choice: a channel may go where every layer that reads it
%      has only zero weights for it (in outputs that stay), or can take the constant into its bias.
%      Layers that work channel by channel have the same channels before and after; the inputs of
%      add, subtract and multiply have the same as their sum; flatten takes all places of a channel.
%      A padded convolution takes constants other than zero only where its weights are zero.
%   3. Cut the weights, and add the constants to the biases of the readers.
%
%   The network's inputs and outputs stay as they are, and so do the channels around softmax,
%   reshape, permute, recurrent layers and grouped (not depthwise) convolutions. At least one
%   channel of each layer stays.
%
%   See also nn_shrink.

  plan = octcompress.model.plan (caller, model);
  layers = model.layers;
  count = numel (layers);
  channels = cellfun (@octcompress.model.channels, plan.sizes);
  kinds = cell (1, count);
  links = cell (1, count);
  for k = 1:count
    kinds{k} = octcompress.prune.channel_kind (model, plan, k);
    if strcmp (kinds{k}, 'linear')
      links{k} = links_of (layers{k});
    end
  end
  constants = find_constants (model, plan, kinds, links);

  removed = arrayfun (@(c) true (c, 1), channels, 'UniformOutput', false);
  for k = plan.outputs
    removed{k}(:) = false;
  end
  owners = cell (1, count);
  for k = find (strcmp (kinds, 'flatten'))
    owners{k} = octcompress.prune.flatten_owners (model, plan, k);
  end
  settled = false;
  while ~settled
    before = removed;
    for k = count:-1:1
      removed = constrain (removed, k, kinds{k}, links{k}, owners{k}, plan, layers{k}, constants);
    end
    settled = isequal (before, removed);
    if settled
      for k = 1:count
        if all (removed{k})
          removed{k}(1) = false;
          settled = false;
        end
      end
    end
  end

  for k = 1:count
    gone_in = false;
    reads = plan.inputs{k};
    if isscalar (reads) && reads > 0
      gone_in = removed{reads};
    end
    if any (removed{k}) || any (gone_in)
      constant = [];
      if isscalar (reads) && reads > 0
        constant = constants{reads};
      end
      model.layers{k} = cut (layers{k}, kinds{k}, removed{k}, gone_in, constant);
    end
  end
end

function links = links_of (layer)
  % out x in logical: whether an output reads an input channel with any weight.
  if strcmp (layer.type, 'dense')
    links = layer.weights ~= 0;
  else
    sizes = octcompress.layers.weights_size (layer, 4);
    used = any (reshape (layer.weights, sizes(1) * sizes(2), []) ~= 0, 1);
    links = reshape (used, sizes(3:4));
    if strcmp (layer.type, 'conv2d')
      links = links';
    end
  end
end

function constants = find_constants (model, plan, kinds, links)
  % For each layer's output the value of each channel that is constant, NaN for the others.
  % In double, and to rounding: a matrix product may sum the places of an image in different orders.
  count = numel (kinds);
  constants = cell (1, count);
  for k = 1:count
    own = octcompress.model.channels (plan.sizes{k});
    reads = plan.inputs{k};
    known = cell (1, numel (reads));
    in = cell (1, numel (reads));
    for i = 1:numel (reads)
      in_size = model.input_size;
      if reads(i) > 0
        in_size = plan.sizes{reads(i)};
        known{i} = constants{reads(i)};
      else
        known{i} = NaN (octcompress.model.channels (in_size), 1);
      end
      in{i} = octcompress.prune.even_image (known{i}, in_size);
    end
    switch kinds{k}
      case 'linear'
        fixed = ~any (links{k}(:, isnan (known{1})), 2);
      case 'same'
        fixed = ~isnan (known{1});
      case 'alike'
        fixed = ~any (isnan ([known{:}]), 2);
      case 'concat'
        fixed = ~isnan (vertcat (known{:}));
      case 'flatten'
        fixed = ~isnan (known{1}(octcompress.prune.flatten_owners (model, plan, k)));
      otherwise
        fixed = false (own, 1);
    end
    constants{k} = NaN (own, 1);
    if any (fixed)
      if ~plan.several(k)
        in = in{1};
      end
      layer = structfun (@to_double, model.layers{k}, 'UniformOutput', false);
      y = plan.run{k} ('forward', layer, in, false);
      if isfield (model.layers{k}, 'quantization') && isfield (model.layers{k}.quantization, ...
                                                               'output')
        y = octcompress.quant.snap_to_grid (y, model.layers{k}.quantization.output);
      end
      y = reshape (y, own, []);
      fixed = fixed & max (abs (y - y(:, 1)), [], 2) <= 1e-9 * max (abs (y), [], 2);
      constants{k}(fixed) = y(fixed, 1);
    end
  end
end

function value = to_double (value)
  if isfloat (value)
    value = double (value);
  end
end

function removed = constrain (removed, k, kind, links, owners, plan, layer, constants)
  reads = plan.inputs{k};
  inside = reads(reads > 0);
  switch kind
    case 'linear'
      if isempty (inside)
        return
      end
      needed = any (links(~removed{k}, :), 1)';
      constant = constants{inside};
      takes = ~isnan (constant) & (constant == 0 | takes_constants (layer));
      removed{inside} = removed{inside} & (~needed | takes);
    case {'same', 'alike'}
      both = removed{k} & (numel (inside) == numel (reads));
      for r = inside
        both = both & removed{r};
      end
      removed([inside k]) = {both};
    case 'concat'
      first = 0;
      own = removed{k};
      for r = reads
        if r == 0
          own(first + 1:end) = false;
          break
        end
        places = first + (1:numel (removed{r}));
        own(places) = own(places) & removed{r};
        removed{r} = own(places);
        first = places(end);
      end
      removed{k} = own;
    case 'flatten'
      if isempty (inside)
        removed{k}(:) = false;
      else
        whole = accumarray (owners, double (removed{k}), [numel(removed{inside}), 1], @min) > 0;
        removed{inside} = removed{inside} & whole;
        removed{k} = removed{inside}(owners);
      end
    otherwise
      for r = [inside k]
        removed{r}(:) = false;
      end
  end
end

function yes = takes_constants (layer)
  yes = strcmp (layer.type, 'dense');
  if strcmp (layer.type, 'conv2d')
    sizes = octcompress.layers.weights_size (layer, 4);
    padding = 0;
    if isfield (layer, 'padding') && ~isempty (layer.padding)
      padding = layer.padding;
    end
    yes = all (sizes(1:2) == 1) && ischar (padding) || ~ischar (padding) && all (padding == 0);
  end
end

function layer = cut (layer, kind, gone, gone_in, constant)
  kept = find (~gone);
  kept_in = find (~gone_in);
  if strcmp (kind, 'linear') && isscalar (gone_in)
    kept_in = 1:size (links_of (layer), 2);
  elseif strcmp (kind, 'linear')
    folded = folded_into_bias (layer, gone_in & ~isnan (constant) & constant ~= 0, constant);
    if any (folded(kept) ~= 0)
      if ~isfield (layer, 'bias') || isempty (layer.bias)
        layer.bias = zeros (numel (gone), 1, class (layer.weights));
      end
      layer.bias = cast (double (layer.bias) + folded, class (layer.bias));
      if isfield (layer, 'quantization') && isfield (layer.quantization, 'bias')
        layer.quantization = rmfield (layer.quantization, 'bias');
      end
    end
  end
  layer = octcompress.prune.select_units (layer, kind, kept, kept_in);
end

function total = folded_into_bias (layer, which, constant)
  which = find (which);
  if strcmp (layer.type, 'dense')
    total = double (layer.weights(:, which)) * constant(which);
  else
    sizes = octcompress.layers.weights_size (layer, 4);
    by_channel = reshape (sum (reshape (double (layer.weights), sizes(1) * sizes(2), []), 1), ...
                          sizes(3:4));
    if strcmp (layer.type, 'conv2d')
      by_channel = by_channel';
    end
    total = by_channel(:, which) * constant(which);
  end
end

%!test % a dead neuron goes, its constant output goes into the next bias
%! a = struct ('type', 'dense', 'name', 'a', 'weights', [1 2; 0 0; 3 4], 'bias', [1; 5; -1]);
%! b = struct ('type', 'dense', 'name', 'b', 'weights', [1 10 2; 3 20 4], 'bias', [0; 1]);
%! model.layers = {a, struct('type', 'relu', 'name', 'r'), b};
%! model = octcompress.model.tidy ('f', model);
%! [small, removed] = octcompress.prune.shrink ('f', model);
%! assert (small.layers{1}.weights, [1 2; 3 4]);
%! assert (small.layers{3}.weights, [1 2; 3 4]);
%! assert (small.layers{3}.bias, [50; 101]);
%! assert (removed{1}(:)', [false true false]);
%! x = [1 -2; 0.5 3];
%! assert (nn_predict (small, x), nn_predict (model, x), 1e-12);
%!test % what nothing reads any more goes too; outputs stay
%! a = struct ('type', 'dense', 'name', 'a', 'weights', [1 2; 5 6; 3 4], 'bias', [1; 5; -1]);
%! b = struct ('type', 'dense', 'name', 'b', 'weights', [1 0 2; 0 0 0], 'bias', [0; 1]);
%! model = octcompress.model.tidy ('f', struct ('layers', {{a, b}}));
%! small = octcompress.prune.shrink ('f', model);
%! assert (size (small.layers{1}.weights), [2 2]);
%! assert (size (small.layers{2}.weights), [2 2]);
