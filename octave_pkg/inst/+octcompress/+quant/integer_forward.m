function [y, grids] = integer_forward (plan, layers, x, in_grid, rounding)
%INTEGER_FORWARD  Compute a quantized network on one batch in integers.
%
%   [y, grids] = octcompress.quant.integer_forward (plan, layers, x, in_grid, rounding)
%
%   plan      of octcompress.model.plan
%   layers    cell of layers with grids of weights and activations (nn_quantize with data)
%   x         double, codes of the batch in the engine's layout
%   in_grid   model.quantization.input
%   rounding  'double' or 'single' (octcompress.quant.fixed_multiply); 'litert': 'single' in dense
%             layers and 'double' in all others, as LiteRT's reference kernels were seen to do
%   y         cell of double arrays of whole numbers: the codes of each output
%   grids     cell: their grids
%
%   dense, conv2d, transposedconv2d  sums of products of codes less their zero points, plus an
%                   integer bias, times a fixed-point multiplier for each channel; a following
%                   relu or relu6 is a bound on the result
%   add, subtract   codes times 2^20 brought to twice the greater input scale, then to the output's
%   multiply        the product of codes times one multiplier
%   averagepool, globalaveragepool  the mean of codes, rounded half away from zero
%   maxpool, flatten, concat, ...   codes as they are
%   softmax, logsoftmax   octcompress.quant.integer_softmax
%   prelu           the code less its zero point times s_in / s_out, below 0 that times the slope's
%                   code (8 bits, symmetric) times s_in * s_slope / s_out
%   upsample        'bilinear': weights of 10 bits, from the sizes of both images
%   leakyrelu, hardswish   octcompress.quant.integer_table
%   other functions of one number: from a table of all 256 codes
%
%   All in doubles, which hold integers up to 2^53 exactly, so the layers' own functions do the
%   work. The rules are those of TensorFlow Lite's reference kernels for int8 [1].
%
%   Errors: octcompress:nn_predict:notInteger (names the layer).
%
%   [1] tensorflow.org/lite/performance/quantization_spec.
%
%   See also nn_predict, octcompress.quant.integer_layer.

  values = cell (1, numel (layers));
  for k = 1:numel (layers)
    reads = plan.inputs{k};
    in = cell (1, numel (reads));
    for i = 1:numel (reads)
      if reads(i) == 0
        in{i} = struct ('codes', x, 'grid', in_grid, 'low', -Inf, 'high', Inf, 'pending', []);
      else
        in{i} = values{reads(i)};
      end
    end
    values{k} = compute (plan.run{k}, layers{k}, in, rounding);
    for used = reads(reads > 0)
      if plan.last_use(used) == k && ~any (plan.outputs == used)
        values{used} = [];
      end
    end
  end
  y = cell (1, numel (plan.outputs));
  grids = y;
  for k = 1:numel (y)
    result = values{plan.outputs(k)};
    if isempty (result.grid)
      refuse (layers{plan.outputs(k)}, 'its output, which is the network''s, has no grid');
    end
    y{k} = result.codes;
    grids{k} = result.grid;
  end
end

function value = compute (run, layer, in, rounding)
  first = in{1};
  out_grid = [];
  if isfield (layer, 'quantization') && isfield (layer.quantization, 'output')
    out_grid = layer.quantization.output;
    if isfield (out_grid, 'dynamic') || out_grid.bits > 8
      refuse (layer, 'the grid of its output must be static, of up to 8 bits');
    end
  end
  weighted = any (strcmp (layer.type, {'dense', 'conv2d', 'transposedconv2d', 'add', ...
                                       'subtract', 'multiply'}));
  clips = any (strcmp (layer.type, {'relu', 'relu6'}));
  for k = 1:numel (in)
    if ~isempty (in{k}.pending) && ~clips
      refuse (layer, ...
              ['the layer before it has no grid of its own; fold batch normalisations by ' ...
               'nn_fold before nn_quantize']);
    end
  end
  value = struct ('codes', [], 'grid', out_grid, 'low', -Inf, 'high', Inf, 'pending', []);
  if weighted
    value.pending = struct ('layer', layer, 'run', run, 'in', {in});
  elseif clips && ~isempty (first.pending)
    value.pending = first.pending;
    value.low = max (first.low, 0);
    value.high = first.high;
    if strcmp (layer.type, 'relu6')
      value.high = min (value.high, 6);
    end
  end
  if ~isempty (value.pending)
    if ~isempty (out_grid)
      value = finish (value, rounding);
    end
    return
  end

  zero = double (first.grid.zero_point);
  switch layer.type
    case {'maxpool', 'globalmaxpool', 'flatten', 'reshape', 'permute', 'dropout', 'identity', ...
          'zeropad', 'upsample', 'relu'}
      if strcmp (layer.type, 'upsample') ...
            && strcmp (octcompress.layers.option (layer, 'method', 'nearest'), 'bilinear')
        value.codes = bilinear (layer, first.codes, rounding);
      else
        value.codes = run ('forward', layer, first.codes - zero, false) + zero;
      end
      value = rescale (value, first.grid, rounding);
    case {'averagepool', 'globalaveragepool'}
      value.codes = mean_codes (run, layer, first.codes);
      value = rescale (value, first.grid, rounding);
    case 'concat'
      codes = cell (1, numel (in));
      for k = 1:numel (in)
        part = rescale (struct ('codes', in{k}.codes, 'grid', out_grid), in{k}.grid, rounding);
        codes{k} = part.codes;
      end
      value.codes = run ('forward', layer, codes, false);
      if isempty (value.grid)
        value.grid = first.grid;
      end
    case 'softmax'
      if isempty (out_grid) || first.grid.bits ~= 8 || double (out_grid.scale) ~= 1 / 256 ...
            || out_grid.zero_point ~= -128
        refuse (layer, ...
                ['its output must have 8 bits, the scale 1/256 and the zero point -128, and ' ...
                 'its input 8 bits']);
      end
      value.codes = octcompress.quant.integer_softmax (first.codes, single (first.grid.scale));
    case 'logsoftmax'
      if isempty (out_grid) || first.grid.bits ~= 8 || double (out_grid.scale) ~= 1 / 16 ...
            || out_grid.zero_point ~= 127
        refuse (layer, ...
                ['its output must have 8 bits, the scale 1/16 and the zero point 127, and its ' ...
                 'input 8 bits']);
      end
      value.codes = octcompress.quant.integer_softmax (first.codes, single (first.grid.scale), ...
                                                       rounding);
    case 'prelu'
      if isempty (out_grid)
        refuse (layer, 'its output has no grid');
      end
      value.codes = rectified (layer, first.codes - zero, first.grid, out_grid, rounding);
    otherwise
      value.codes = from_table (run, layer, first, out_grid, rounding);
  end
end

function value = finish (value, rounding)
  % The sums of a layer with weights, or of an elementwise one, brought to their grid.
  layer = value.pending.layer;
  in = value.pending.in;
  grid = value.grid;
  out_scale = double (single (grid.scale));
  zero = double (grid.zero_point);
  centred = cell (1, numel (in));
  for k = 1:numel (in)
    centred{k} = in{k}.codes - double (in{k}.grid.zero_point);
  end
  switch layer.type
    case {'add', 'subtract'}
      if numel (in) > 2
        refuse (layer, 'only two inputs can be added in integers');
      end
      scales = [double(single (in{1}.grid.scale)), double(single (in{2}.grid.scale))];
      twice = 2 * max (scales);
      for k = 1:2
        [m, s] = octcompress.quant.fixed_multiplier (scales(k) / twice);
        centred{k} = octcompress.quant.fixed_multiply (centred{k} * 2 ^ 20, m, s, rounding);
      end
      total = value.pending.run ('forward', layer, centred, false);
      [m, s] = octcompress.quant.fixed_multiplier (twice / (2 ^ 20 * out_scale));
    case 'multiply'
      if numel (in) > 2
        refuse (layer, 'only two inputs can be multiplied in integers');
      end
      total = value.pending.run ('forward', layer, centred, false);
      [m, s] = octcompress.quant.fixed_multiplier ( ...
        double (single (in{1}.grid.scale) * single (in{2}.grid.scale) / single (grid.scale)));
    otherwise
      integers = octcompress.quant.integer_layer (layer, in{1}.grid, grid);
      layer.weights = double (integers.weights);
      layer.bias = [];
      total = value.pending.run ('forward', layer, centred{1}, false) + integers.bias;
      m = integers.multiplier;
      s = integers.shift;
      if strcmp (rounding, 'litert') && strcmp (layer.type, 'dense')
        rounding = 'single';
      end
  end
  [first, last] = octcompress.quant.code_range (grid);
  low = max (first, zero + round (value.low / out_scale));
  high = min (last, zero + round (value.high / out_scale));
  value.codes = min (max (octcompress.quant.fixed_multiply (total, m, s, rounding) + zero, ...
                          low), high);
  value.pending = [];
  value.low = -Inf;
  value.high = Inf;
end

function value = rescale (value, grid, rounding)
  % Codes that lie on GRID, put on VALUE.GRID where it is another one.
  if isempty (value.grid)
    value.grid = grid;
  elseif value.grid.scale ~= grid.scale || value.grid.zero_point ~= grid.zero_point
    ratio = double (single (grid.scale)) / double (single (value.grid.scale));
    [m, s] = octcompress.quant.fixed_multiplier (ratio);
    [first, last] = octcompress.quant.code_range (value.grid);
    codes = octcompress.quant.fixed_multiply (value.codes - double (grid.zero_point), m, s, ...
                                              rounding);
    value.codes = min (max (codes + double (value.grid.zero_point), first), last);
  end
end

function codes = mean_codes (run, layer, codes)
  area = size (codes, 2) * size (codes, 4);
  count = area;
  if strcmp (layer.type, 'averagepool')
    if isfield (layer, 'count_include_pad') && ~isempty (layer.count_include_pad) ...
          && layer.count_include_pad
      refuse (layer, 'count_include_pad has no integer form');
    end
    layer.count_include_pad = true;
    area = prod (layer.pool_size(:)' .* [1 1]);
    count = round (run ('forward', layer, ones (size (codes)), false) * area);
  end
  total = round (run ('forward', layer, codes, false) * area);
  codes = fix ((total + sign (total) .* floor (count / 2)) ./ count);
end

function codes = bilinear (layer, codes, rounding)
  [out_size, ~] = octcompress.layers.upsample ('size', layer, [size(codes, 4), size(codes, 2), 1]);
  corners = octcompress.layers.option (layer, 'align_corners', false);
  [below, above, share] = lines (size (codes, 2), out_size(2), corners);
  codes = codes(:, below, :, :) .* (1024 - share) + codes(:, above, :, :) .* share;
  [below, above, share] = lines (size (codes, 4), out_size(1), corners);
  share = reshape (share, 1, 1, 1, []);
  codes = codes(:, :, :, below) .* (1024 - share) + codes(:, :, :, above) .* share;
  if strcmp (rounding, 'single')
    codes = floor (codes / 2 ^ 20 + 0.5);
  else
    codes = round (codes / 2 ^ 20);
  end
end

function [below, above, share] = lines (in, out, corners)
  % The two lines of the image between which each line of the result lies, and the share of the
  % second, in 1024ths.
  step = floor ((1024 * in + floor (out / 2)) / out);
  if corners && out > 1
    step = floor ((1024 * (in - 1) + floor ((out - 1) / 2)) / (out - 1));
  end
  place = (0:out-1) * step;
  if ~corners
    place = place + floor (step / 2) - 512;
  end
  below = max (fix (place / 1024), 0);
  above = min (fix ((place + 1023) / 1024), in - 1) + 1;
  share = place - 1024 * below;
  below = below + 1;
end

function codes = rectified (layer, x, in_grid, out_grid, rounding)
  slope = single (layer.slope);
  grid = octcompress.quant.choose_grid (slope, 8);
  in_scale = single (in_grid.scale);
  out_scale = single (out_grid.scale);
  [m, s] = octcompress.quant.fixed_multiplier (double (in_scale / out_scale));
  codes = octcompress.quant.fixed_multiply (x, m, s, rounding);
  [m, s] = octcompress.quant.fixed_multiplier (double (in_scale * grid.scale / out_scale));
  slope = double (octcompress.quant.encode_grid (slope, grid));
  below = octcompress.quant.fixed_multiply (x .* slope, m, s, rounding);
  codes(x < 0) = below(x < 0);
  [first, last] = octcompress.quant.code_range (out_grid);
  codes = min (max (codes + double (out_grid.zero_point), first), last);
end

function codes = from_table (run, layer, in, out_grid, rounding)
  if isempty (out_grid)
    refuse (layer, 'its output has no grid');
  end
  [first, last] = octcompress.quant.code_range (in.grid);
  if any (strcmp (layer.type, {'leakyrelu', 'hardswish'}))
    codes = octcompress.quant.integer_table (layer, double (first:last)', in.grid, out_grid, ...
                                             rounding);
    codes = reshape (codes(in.codes - first + 1), size (in.codes));
    return
  end
  table = (double (first:last)' - double (in.grid.zero_point)) * double (single (in.grid.scale));
  try
    result = run ('forward', layer, table', false);
  catch
    result = [];
  end
  if ~isequal (size (result), size (table')) || any (strcmp (layer.type, ...
        {'batchnorm', 'scale', 'lstm', 'gru'}))
    refuse (layer, ...
            ['this type of layer has no integer form; fold batch normalisations by nn_fold ' ...
             'before nn_quantize']);
  end
  grid = out_grid;
  grid.scale = double (single (grid.scale));
  codes = double (octcompress.quant.encode_grid (double (result), grid));
  codes = reshape (codes(in.codes - first + 1), size (in.codes));
end

function refuse (layer, why)
  octcompress.internal.fail ('nn_predict', 'notInteger', ...
    'layer ''%s'' (%s) cannot be computed in integers: %s', layer.name, layer.type, why);
end

%!function codes = through (layer, codes, in_grid, out_grid)
%!  layer.name = 'a';
%!  layer.quantization.output = out_grid;
%!  model = octcompress.model.tidy ('f', struct ('layers', {{layer}}, 'input_size', ...
%!                                               [size(codes, 4), size(codes, 2), size(codes, 1)]));
%!  plan = octcompress.model.plan ('f', model);
%!  y = octcompress.quant.integer_forward (plan, model.layers, codes, in_grid, 'double');
%!  codes = y{1};
%!endfunction
%!test % bilinear, as LiteRT's reference kernels compute it
%! grid = struct ('bits', 8, 'scheme', 'affine', 'scale', 0.1, 'zero_point', 3, 'axis', 0);
%! x = permute (reshape ([127 64; -128 0], [1 2 2 1]), [1 2 4 3]);   % C x W x N x H
%! up = struct ('type', 'upsample', 'factor', 2, 'method', 'bilinear');
%! y = reshape (through (up, x, grid, grid), 4, 4)';
%! assert (y, [127 63 -64 -128; 111 59 -44 -96; 80 52 -4 -32; 64 48 16 0]);
%! up.align_corners = true;
%! y = reshape (through (up, x, grid, grid), 4, 4)';
%! assert (y, [127 42 -43 -128; 106 42 -21 -85; 85 42 0 -43; 64 43 21 0]);
%!test % prelu: each channel with its slope
%! grid = struct ('bits', 8, 'scheme', 'affine', 'scale', 0.1, 'zero_point', 3, 'axis', 0);
%! layer = struct ('type', 'prelu', 'slope', [0.5; 1; -1]);
%! x = 3 + [10 -10; 10 -10; 10 -10];
%! y = through (layer, reshape (x, 3, 2), grid, grid);
%! assert (reshape (y, 3, 2), 3 + [10 -5; 10 -10; 10 10]);
%!test % by hand: (2 * (5 - 1) + 3 * (7 - 1)) * 0.5 * 0.1 / 0.1 = 13, and the zero point
%! layer = struct ('type', 'dense', 'name', 'a', 'weights', [1 1.5]);
%! layer.quantization.weights = struct ('bits', 8, 'scheme', 'symmetric', 'scale', 0.5, ...
%!                                      'zero_point', 0, 'axis', 0);
%! layer.quantization.output = struct ('bits', 8, 'scheme', 'affine', 'scale', 0.1, ...
%!                                     'zero_point', -3, 'axis', 0);
%! in_grid = struct ('bits', 8, 'scheme', 'affine', 'scale', 0.1, 'zero_point', 1, 'axis', 0);
%! model = octcompress.model.tidy ('f', struct ('layers', {{layer}}));
%! model.quantization.input = in_grid;
%! plan = octcompress.model.plan ('f', model);
%! [y, grids] = octcompress.quant.integer_forward (plan, model.layers, [5; 7], in_grid, 'double');
%! assert (y, {10});
%! assert (grids{1}.zero_point, -3);
%! y = octcompress.quant.integer_forward (plan, model.layers, [127; 127], in_grid, 'double');
%! assert (y, {127});
