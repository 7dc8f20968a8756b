function [model, info] = nn_quantize (model, varargin)
%NN_QUANTIZE  Put weights, and given data also activations, on a uniform grid of n bits.
%
%   [model, info] = nn_quantize (model, bits, ...)
%   [model, info] = nn_quantize (model, 'bits', bits, ...)
%   [model, info] = nn_quantize (model, 'bits', bits, 'data', X, ...)
%   [w, info] = nn_quantize (w, bits, ...)
%   [codes, info] = nn_quantize (w, bits, 'output', 'codes')
%
%   model  a network (docs/model-format.md), or any struct of arrays
%   w      a single or double array of any size; comes back in the same class and size
%
%   Options, as name-value pairs or a struct:
%     bits (8)                        1 to 16, of the weights
%     scheme ('symmetric')            'symmetric' about 0, or 'affine': from the least to the
%                                     greatest weight
%     granularity ('tensor')          'tensor': one scale; 'channel': one for each output
%                                     channel (rows of a dense layer; see axis)
%     axis ([])                       dimension of the channels: 1 for a matrix, the last one
%                                     for other arrays
%     layers ([])                     names or numbers of the layers to quantize; all
%     bias (false)                    true: biases and other vectors too
%     data ([])                       calibration inputs, as nn_predict takes them; the input and
%                                     the output of every layer then get a grid as well (static
%                                     activation quantization), and nn_predict computes on it
%     activation_bits (8)             1 to 16
%     activation_scheme ('affine')    'affine' or 'symmetric', over the range seen in data
%     batch_size (256)                observations at a time in calibration
%     output ('values')               for an array: 'values' on the grid, or 'codes': int8 up to
%                                     8 bits, int16 above
%
%   The weights stay single arrays: each is the value on the grid. The grid stands beside them in
%   layer.quantization.weights (bits, scheme, scale, zero_point, axis) [1]; the grids of the
%   activations in layer.quantization.output and model.quantization.input. Zeros stay zeros.
%
%   info.options  the options as merged with the defaults
%   info.grid     for an array: its grid, as octcompress.quant.choose_grid gives it
%   info.layers   cell of structs, one for each tensor: tensor, bits, count, levels (distinct
%                 codes used), max_error, sqnr (signal to quantization noise, dB)
%   info.activations  cell of structs, one for the input and each layer: layer, lo, hi, scale,
%                 zero_point; empty without data
%
%   Errors: octcompress:nn_quantize:badValue, :unknownOption, :notFinite (names the layer),
%   :unknownLayer, :noTensors, :badType, :notModel, :badInput.
%
%   Example:
%     [q, info] = nn_quantize (nn_load ('lenet300.mat'), 'bits', 4, 'granularity', 'channel');
%
%   [1] Jacob et al., Quantization and training of neural networks for efficient
%       integer-arithmetic-only inference, CVPR 2018, arXiv:1712.05877.
%
%   See also nn_prune, nn_predict, octcompress.quant.choose_grid.

  defaults.bits = 8;
  defaults.scheme = 'symmetric';
  defaults.granularity = 'tensor';
  defaults.axis = [];
  defaults.layers = [];
  defaults.bias = false;
  defaults.data = [];
  defaults.activation_bits = 8;
  defaults.activation_scheme = 'affine';
  defaults.batch_size = 256;
  defaults.output = 'values';
  args = varargin;
  if ~isempty (args) && isnumeric (args{1})
    args = [{'bits'}, args];
  end
  options = octcompress.internal.parse_options ('nn_quantize', defaults, args);
  check_options (options);

  if ~isstruct (model)
    [model, info] = quantize_array (model, options);
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
  info = struct ('options', options, 'layers', {cell(1, numel (tensors))}, 'activations', {{}});
  for k = 1:numel (tensors)
    w = subsref (model, tensors{k}.path);
    octcompress.internal.check ('nn_quantize', 'w', w, 'finite', ['''' tensors{k}.name '''']);
    grid = octcompress.quant.choose_grid (w, options.bits, options.scheme, ...
                                          axis_of (model, tensors{k}, w, options));
    [q, measured] = octcompress.quant.quantize_tensor (w, grid);
    info.layers{k} = figures (tensors{k}.name, w, grid, measured);
    model = subsasgn (model, tensors{k}.path, q);
    model = octcompress.model.promise (model, tensors{k}, 'quantization', grid);
  end
  if ~isequal (options.data, [])
    [model, info.activations] = calibrate (model, options);
  end
end

function check_options (options)
  caller = 'nn_quantize';
  octcompress.internal.check (caller, 'bits', options.bits, 'integer', [1 16]);
  octcompress.internal.check (caller, 'scheme', options.scheme, 'choice', {'symmetric', 'affine'});
  octcompress.internal.check (caller, 'granularity', options.granularity, 'choice', {'tensor', 'channel'});
  if ~isempty (options.axis)
    octcompress.internal.check (caller, 'axis', options.axis, 'integer', [1 16]);
  end
  octcompress.internal.check (caller, 'bias', options.bias, 'flag');
  octcompress.internal.check (caller, 'activation_bits', options.activation_bits, 'integer', [1 16]);
  octcompress.internal.check (caller, 'activation_scheme', options.activation_scheme, 'choice', ...
                              {'symmetric', 'affine'});
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  octcompress.internal.check (caller, 'output', options.output, 'choice', {'values', 'codes'});
end

function [result, info] = quantize_array (w, options)
  octcompress.internal.check ('nn_quantize', 'w', w, 'finite');
  grid = octcompress.quant.choose_grid (w, options.bits, options.scheme, axis_of ([], [], w, options));
  [result, measured] = octcompress.quant.quantize_tensor (w, grid);
  info = struct ('options', options, 'grid', grid, 'layers', {{figures('array', w, grid, measured)}}, ...
                 'activations', {{}});
  if strcmp (options.output, 'codes')
    codes = octcompress.quant.encode_grid (w, grid);
    if options.bits <= 8
      result = int8 (codes);
    else
      result = int16 (codes);
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

function row = figures (name, w, grid, measured)
  row = struct ('tensor', name, 'bits', grid.bits, 'count', numel (w), 'levels', measured.levels, ...
                'max_error', measured.max_error, 'sqnr', measured.sqnr);
end

function [model, rows] = calibrate (model, options)
  % The range of every activation, batch by batch, on the quantized weights.
  plan = octcompress.model.plan ('nn_quantize', model);
  [x, batches] = octcompress.model.batches ('nn_quantize', model, options.data, options.batch_size);
  if isempty (batches)
    octcompress.internal.fail ('nn_quantize', 'badInput', 'DATA must hold at least one observation');
  end
  model.quantization = struct ();
  layers = without_output_grids (model.layers);
  count = numel (layers);
  lo = Inf (count + 1, 1);
  hi = -Inf (count + 1, 1);
  for b = 1:size (batches, 1)
    batch = octcompress.model.take_batch (x, model, batches(b, 1):batches(b, 2));
    [~, trace] = octcompress.model.forward (plan, layers, batch);
    values = [{batch}, trace.values];
    for k = 1:count + 1
      lo(k) = min (lo(k), double (min (values{k}(:))));
      hi(k) = max (hi(k), double (max (values{k}(:))));
      if any (isnan (values{k}(:)))
        lo(k) = -Inf;
      end
    end
  end
  faulty = find (~isfinite (lo + hi), 1) - 1;
  if ~isempty (faulty)
    octcompress.internal.fail ('nn_quantize', 'notFinite', ...
      'the output of layer ''%s'' is not finite on DATA; scale the inputs as in training', ...
      layers{max(faulty, 1)}.name);
  end
  rows = cell (1, count + 1);
  for k = 0:count
    grid = octcompress.quant.grid_of_range (lo(k + 1), hi(k + 1), options.activation_bits, ...
                                            options.activation_scheme, 0, class (batch));
    name = 'input';
    if k == 0
      model.quantization.input = grid;
    else
      name = layers{k}.name;
      model.layers{k}.quantization.output = grid;
    end
    rows{k + 1} = struct ('layer', name, 'lo', lo(k + 1), 'hi', hi(k + 1), 'scale', double (grid.scale), ...
                          'zero_point', double (grid.zero_point));
  end
end

function layers = without_output_grids (layers)
  for k = 1:numel (layers)
    if isfield (layers{k}, 'quantization') && isfield (layers{k}.quantization, 'output')
      layers{k}.quantization = rmfield (layers{k}.quantization, 'output');
    end
  end
end

%!shared w, model, X
%! w = single ([-1 0.5; 0.26 0]);
%! X = single ([0 1 2; 1 -1 0]);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', single ([1 0.3; -2 0.1]), 'bias', single ([0.5; 0.25])), ...
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
%! assert (numel (info.activations), 3);
%! assert ({info.activations{1}.lo, info.activations{1}.hi}, {-1, 2});
%! assert (nn_quantize (q, 8, 'data', X), q);
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
