function [model, info] = nn_quantize (model, varargin)
%NN_QUANTIZE  Put weights, and given data also activations, on grids of n bits.
%
%   [model, info] = nn_quantize (model, bits, ...)
%   [model, info] = nn_quantize (model, 'bits', bits, ...)
%   [w, info] = nn_quantize (w, bits, ...)
%   [codes, info] = nn_quantize (w, bits, 'output', 'codes')
%
%   model  a network (docs/model-format.md), or any struct of arrays
%   w      a single or double array of any size; comes back in the same class and size
%
%   Options, as name-value pairs or a struct:
%     bits (8)                        1 to 16, of the weights; or one number for each tensor, as
%                                     nn_mixed gives them
%     scheme ('symmetric')            'symmetric' about 0; 'signed': with the code -2^(bits-1) too;
%                                     'affine': from the least to the greatest weight;
%                                     'unsigned': the same, codes from 0; 'ternary': 2 bits, three
%                                     levels with the least squared error; 'binary': 1 bit;
%                                     'codebook': 2^bits values by k-means, with data weighted by
%                                     the Hessian's diagonal; 'bf16', 'fp16', 'fp8_e4m3',
%                                     'fp8_e5m2': floating point, whose bits are their own
%     granularity ('tensor')          'tensor': one scale; 'channel': one for each output
%                                     channel (rows of a dense layer; see axis); 'group': one for
%                                     every group_size weights of a channel
%     group_size (64)
%     axis ([])                       dimension of the channels: 1 for a matrix, the last one
%                                     for other arrays
%     power2 (false)                  true: scales are powers of two
%     fit ([])                        'range': the grid covers all weights (default for rounding
%                                     'nearest' and 'stochastic'); 'mse': least squared error;
%                                     'hessian': least output error, up to 6 bits (default for the
%                                     others)
%     codebook_start ('linear')       'linear', 'density' or 'random' centres to begin with
%     rounding ('nearest')            'nearest'; 'stochastic': up or down at random, right on
%                                     average; 'gptq', 'adaround', 'obq': with data, so that the
%                                     outputs of each dense and conv2d layer change least; other
%                                     layers are rounded to nearest
%     sparsity (0)                    with 'gptq' and 'obq': prune this share in the same pass
%     damping (0.01)                  of the Hessian, in shares of its mean diagonal
%     steps (1000)                    of 'adaround'
%     seed (0)                        of 'stochastic' and of random centres
%     bias_correction ([])            with data: move biases so that the mean outputs stay; true
%                                     for 'gptq', 'adaround' and 'obq'
%     layers ([])                     names or numbers of the layers to quantize; all
%     bias (false)                    true: biases and other vectors too
%     data ([])                       calibration inputs, as nn_predict takes them, unlabelled
%     activations ([])                'static': the input and the output of every layer get a
%                                     grid, and nn_predict computes on it; 'dynamic': what layers
%                                     with weights read is put on a grid of its own range;
%                                     'none'. The default is 'static' where data are given and
%                                     nothing else needs them
%     activation_bits (8)             1 to 16
%     activation_scheme ('affine')    'affine' or 'symmetric'
%     observer ('minmax')             how the range of an activation is found: 'minmax',
%                                     'average', 'percentile', 'mse', 'kl' or 'histogram'
%                                     (octcompress.quant.observer)
%     percentile (99.99)              of that observer
%     fuse (true)                     layers that runtimes compute in one piece (dense or
%                                     convolution + batch normalisation + relu) have a grid only
%                                     at their end; false: every layer has one
%     batch_size (256)                observations at a time in calibration
%     output ('values')               for an array: 'values' on the grid, or 'codes': integers of
%                                     8 bits, above that of 16
%
%   The weights stay single arrays: each is the value on the grid. The grid stands beside them in
%   layer.quantization.weights (bits, scheme, scale, zero_point, axis; group; or bits, scheme,
%   codebook) [1]; the grids of the activations in layer.quantization.output and
%   model.quantization.input. Zeros stay zeros on every grid, and pruned weights stay zeros.
%
%   With 'gptq', 'adaround' and 'obq' the layers are taken in order: each is fitted to the outputs
%   of the original network from the inputs that the layers before, already quantized, give; its
%   scales are those with the least output error; then it is rounded [2, 3, 4].
%
%   info.options  the options as merged with the defaults
%   info.grid     for an array: its grid, as octcompress.quant.choose_grid gives it
%   info.layers   cell of structs, one for each tensor: tensor, bits, count, levels (distinct
%                 codes used), max_error, sqnr (signal to quantization noise, dB); with data-driven
%                 rounding also output_sqnr (of the layer's output, dB)
%   info.activations  cell of structs, one for the input and each layer with a grid: layer, lo,
%                 hi, scale, zero_point; empty without data
%
%   Errors: octcompress:nn_quantize:badValue, :unknownOption, :notFinite (names the layer),
%   :unknownLayer, :noTensors, :badType, :notModel, :badInput.
%
%   Example:
%     [q, info] = nn_quantize (nn_load ('lenet300.mat'), 'bits', 4, 'granularity', 'channel');
%
%   [1] Jacob et al., Quantization and training of neural networks for efficient
%       integer-arithmetic-only inference, CVPR 2018, arXiv:1712.05877.
%   [2] Frantar et al., GPTQ, ICLR 2023, arXiv:2210.17323.
%   [3] Nagel et al., Up or down? Adaptive rounding, ICML 2020, arXiv:2004.10568.
%   [4] Frantar and Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
%
%   See also nn_calibrate, nn_prune, nn_predict, nn_fold, nn_equalize, nn_mixed, nn_sensitivity.

  defaults.bits = 8;
  defaults.scheme = 'symmetric';
  defaults.granularity = 'tensor';
  defaults.group_size = 64;
  defaults.axis = [];
  defaults.power2 = false;
  defaults.fit = [];
  defaults.codebook_start = 'linear';
  defaults.rounding = 'nearest';
  defaults.sparsity = 0;
  defaults.damping = 0.01;
  defaults.steps = 1000;
  defaults.seed = 0;
  defaults.bias_correction = [];
  defaults.layers = [];
  defaults.bias = false;
  defaults.data = [];
  defaults.activations = [];
  defaults.activation_bits = 8;
  defaults.activation_scheme = 'affine';
  defaults.observer = 'minmax';
  defaults.percentile = 99.99;
  defaults.fuse = true;
  defaults.batch_size = 256;
  defaults.output = 'values';
  args = varargin;
  if ~isempty (args) && isnumeric (args{1})
    args = [{'bits'}, args];
  end
  options = octcompress.internal.parse_options ('nn_quantize', defaults, args);
  check_options (options);
  settings = settle (options);
  settings.measured = nargout > 1;

  if ~isstruct (model)
    [model, info] = quantize_array (model, options, settings);
    return
  end
  if strcmp (options.output, 'codes')
    octcompress.internal.fail ('nn_quantize', 'badValue', ...
      'OUTPUT can be ''codes'' for an array only; a model keeps its grids in layer.quantization');
  end
  if octcompress.model.is_network (model)
    model = octcompress.model.tidy ('nn_quantize', model);
  elseif ~isequal (options.data, [])
    octcompress.internal.fail ('nn_quantize', 'notModel', ...
      'DATA needs a network that can be computed, but MODEL is a struct of arrays; leave DATA out');
  end
  tensors = octcompress.model.select_tensors ('nn_quantize', model, options.layers, options.bias);
  bits = settings.bits;
  if isscalar (bits)
    bits = repmat (bits, 1, numel (tensors));
  elseif numel (bits) ~= numel (tensors)
    octcompress.internal.fail ('nn_quantize', 'badValue', ...
      'BITS must be one number, or one for each of the %d tensors, but are %d', ...
      numel (tensors), numel (bits));
  end
  original = model;
  info = struct ('options', options, 'layers', {cell(1, numel (tensors))}, 'activations', {{}});
  for k = 1:numel (tensors)
    w = subsref (model, tensors{k}.path);
    octcompress.internal.check ('nn_quantize', 'w', w, 'finite', ['''' tensors{k}.name '''']);
    settings.zeros = [];
    if ~isempty (octcompress.model.promise (model, tensors{k}, 'pruning'))
      settings.zeros = w == 0;
    end
    axis = axis_of (model, tensors{k}, w, options);
    if settings.needs_data && has_hessian (model, tensors{k})
      [model, info.layers{k}] = with_data (model, original, tensors{k}, bits(k), axis, settings);
    else
      grid = grid_of (w, bits(k), axis, settings);
      [q, info.layers{k}] = put_on_grid (tensors{k}.name, w, grid, settings);
      model = subsasgn (model, tensors{k}.path, q);
      model = octcompress.model.promise (model, tensors{k}, 'quantization', grid);
    end
  end
  if ~strcmp (settings.activations, 'none')
    choice = struct ('activations', settings.activations, 'bits', options.activation_bits, ...
                     'scheme', options.activation_scheme, 'observer', options.observer, ...
                     'percentile', options.percentile, 'fuse', options.fuse, 'batch_size', ...
                     options.batch_size);
    [model, info.activations] = octcompress.quant.calibrate ('nn_quantize', model, ...
                                                             options.data, choice);
  end
end

function check_options (options)
  caller = 'nn_quantize';
  schemes = {'symmetric', 'affine', 'signed', 'unsigned', 'ternary', 'binary', 'codebook', ...
             'bf16', 'fp16', 'fp8_e4m3', 'fp8_e5m2'};
  if isnumeric (options.bits) && isvector (options.bits)
    for k = 1:numel (options.bits)
      octcompress.internal.check (caller, 'bits', options.bits(k), 'integer', [1 16]);
    end
  else
    octcompress.internal.check (caller, 'bits', options.bits, 'integer', [1 16]);
  end
  octcompress.internal.check (caller, 'scheme', options.scheme, 'choice', schemes);
  octcompress.internal.check (caller, 'granularity', options.granularity, 'choice', ...
                              {'tensor', 'channel', 'group'});
  octcompress.internal.check (caller, 'group_size', options.group_size, 'integer', [1 Inf]);
  if ~isempty (options.axis)
    octcompress.internal.check (caller, 'axis', options.axis, 'integer', [1 16]);
  end
  octcompress.internal.check (caller, 'power2', options.power2, 'flag');
  if ~isempty (options.fit)
    octcompress.internal.check (caller, 'fit', options.fit, 'choice', {'range', 'mse', 'hessian'});
  end
  octcompress.internal.check (caller, 'codebook_start', options.codebook_start, 'choice', ...
                              {'linear', 'density', 'random'});
  octcompress.internal.check (caller, 'rounding', options.rounding, 'choice', ...
                              {'nearest', 'stochastic', 'gptq', 'adaround', 'obq'});
  octcompress.internal.check (caller, 'sparsity', options.sparsity, 'number', [0 1]);
  octcompress.internal.check (caller, 'damping', options.damping, 'number', [0 Inf]);
  octcompress.internal.check (caller, 'steps', options.steps, 'integer', [1 Inf]);
  octcompress.internal.check (caller, 'seed', options.seed, 'integer', [0 2^32 - 1]);
  if ~isempty (options.bias_correction)
    octcompress.internal.check (caller, 'bias_correction', options.bias_correction, 'flag');
  end
  octcompress.internal.check (caller, 'bias', options.bias, 'flag');
  if ~isempty (options.activations)
    octcompress.internal.check (caller, 'activations', options.activations, 'choice', ...
                                {'none', 'static', 'dynamic'});
  end
  octcompress.internal.check (caller, 'activation_bits', options.activation_bits, 'integer', ...
                              [1 16]);
  octcompress.internal.check (caller, 'activation_scheme', options.activation_scheme, 'choice', ...
                              {'symmetric', 'affine'});
  octcompress.internal.check (caller, 'observer', options.observer, 'choice', ...
                              {'minmax', 'average', 'percentile', 'mse', 'kl', 'histogram'});
  octcompress.internal.check (caller, 'percentile', options.percentile, 'number', [50 100]);
  octcompress.internal.check (caller, 'fuse', options.fuse, 'flag');
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  octcompress.internal.check (caller, 'output', options.output, 'choice', {'values', 'codes'});

  compensated = any (strcmp (options.rounding, {'gptq', 'adaround', 'obq'}));
  if compensated && isequal (options.data, [])
    refuse ('ROUNDING ''%s'' needs DATA: calibration inputs of a network', options.rounding);
  elseif ~compensated && strcmp (options.fit, 'hessian')
    refuse ('FIT ''hessian'' needs ROUNDING ''gptq'', ''adaround'' or ''obq''');
  elseif options.sparsity > 0 && ~any (strcmp (options.rounding, {'gptq', 'obq'}))
    refuse ('SPARSITY needs ROUNDING ''gptq'' or ''obq''; use nn_prune before');
  elseif isequal (options.bias_correction, true) && isequal (options.data, [])
    refuse ('BIAS_CORRECTION needs DATA: calibration inputs of a network');
  elseif strcmp (options.activations, 'static') && isequal (options.data, [])
    refuse ('ACTIVATIONS ''static'' needs DATA: calibration inputs');
  elseif strcmp (options.scheme, 'codebook') && ~strcmp (options.granularity, 'tensor')
    refuse ('SCHEME ''codebook'' needs GRANULARITY ''tensor'': a codebook is one for each tensor');
  elseif any (strcmp (options.scheme, {'codebook', 'bf16', 'fp16', 'fp8_e4m3', 'fp8_e5m2'})) ...
         && any (strcmp (options.rounding, {'adaround', 'stochastic'}))
    refuse ('ROUNDING ''%s'' needs a uniform grid; SCHEME is ''%s''', options.rounding, ...
            options.scheme);
  end
end

function refuse (varargin)
  octcompress.internal.fail ('nn_quantize', 'badValue', varargin{:});
end

function settings = settle (options)
  % What the options mean together.
  settings = options;
  switch options.scheme
    case {'ternary', 'binary'}
      settings.bits = 1 + strcmp (options.scheme, 'ternary');
      settings.scheme = 'symmetric';
      if isempty (options.fit)
        settings.fit = 'mse';
      end
  end
  settings.bits = double (settings.bits);
  settings.group = [];
  if strcmp (options.granularity, 'group')
    settings.group = options.group_size;
  end
  compensated = any (strcmp (options.rounding, {'gptq', 'adaround', 'obq'}));
  with_data = ~isequal (options.data, []);
  if compensated && isempty (options.fit)
    settings.fit = 'hessian';
  elseif isempty (settings.fit)
    settings.fit = 'range';
  end
  if isempty (options.bias_correction)
    settings.bias_correction = compensated;
  end
  settings.needs_data = with_data && (compensated || settings.bias_correction ...
                                      || strcmp (options.scheme, 'codebook'));
  if isempty (options.activations)
    settings.activations = 'none';
    if with_data && ~settings.needs_data
      settings.activations = 'static';
    end
  end
  settings.start = options.codebook_start;
  settings.zeros = [];
end

function [result, info] = quantize_array (w, options, settings)
  octcompress.internal.check ('nn_quantize', 'w', w, 'finite');
  if ~isscalar (settings.bits)
    refuse ('BITS must be one number for an array, but is %s', ...
            octcompress.internal.describe (settings.bits));
  end
  grid = grid_of (w, settings.bits, axis_of ([], [], w, options), settings);
  [result, row] = put_on_grid ('array', w, grid, settings);
  info = struct ('options', options, 'grid', grid, 'layers', {{row}}, 'activations', {{}});
  if strcmp (options.output, 'codes')
    if strcmp (settings.rounding, 'nearest')
      result = w;   % values on the grid may overflow where their codes do not
    end
    result = octcompress.quant.encode_grid (result, grid);
    first = octcompress.quant.code_range (grid);
    kind = 'int';
    if first >= 0
      kind = 'uint';
    end
    if grid.bits <= 8 && max ([0; double(result(:))]) <= double (intmax ([kind '8']))
      result = cast (result, [kind '8']);
    else
      result = cast (result, [kind '16']);
    end
  end
end

function axis = axis_of (model, tensor, w, options)
  if strcmp (options.granularity, 'tensor')
    axis = 0;
  elseif ~isempty (options.axis)
    axis = options.axis;
  elseif ~isempty (tensor) && tensor.layer > 0
    axis = octcompress.quant.channel_axis (model.layers{tensor.layer}, tensor.field);
  elseif ismatrix (w)
    axis = 1;
  else
    axis = ndims (w);
  end
end

function grid = grid_of (w, bits, axis, settings)
  fit = settings.fit;
  if strcmp (fit, 'hessian')
    fit = 'mse';
  end
  if strcmp (settings.scheme, 'codebook')
    codebook = octcompress.quant.kmeans (w, 2 ^ bits, 'start', settings.start, 'seed', ...
                                         settings.seed, ...
                                         'zero', ~isempty (settings.zeros));
    grid = struct ('bits', bits, 'scheme', 'codebook', 'codebook', codebook, 'axis', 0);
  else
    grid = octcompress.quant.choose_grid (w, bits, settings.scheme, axis, 'group', ...
                                          settings.group, ...
                                          'power2', settings.power2, 'fit', fit);
  end
end

function [q, row] = put_on_grid (name, w, grid, settings)
  row = [];
  if strcmp (settings.rounding, 'stochastic')
    codes = octcompress.quant.encode_stochastic (w, grid, settings.seed);
    q = octcompress.quant.decode_grid (codes, grid, class (w));
    measured = octcompress.quant.rounding_figures (w, q, codes);
  elseif settings.measured
    [q, measured] = octcompress.quant.quantize_tensor (w, grid);
  else
    q = octcompress.quant.quantize_tensor (w, grid);
    return
  end
  row = figures (name, w, grid, measured);
end

function row = figures (name, w, grid, measured)
  row = struct ('tensor', name, 'bits', grid.bits, 'count', numel (w), 'levels', ...
                measured.levels, ...
                'max_error', measured.max_error, 'sqnr', measured.sqnr);
end

function yes = has_hessian (model, tensor)
  yes = tensor.layer > 0 && strcmp (tensor.field, 'weights') ...
        && any (strcmp (model.layers{tensor.layer}.type, {'dense', 'conv2d'}));
end

function [model, row] = with_data (model, original, tensor, bits, axis, settings)
  k = tensor.layer;
  layer = model.layers{k};
  own_axis = octcompress.quant.channel_axis (layer, 'weights');
  if axis > 0 && axis ~= own_axis
    refuse (['AXIS must be %d, the output channels of layer ''%s'', with data-driven rounding, ' ...
             'but is %d'], ...
            own_axis, layer.name, axis);
  end
  settings.axis = double (axis > 0);
  stats = octcompress.model.input_gram ('nn_quantize', model, settings.data, k, ...
                                        settings.batch_size, original);
  if ~isempty (settings.zeros)
    layer_of_zeros = layer;
    layer_of_zeros.weights = settings.zeros;
    settings.zeros = octcompress.model.weights_matrix (layer_of_zeros);
  end
  if bits > 6 && strcmp (settings.fit, 'hessian')
    settings.fit = 'range';
  end
  bias = [];
  if isfield (layer, 'bias')
    bias = layer.bias;
  end
  w = octcompress.model.weights_matrix (layer);
  [q, new_bias, grid, measured] = octcompress.quant.quantize_matrix (w, bias, stats, bits, ...
                                                                     settings);
  if axis > 0
    grid.axis = own_axis;
  end
  model.layers{k}.weights = octcompress.model.matrix_weights (q, layer);
  if ~isempty (bias)
    model.layers{k}.bias = new_bias;
  end
  model = octcompress.model.promise (model, tensor, 'quantization', grid);
  if settings.sparsity > 0
    rule = struct ('criterion', 'obs', 'structure', 'weight', 'scope', 'layer', 'rule', ...
                   'sparsity', ...
                   'amount', settings.sparsity, 'limit', 0, 'zeros', nnz (q == 0));
    model = octcompress.model.promise (model, tensor, 'pruning', rule);
  end
  row = figures (tensor.name, w, grid, octcompress.quant.rounding_figures (w, q, measured.codes));
  row.output_sqnr = measured.output_sqnr;
end

%!shared w, model, X
%! w = single ([-1 0.5; 0.26 0]);
%! X = single ([0 1 2; 1 -1 0]);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', single ([1 0.3; -2 0.1]), ...
%!                        'bias', single ([0.5; 0.25])), ...
%!                 struct('type', 'relu', 'name', 'r')};
%!test % by position and by name
%! q = nn_quantize (w, 3);
%! assert (q, single ([-1 2/3; 1/3 0]), eps ('single'));
%! assert (nn_quantize (w, 'bits', 3), q);
%! assert (nn_quantize (w, struct ('bits', 3)), q);
%!test % codes
%! [codes, info] = nn_quantize (w, 3, 'output', 'codes');
%! assert (codes, int8 ([-3 2; 1 0]));
%! assert (octcompress.quant.decode_grid (codes, info.grid), nn_quantize (w, 3));
%! assert (class (nn_quantize (w, 9, 'output', 'codes')), 'int16');
%! assert (info.layers{1}.levels, 4);
%!test % each row its own scale
%! [~, info] = nn_quantize (w, 8, 'granularity', 'channel');
%! assert (info.grid.scale, single ([1; 0.26]) / 127, eps ('single'));
%!test % the last dimension of a convolution's kernel
%! [~, info] = nn_quantize (rand (3, 3, 2, 5), 8, 'granularity', 'channel');
%! assert (size (info.grid.scale), [5 1]);
%! assert (info.grid.axis, 4);
%!test % double stays double; empty stays empty
%! assert (class (nn_quantize ([1 2], 8)), 'double');
%! assert (nn_quantize (single (zeros (0, 3)), 8), single (zeros (0, 3)));
%!test % a network: weights on the grid, the grid beside them, biases untouched
%! [q, info] = nn_quantize (model, 4);
%! grid = q.layers{1}.quantization.weights;
%! assert (grid, octcompress.quant.choose_grid (model.layers{1}.weights, 4));
%! assert (q.layers{1}.weights, octcompress.quant.snap_to_grid (model.layers{1}.weights, grid));
%! assert (q.layers{1}.bias, model.layers{1}.bias);
%! assert (info.layers{1}.tensor, 'a.weights');
%!test % activations: predictions lie on the grid of the last layer
%! [q, info] = nn_quantize (model, 8, 'data', X);
%! grid = q.layers{2}.quantization.output;
%! y = nn_predict (q, X);
%! codes = octcompress.quant.encode_grid (y, grid);
%! assert (octcompress.quant.decode_grid (codes, grid), y);
%! assert (y, nn_predict (model, X), 0.05);
%! assert ({info.activations{1}.lo, info.activations{1}.hi}, {-1, 2});
%! assert (nn_quantize (q, 8, 'data', X), q);
%! assert (cellfun (@(row) row.layer, info.activations, 'UniformOutput', false), {'input', 'r'});
%! [~, info] = nn_quantize (model, 8, 'data', X, 'fuse', false);
%! assert (numel (info.activations), 3);
%!test % dynamic: no data, what dense layers read gets a range of its own
%! q = nn_quantize (model, 8, 'activations', 'dynamic');
%! assert (q.quantization.input.dynamic);
%! assert (nn_predict (q, X), nn_predict (model, X), 0.05);
%! together = nn_predict (q, X);
%! assert (nn_predict (q, X(:, 2)), together(:, 2), 1e-6);
%!test % groups, powers of two, ternary, binary, floating point
%! [~, info] = nn_quantize (w, 4, 'granularity', 'group', 'group_size', 1);
%! assert (info.grid.scale, single ([1/7; 0.5/7; 0.26/7; 1]), eps ('single'));
%! [~, info] = nn_quantize (w, 4, 'power2', true);
%! assert (info.grid.scale, single (0.25));
%! assert (nn_quantize (single ([3 -1 0.1 1]), 'scheme', 'ternary'), single ([3 0 0 0]));
%! assert (nn_quantize (single ([3 -1 1 -1]), 'scheme', 'binary'), single ([1.5 -1.5 1.5 -1.5]));
%! assert (nn_quantize (single (1 + 2 ^ -9), 'scheme', 'bf16'), single (1));
%! assert (class (nn_quantize (w, 'scheme', 'fp8_e4m3', 'output', 'codes')), 'uint8');
%!test % a codebook: as many values, exactly its entries
%! v = single (mod ((1:300) * 0.377, 2) - 0.8) .^ 3;
%! [q, info] = nn_quantize (v, 3, 'scheme', 'codebook');
%! assert (unique (q(:)), info.grid.codebook);
%! assert (info.layers{1}.levels, 8);
%! [codes, info] = nn_quantize (v, 3, 'scheme', 'codebook', 'output', 'codes');
%! assert (class (codes), 'uint8');
%! assert (octcompress.quant.decode_grid (codes, info.grid), q);
%!test % stochastic rounding is seeded
%! a = nn_quantize (w, 2, 'rounding', 'stochastic', 'seed', 3);
%! assert (nn_quantize (w, 2, 'rounding', 'stochastic', 'seed', 3), a);
%! assert (abs (a - w) < 1);
%!test % one number of bits for each tensor
%! deep = model;
%! deep.layers{3} = struct ('type', 'dense', 'name', 'b', 'weights', single ([1 0.3]));
%! [q, info] = nn_quantize (deep, 'bits', [2 5]);
%! assert ({q.layers{1}.quantization.weights.bits, q.layers{3}.quantization.weights.bits}, {2, 5});
%!shared net, data
%! data = single (tril (ones (6)) * (reshape (mod ((1:1200) * 0.7548776662, 1), 6, 200) - 0.3));
%! dense = @(name, out, in) struct ('type', 'dense', 'name', name, ...
%!   'weights', single (reshape (mod ((1:out * in) * 0.5698402910, 1) - 0.5, out, in)), 'bias', ...
%!   single ((1:out)' / out));
%! net.layers = {dense('a', 8, 6), struct('type', 'relu', 'name', 'r'), dense('b', 5, 8)};
%!test % data-driven rounding: smaller error of the outputs than rounding to nearest
%! err = @(q) norm (nn_predict (q, data) - nn_predict (net, data), 'fro');
%! nearest = err (nn_quantize (net, 3, 'granularity', 'channel'));
%! for rounding = {'gptq', 'obq', 'adaround'}
%!   [q, info] = nn_quantize (net, 3, 'granularity', 'channel', 'rounding', rounding{1}, ...
%!                            'data', data, 'steps', 300);
%!   assert (err (q) < 0.6 * nearest, rounding{1});
%!   grid = q.layers{3}.quantization.weights;
%!   assert (octcompress.quant.snap_to_grid (q.layers{3}.weights, grid), q.layers{3}.weights);
%!   assert (size (grid.scale), [5 1]);
%!   assert (info.layers{1}.output_sqnr > 10);
%!   assert (~isfield (q, 'quantization'));
%! end
%!test % all the forms of grid with GPTQ
%! forms = {{'scheme', 'affine'}, {'granularity', 'group', 'group_size', 3}, ...
%!          {'scheme', 'codebook'}, ...
%!          {'power2', true}, {'scheme', 'ternary'}, {'scheme', 'binary'}, {'scheme', 'bf16'}, ...
%!          {'fit', 'mse'}};
%! for k = 1:numel (forms)
%!   q = nn_quantize (net, 3, 'rounding', 'gptq', 'data', data, forms{k}{:});
%!   for layer = q.layers([1 3])
%!     assert (octcompress.quant.snap_to_grid (layer{1}.weights, ...
%!                                             layer{1}.quantization.weights), layer{1}.weights);
%!   end
%! end
%!test % pruned weights stay zero, and sparsity prunes more in the same pass
%! pruned = nn_prune (net, 'sparsity', 0.3);
%! q = nn_quantize (pruned, 4, 'rounding', 'gptq', 'data', data);
%! assert (all (q.layers{1}.weights(pruned.layers{1}.weights == 0) == 0));
%! q = nn_quantize (net, 4, 'rounding', 'gptq', 'data', data, 'sparsity', 0.5);
%! assert (nnz (q.layers{1}.weights == 0) >= 24);
%! assert (q.layers{1}.pruning.weights.zeros, nnz (q.layers{1}.weights == 0));
%!test % zeros of pruning keep an entry of the codebook
%! pruned = nn_prune (net, 'sparsity', 0.3);
%! for more = {{}, {'data', data}, {'data', data, 'rounding', 'gptq'}}
%!   q = nn_quantize (pruned, 2, 'scheme', 'codebook', more{1}{:});
%!   grid = q.layers{1}.quantization.weights;
%!   assert (numel (grid.codebook), 5);
%!   assert (all (q.layers{1}.weights(pruned.layers{1}.weights == 0) == 0));
%! end
%!test % bias correction alone keeps the mean output
%! q = nn_quantize (net, 2, 'data', data, 'bias_correction', true);
%! assert (mean (q.layers{1}.weights * data + q.layers{1}.bias, 2), ...
%!         mean (net.layers{1}.weights * data + net.layers{1}.bias, 2), 1e-4);
%!test % weights by GPTQ and activations in one call
%! q = nn_quantize (net, 8, 'rounding', 'gptq', 'data', data, 'activations', 'static', ...
%!                  'observer', 'mse');
%! assert (isfield (q.quantization, 'input'));
%! assert (nn_predict (q, data), nn_predict (net, data), 0.15);
%!error <nn_quantize: ROUNDING 'gptq' needs DATA> nn_quantize (net, 3, 'rounding', 'gptq')
%!error <nn_quantize: SPARSITY needs ROUNDING 'gptq' or 'obq'> nn_quantize (net, 3, 'sparsity', 0.5)
%!error <nn_quantize: BITS must be one number, or one for each of the 2 tensors, but are 3> nn_quantize (net, [3 3 3])
%!error <nn_quantize: AXIS must be 1, the output channels of layer 'a', with data-driven rounding, but is 2>
%! nn_quantize (net, 3, 'rounding', 'gptq', 'data', data, 'granularity', 'channel', 'axis', 2);
%!error <nn_quantize: SCHEME 'codebook' needs GRANULARITY 'tensor'> nn_quantize (net, 3, 'scheme', 'codebook', 'granularity', 'channel')
%!error <nn_quantize: ACTIVATIONS 'static' needs DATA> nn_quantize (net, 3, 'activations', 'static')
%!shared w, model, X
%! w = single ([-1 0.5; 0.26 0]);
%! X = single ([0 1 2; 1 -1 0]);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', single ([1 0.3; -2 0.1]), ...
%!                        'bias', single ([0.5; 0.25])), ...
%!                 struct('type', 'relu', 'name', 'r')};
%!error <nn_quantize: BITS must be a whole number from 1 to 16, but is 0> nn_quantize (w, 0)
%!error <nn_quantize: BITS must be a whole number from 1 to 16, but is 17> nn_quantize (w, 17)
%!error <nn_quantize: there is no option 'bit'; the options are bits, scheme> nn_quantize (w, 'bit', 3)
%!error <nn_quantize: W must be finite, but element 1 of 2 is NaN> nn_quantize ([NaN 1], 3)
%!error <nn_quantize: W of 'a.weights' must be finite, but element 1 of 1 is Inf>
%! nn_quantize (struct ('layers', {{struct('type', 'dense', 'name', 'a', 'weights', Inf)}}), 3);
%!error <nn_quantize: OUTPUT can be 'codes' for an array only> nn_quantize (model, 3, 'output', 'codes')
%!error <nn_quantize: DATA needs a network that can be computed> nn_quantize (struct ('A', w), 3, 'data', X)
%!error <nn_quantize: DATA must hold at least one observation> nn_quantize (model, 3, 'data', zeros (2, 0))
%!error <nn_quantize: X must have 2 features in each column, but is 3x1 double> nn_quantize (model, 3, 'data', [1; 2; 3])
