function plan = plan (caller, model)
%PLAN  The order in which a network computes: who reads whom, and until when.
%
%   plan = octcompress.model.plan (caller, model)
%
%   model          a tidy network (octcompress.model.tidy)
%   plan.run       cell of handles, one per layer
%   plan.inputs    cell: the layers each one reads, 0 being the network's input
%   plan.several   logical: the layer takes a cell of inputs
%   plan.last_use  for each layer, the last layer that reads it; Inf for an output
%   plan.outputs   indices of the layers that nobody reads, or those model.outputs names
%   plan.sizes     cell: the size of one observation after each layer: F, [H W C] or [F T]
%   plan.macs      multiply-accumulates of one observation, one per layer
%
%   A layer reads the one before it unless it names its inputs; the name 'input' is the
%   network's input. Layers stand in topological order.
%
%   Errors: octcompress:CALLER:unknownInput, :badInputs, :badSize, :unknownOutput, each naming
%   the layer.
%
%   See also octcompress.model.forward, octcompress.model.backward.

  layers = model.layers;
  count = numel (layers);
  names = cellfun (@(layer) layer.name, layers, 'UniformOutput', false);
  run = cell (1, count);
  inputs = cell (1, count);
  several = false (1, count);
  last_use = zeros (1, count);
  macs = zeros (1, count);
  sizes = [{model.input_size}, cell(1, count)];
  [~, types] = octcompress.layers.types ();
  for k = 1:count
    layer = layers{k};
    entry = types.(layer.type);
    reads = k - 1;
    if isfield (layer, 'inputs') && ~isempty (layer.inputs)
      reads = find_inputs (caller, layer, k, names);
    end
    if numel (reads) < entry.inputs(1) || numel (reads) > entry.inputs(2)
      octcompress.internal.fail (caller, 'badInputs', ...
        'layer %d (''%s'', %s) takes %d to %g inputs, but names %d', k, layer.name, layer.type, ...
        entry.inputs(1), entry.inputs(2), numel (reads));
    end
    inputs{k} = reads;
    several(k) = entry.inputs(2) > 1;
    last_use(reads(reads > 0)) = k;
    if several(k)
      in_sizes = sizes(reads + 1);
    else
      in_sizes = sizes{reads + 1};
    end
    planned = in_sizes;
    try
      if strcmp (entry.planned, 'window')
        [sizes{k + 1}, macs(k), planned] = entry.run ('size', layer, in_sizes);
      else
        [sizes{k + 1}, macs(k)] = entry.run ('size', layer, in_sizes);
      end
    catch problem
      octcompress.internal.fail (caller, 'badSize', 'layer %d (''%s'', %s): %s', k, layer.name, ...
                                 layer.type, problem.message);
    end
    run{k} = entry.run;
    if ~isempty (entry.planned)
      run{k} = @(varargin) with_field (entry.run, entry.planned, planned, varargin{:});
    end
  end

  plan = struct ('run', {run}, 'inputs', {inputs}, 'several', several, 'last_use', last_use, ...
                 'outputs', find (last_use == 0), 'sizes', {sizes(2:end)}, 'macs', macs);
  if isfield (model, 'outputs') && ~isempty (model.outputs)
    wanted = cellstr (model.outputs);
    [known, plan.outputs] = ismember (wanted, names);
    if ~all (known)
      octcompress.internal.fail (caller, 'unknownOutput', ...
        'MODEL.OUTPUTS names ''%s'', but no layer has that name', wanted{find(~known, 1)});
    end
  end
  plan.last_use(plan.outputs) = Inf;
end

function varargout = with_field (run, name, value, form, layer, varargin)
  layer.(name) = value;
  varargout = cell (1, max (nargout, 1));
  [varargout{:}] = run (form, layer, varargin{:});
end

function reads = find_inputs (caller, layer, k, names)
  wanted = cellstr (layer.inputs);
  reads = zeros (1, numel (wanted));
  for i = 1:numel (wanted)
    found = find (strcmp (wanted{i}, names(1:k-1)));
    if isempty (found) && ~strcmp (wanted{i}, 'input')
      octcompress.internal.fail (caller, 'unknownInput', ...
        ['layer %d (''%s'') reads ''%s'', but no layer before it has that name; they are ' ...
         'input, %s'], ...
        k, layer.name, wanted{i}, strjoin (names(1:k-1), ', '));
    end
    if ~isempty (found)
      reads(i) = found;
    end
  end
end

%!shared model
%! model.input_size = 3;
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', ones (2, 3)), ...
%!                 struct('type', 'relu', 'name', 'b'), ...
%!                 struct('type', 'sigmoid', 'name', 'c', 'inputs', {{'a'}})};
%!test
%! plan = octcompress.model.plan ('f', model);
%! assert (plan.inputs, {0, 1, 1});
%! assert (plan.outputs, [2 3]);
%! assert (plan.last_use, [3 Inf Inf]);
%! assert (plan.sizes, {2, 2, 2});
%! assert (plan.macs, [6 0 0]);
%!test % layers that need the size of their input get it
%! m.input_size = [1 3 2];
%! m.layers = {struct('type', 'flatten', 'name', 'a'), struct('type', 'concat', 'name', 'b', ...
%!                                                            'inputs', {{'a', 'a'}})};
%! plan = octcompress.model.plan ('f', m);
%! y = octcompress.model.forward (plan, m.layers, reshape (1:12, 2, 3, 2));
%! assert (y{1}(:, 1), [1 3 5 2 4 6 1 3 5 2 4 6]');
%!error <f: layer 3 \('c'\) reads 'z', but no layer before it has that name; they are input, a, b>
%! model.layers{3}.inputs = {'z'};
%! octcompress.model.plan ('f', model);
%!error <f: layer 1 \('a', dense\): dense: WEIGHTS is 2 x 3, so each observation must have 3 features, but it has \[4\]>
%! model.input_size = 4;
%! octcompress.model.plan ('f', model);
%!error <f: MODEL.OUTPUTS names 'q', but no layer has that name>
%! model.outputs = {'a', 'q'};
%! octcompress.model.plan ('f', model);
