function layer = layer_spec (caller, k, kind, given)
%LAYER_SPEC  The fields of a layer from its type and the values given for it.
%
%   layer = octcompress.model.layer_spec (caller, k, kind, given)
%   kinds = octcompress.model.layer_spec ()
%
%   caller  char, the function the user called, for messages
%   k       the layer's number
%   kind    char, a layer type or 'depthwise'
%   given   cell: values in the order that help nn_new lists, then name-value pairs
%   layer   struct with type, name and what was given, under its names
%   kinds   cellstr of what kind may be
%
%   Errors: octcompress:CALLER:badOption, :badLayer, :badValue.
%
%   See also nn_new, nn_load.

  specs = constructors ();
  if nargin == 0
    layer = fieldnames (specs)';
    return
  end
  [positional, needed] = deal (specs.(kind){:});
  type = kind;
  if strcmp (type, 'depthwise')
    type = 'conv2d';
  end
  layer = struct ('type', type, 'name', sprintf ('%s_%d', type, k));
  entry = octcompress.layers.types (type);
  allowed = [{'name', 'inputs'}, positional, entry.options];
  if any (strcmp (entry.trained, 'bias'))
    allowed{end + 1} = 'bias';
  end

  values = 0;
  most = min (numel (given), numel (positional));
  while values < most && ~is_option (given, values + 1, allowed)
    values = values + 1;
    layer.(positional{values}) = given{values};
  end
  pairs = given(values + 1:end);
  for i = 1:2:numel (pairs)
    if ~ischar (pairs{i}) || ~any (strcmp (pairs{i}, allowed)) || i == numel (pairs)
      octcompress.internal.fail (caller, 'badOption', ...
        ['layer %d (%s): %s must be an option with a value; they are %s. ' ...
         'First come the values (%s)'], k, kind, octcompress.internal.describe (pairs{i}), ...
        strjoin (allowed, ', '), strjoin (positional, ', '));
    end
    layer.(pairs{i}) = pairs{i + 1};
  end
  missing = positional(1:needed);
  missing = missing(~isfield (layer, missing));
  if ~isempty (missing)
    octcompress.internal.fail (caller, 'badLayer', 'layer %d (%s) must be given %s', k, ...
                               kind, strjoin (missing, ' and '));
  end
  octcompress.internal.check (caller, 'name', layer.name, 'text');
  if isfield (layer, 'inputs')
    layer.inputs = reshape (cellstr (layer.inputs), 1, []);
  end
end

function specs = constructors ()
  % For each type: the positional values, and how many of them must be given.
  specs = struct ();
  for type = octcompress.layers.types ()
    specs.(type{1}) = {{}, 0};
  end
  specs.dense = {{'units'}, 1};
  specs.conv2d = {{'filters', 'kernel'}, 2};
  specs.transposedconv2d = {{'filters', 'kernel'}, 2};
  specs.depthwise = {{'kernel', 'multiplier'}, 1};
  specs.lstm = {{'units'}, 1};
  specs.gru = {{'units'}, 1};
  specs.maxpool = {{'pool_size', 'stride'}, 1};
  specs.averagepool = {{'pool_size', 'stride'}, 1};
  specs.dropout = {{'rate'}, 0};
  specs.leakyrelu = {{'slope'}, 0};
  specs.prelu = {{'slope'}, 0};
  specs.elu = {{'alpha'}, 0};
  specs.reshape = {{'output_size'}, 1};
  specs.permute = {{'dimensions'}, 1};
  specs.flatten = {{'order'}, 0};
  specs.upsample = {{'factor'}, 1};
  specs.zeropad = {{'padding'}, 1};
  specs.scale = {{'scale', 'offset'}, 1};
  specs.concat = {{'axis'}, 0};
end

function yes = is_option (given, place, allowed)
  % Text that names an option and has a value after it.
  yes = ischar (given{place}) && any (strcmp (given{place}, allowed)) && place < numel (given);
end

%!test
%! layer = octcompress.model.layer_spec ('f', 2, 'conv2d', {20, [3 5], 'padding', 'same'});
%! assert (layer, struct ('type', 'conv2d', 'name', 'conv2d_2', 'filters', 20, 'kernel', [3 5], ...
%!                        'padding', 'same'));
%!assert (any (strcmp (octcompress.model.layer_spec (), 'depthwise')))
%!error <f: layer 1 \(dense\) must be given units> octcompress.model.layer_spec ('f', 1, 'dense', {})
%!error <f: layer 1 \(dense\): 'unit' must be an option with a value> octcompress.model.layer_spec ('f', 1, 'dense', {3, 'unit', 4})
