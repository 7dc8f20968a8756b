function [ok, faults] = nn_check (model)
%NN_CHECK  Find every fault of a network.
%
%   nn_check (model)
%   [ok, faults] = nn_check (model)
%
%   model   anything; a network (docs/model-format.md) in the best case
%   ok      true if no fault was found
%   faults  cellstr, one sentence each; without outputs they are printed
%
%   What is looked at: the struct itself; types, names, inputs and outputs of the layers; arrays
%   that are absent, of the wrong class or size, or hold NaN or Inf; sizes that do not fit from one
%   layer to the next; layers whose result nobody reads; the number of classes; fields that look
%   like misspelt options; and promises: weights that are not on their grid, zeros that are gone.
%
%   A layer behind one with a fault is checked as far as it goes without the other's size.
%
%   Example:
%     nn_check (nn_load ('net.mat'))
%
%   See also nn_new, nn_info, nn_load.

  if ~octcompress.model.is_network (model)
    template = ['MODEL must be a struct with a cell LAYERS of structs that have a TYPE, but is ' ...
                '%s; see docs/model-format.md'];
    faults = note ({}, template, octcompress.internal.describe (model));
  else
    faults = faults_of (model);
  end
  found = isempty (faults);
  if nargout > 0
    ok = found;
  elseif found
    fprintf ('no fault in %d layers\n', numel (model.layers));
  else
    fprintf ('%s\n', faults{:});
  end
end

function faults = faults_of (model)
  layers = reshape (model.layers, 1, []);
  [names, faults] = names_of (layers);
  sizes = cell (1, numel (layers));   % [] where unknown
  read = false (1, numel (layers));
  [input_size, faults] = input_size_of (model, layers, faults);
  for k = 1:numel (layers)
    layer = layers{k};
    entry = octcompress.layers.types (layer.type);
    where = sprintf ('layer %d (''%s'')', k, names{k});
    if isempty (entry)
      faults = note (faults, '%s has the type %s, which is none of %s', where, ...
                     octcompress.internal.describe (layer.type), ...
                     strjoin (octcompress.layers.types (), ', '));
    else
      where = sprintf ('layer %d (''%s'', %s)', k, names{k}, layer.type);
      [arrays_fine, faults] = check_arrays (layer, entry, where, faults);
      faults = [faults, misspelt(layer, entry, where), broken_promises(layer, where)]; %#ok<AGROW>
    end
    [reads, faults] = inputs_of (layer, k, names, where, faults);
    read(reads(reads > 0)) = true;
    if ~isempty (entry) && arrays_fine
      [sizes{k}, faults] = size_after (layer, entry, reads, sizes, input_size, where, faults);
    end
  end
  faults = check_outputs (model, names, read, sizes, faults);
end

function faults = note (faults, template, varargin)
  faults{end + 1} = sprintf (template, varargin{:});
end

function [names, faults] = names_of (layers)
  names = cell (1, numel (layers));
  faults = {};
  for k = 1:numel (layers)
    names{k} = sprintf ('layer_%d', k);
    if ischar (layers{k}.type)
      names{k} = sprintf ('%s_%d', layers{k}.type, k);
    end
    if isfield (layers{k}, 'name') && ~isempty (layers{k}.name)
      if ischar (layers{k}.name) && isrow (layers{k}.name)
        names{k} = layers{k}.name;
      else
        faults = note (faults, 'the name of layer %d must be text, but is %s', k, ...
                       octcompress.internal.describe (layers{k}.name));
      end
    end
    same = find (strcmp (names{k}, names(1:k-1)), 1);
    if ~isempty (same)
      faults = note (faults, ...
        'layers %d and %d have the same name, ''%s''; names must be unique', same, k, names{k});
    elseif strcmp (names{k}, 'input')
      faults = note (faults, 'layer %d is called ''input'', which means the network''s input', k);
    end
  end
end

function [s, faults] = input_size_of (model, layers, faults)
  s = [];
  if isfield (model, 'input_size')
    s = model.input_size;
    fine = isnumeric (s) && any (numel (s) == 1:3);
    if fine
      s = double (s(:)');
      open = isnan (s) & numel (s) == 2 & (1:numel (s)) == 2;
      fine = all (open | (s >= 1 & s == fix (s)));
    end
    if ~fine
      faults = note (faults, 'INPUT_SIZE must be F, [H W C] or [F T], but is %s', ...
                     octcompress.internal.describe (model.input_size));
      s = [];
    end
  elseif strcmp (layers{1}.type, 'dense') && isfield (layers{1}, 'weights')
    s = size (layers{1}.weights, 2);
  else
    faults = note (faults, 'MODEL must have INPUT_SIZE: F, [H W C] or [F T]');
  end
end

function [fine, faults] = check_arrays (layer, entry, where, faults)
  fine = true;
  optional = {'bias', 'recurrent_bias'};
  for name = [entry.trained, entry.statistics]
    field = name{1};
    if ~isfield (layer, field) || (isempty (layer.(field)) && any (strcmp (field, entry.prunable)))
      if ~any (strcmp (field, optional))
        faults = note (faults, '%s must have %s', where, upper (field));
        fine = false;
      end
      continue
    end
    value = layer.(field);
    if ~isfloat (value) || ~isreal (value)
      faults = note (faults, '%s of %s must be a real single or double array, but is %s', ...
                     upper (field), where, octcompress.internal.describe (value));
      fine = false;
      continue
    end
    wrong = find (~isfinite (value(:)));
    if ~isempty (wrong)
      faults = note (faults, ...
        '%s of %s must be finite, but %d of its %d elements are not; element %d is %g', ...
        upper (field), where, numel (wrong), numel (value), wrong(1), value(wrong(1)));
    end
    if strcmp (field, 'variance') && any (value(:) < 0)
      faults = note (faults, 'VARIANCE of %s must not be negative, but its least is %g', where, ...
                     min (value(:)));
    end
  end
end

function found = misspelt (layer, entry, where)
  % Fields that differ from one of the type's in case, underscores or a plural.
  known = [{'type', 'name', 'inputs', 'weights_size', 'pruning', 'quantization'}, entry.trained, ...
           entry.statistics, entry.options];
  plain = @(names) regexprep (strrep (lower (names), '_', ''), 's$', '');
  found = {};
  for name = reshape (fieldnames (layer), 1, [])
    meant = find (strcmp (plain (name{1}), plain (known)), 1);
    if ~isempty (meant) && ~any (strcmp (name{1}, known))
      found = note (found, '%s has a field ''%s'', which nothing reads; it is called ''%s''', ...
                    where, name{1}, known{meant});
    end
  end
end

function found = broken_promises (layer, where)
  found = {};
  if isfield (layer, 'pruning') && isstruct (layer.pruning)
    for name = reshape (fieldnames (layer.pruning), 1, [])
      promise = layer.pruning.(name{1});
      if ~isfield (layer, name{1})
        found = note (found, '%s promises zeros in %s, which it has not', where, upper (name{1}));
      elseif isfield (promise, 'zeros') && promise.zeros > sum (layer.(name{1})(:) == 0)
        found = note (found, '%s promises %d zeros in %s, but %d are left', where, ...
                      promise.zeros, upper (name{1}), sum (layer.(name{1})(:) == 0));
      end
    end
  end
  if isfield (layer, 'quantization') && isstruct (layer.quantization)
    for name = setdiff (reshape (fieldnames (layer.quantization), 1, []), {'output'})
      if ~isfield (layer, name{1})
        found = note (found, '%s promises a grid for %s, which it has not', where, upper (name{1}));
        continue
      end
      w = layer.(name{1});
      try
        on_grid = octcompress.quant.snap_to_grid (w, layer.quantization.(name{1})) == w;
        off = sum (~on_grid(:));
      catch problem
        found = note (found, 'the grid of %s of %s cannot be used: %s', upper (name{1}), where, ...
                      problem.message);
        continue
      end
      if off > 0
        found = note (found, '%d of the %d elements of %s of %s are not on their grid', off, ...
                      numel (w), upper (name{1}), where);
      end
    end
  end
end

function [reads, faults] = inputs_of (layer, k, names, where, faults)
  % The layers it reads: 0 for the network's input, NaN for what there is not.
  reads = k - 1;
  if ~isfield (layer, 'inputs') || isempty (layer.inputs)
    return
  end
  if ~ischar (layer.inputs) && ~iscellstr (layer.inputs)
    faults = note (faults, 'INPUTS of %s must be names, but is %s', where, ...
                   octcompress.internal.describe (layer.inputs));
    reads = NaN;
    return
  end
  wanted = cellstr (layer.inputs);
  reads = nan (1, numel (wanted));
  for i = 1:numel (wanted)
    found = find (strcmp (wanted{i}, names));
    if any (found < k)
      reads(i) = found(1);
    elseif strcmp (wanted{i}, 'input')
      reads(i) = 0;
    elseif isempty (found)
      faults = note (faults, '%s reads ''%s'', but no layer has that name', where, wanted{i});
    else
      faults = note (faults, '%s reads ''%s'', which does not stand before it', where, wanted{i});
    end
  end
end

function [s, faults] = size_after (layer, entry, reads, sizes, input_size, where, faults)
  s = [];
  if numel (reads) < entry.inputs(1) || numel (reads) > entry.inputs(2)
    faults = note (faults, '%s takes %d to %g inputs, but names %d', where, entry.inputs, ...
                   numel (reads));
    return
  end
  in_sizes = cell (1, numel (reads));
  for i = 1:numel (reads)
    if reads(i) == 0
      in_sizes{i} = input_size;
    elseif reads(i) > 0
      in_sizes{i} = sizes{reads(i)};
    end
  end
  if any (cellfun (@isempty, in_sizes))
    return
  end
  if entry.inputs(2) == 1
    in_sizes = in_sizes{1};
  end
  try
    s = entry.run ('size', layer, in_sizes);
  catch problem
    faults = note (faults, '%s: %s', where, problem.message);
  end
end

function faults = check_outputs (model, names, read, sizes, faults)
  outputs = find (~read);
  if isfield (model, 'outputs') && ~isempty (model.outputs)
    if ~ischar (model.outputs) && ~iscellstr (model.outputs)
      faults = note (faults, 'OUTPUTS must be names of layers, but is %s', ...
                     octcompress.internal.describe (model.outputs));
      return
    end
    wanted = cellstr (model.outputs);
    [known, outputs] = ismember (reshape (wanted, 1, []), names);
    for i = find (~known)
      faults = note (faults, 'OUTPUTS names ''%s'', but no layer has that name', wanted{i});
    end
    for k = setdiff (find (~read), outputs)
      faults = note (faults, 'layer %d (''%s'') is read by no layer and is not among OUTPUTS', ...
                     k, names{k});
    end
  end
  if isfield (model, 'classes') && ~isempty (model.classes)
    if ~iscellstr (model.classes)
      faults = note (faults, 'CLASSES must be a cell of names, but is %s', ...
                     octcompress.internal.describe (model.classes));
    elseif ~isempty (outputs) && outputs(1) > 0 && ~isempty (sizes{outputs(1)}) ...
           && prod (sizes{outputs(1)}) ~= numel (model.classes)
      faults = note (faults, 'CLASSES has %d names, but the output has the size [%s]', ...
                     numel (model.classes), num2str (sizes{outputs(1)}));
    end
  end
end

%!function f = faults_in (model)
%!  [ok, f] = nn_check (model);
%!  assert (ok, isempty (f));
%!endfunction
%!shared net
%! net = nn_new ('input', [8 8 1], 'conv2d', {4, 3, 'name', 'c'}, 'batchnorm', 'relu', ...
%!               'flatten', 'dense', {3, 'name', 'fc'}, 'classes', {'a', 'b', 'c'});
%!assert (isempty (faults_in (net)))
%!assert (evalc ('nn_check (net)'), sprintf ('no fault in 5 layers\n'))
%!test % not a network at all
%! assert (faults_in (3), {['MODEL must be a struct with a cell LAYERS of structs that have a ' ...
%!                          'TYPE, but is 3; see docs/model-format.md']});
%!test % every fault, not only the first
%! bad = net;
%! bad.layers{1}.weights(2) = NaN;
%! bad.layers{1}.strides = 2;
%! bad.layers{2}.variance(3) = -1;
%! bad.layers{3}.type = 'blob';
%! bad.layers{4}.inputs = {'nowhere'};
%! bad.layers{5}.bias = int8 ([1; 2; 3]);
%! bad.classes = 7;
%! f = faults_in (bad);
%! expected = { ...
%!   ['layer 1 (''c'', conv2d) has a field ''strides'', which nothing reads; it is called ' ...
%!    '''stride'''], ...
%!   ['WEIGHTS of layer 1 (''c'', conv2d) must be finite, but 1 of its 36 elements are not; ' ...
%!    'element 2 is NaN'], ...
%!   ['VARIANCE of layer 2 (''batchnorm_2'', batchnorm) must not be negative, but its least ' ...
%!    'is -1'], ...
%!   'layer 4 (''flatten_4'', flatten) reads ''nowhere'', but no layer has that name', ...
%!   ['BIAS of layer 5 (''fc'', dense) must be a real single or double array, but is ' ...
%!    '3x1 int8'], ...
%!   'CLASSES must be a cell of names, but is 7'};
%! assert (all (ismember (expected, f)));
%! type_fault = 'layer 3 (''relu_3'') has the type ''blob'', which is none of dense';
%! assert (sum (strncmp (f, type_fault, numel (type_fault))), 1);
%! assert (numel (f), 7);
%!test % sizes
%! bad = net;
%! bad.input_size = [9 8 1];
%! f = faults_in (bad);
%! assert (numel (f), 1);
%! assert (strncmp (f{1}, 'layer 5 (''fc'', dense): dense: WEIGHTS is 3 x 144', 47));
%!test % names and order
%! bad = net;
%! bad.layers{3}.name = 'fc';
%! bad.layers{2}.inputs = {'flatten_4'};
%! f = faults_in (bad);
%! assert (f{1}, 'layers 3 and 5 have the same name, ''fc''; names must be unique');
%! assert (f{2}, ['layer 2 (''batchnorm_2'', batchnorm) reads ''flatten_4'', which does not ' ...
%!                'stand before it']);
%!test % outputs
%! bad = net;
%! bad.outputs = {'relu_3', 'none'};
%! f = faults_in (bad);
%! assert (f, {'OUTPUTS names ''none'', but no layer has that name', ...
%!             'layer 5 (''fc'') is read by no layer and is not among OUTPUTS', ...
%!             'CLASSES has 3 names, but the output has the size [6  6  4]'});
%!test % promises
%! good = nn_quantize (nn_prune (net, 'sparsity', 0.5), 4);
%! assert (isempty (faults_in (good)));
%! bad = good;
%! bad.layers{5}.weights(:) = 0.123;
%! f = faults_in (bad);
%! assert (numel (f), 2);
%! assert (f{1}, 'layer 5 (''fc'', dense) promises 216 zeros in WEIGHTS, but 0 are left');
%! assert (f{2}, ['432 of the 432 elements of WEIGHTS of layer 5 (''fc'', dense) are not on ' ...
%!                'their grid']);
%!test % what is absent
%! bad = net;
%! bad.layers{5} = rmfield (bad.layers{5}, 'weights');
%! bad.layers{2} = rmfield (bad.layers{2}, 'mean');
%! bad = rmfield (bad, 'input_size');
%! assert (faults_in (bad), {'MODEL must have INPUT_SIZE: F, [H W C] or [F T]', ...
%!                           'layer 2 (''batchnorm_2'', batchnorm) must have MEAN', ...
%!                           'layer 5 (''fc'', dense) must have WEIGHTS'});
