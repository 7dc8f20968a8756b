function integers = integer_layer (layer, in_grid, out_grid)
%INTEGER_LAYER  A dense or convolution layer as integers, as a device computes it.
%
%   integers = octcompress.quant.integer_layer (layer, in_grid, out_grid)
%
%   layer              dense, conv2d or transposedconv2d, with layer.quantization.weights
%   in_grid, out_grid  of its input and of its (fused) output
%
%   integers.weights     int32, the size of layer.weights: codes less their zero point
%   integers.bias        double column, whole numbers of 32 bits, or 0:
%                        round (bias / (s_in * s_w))
%   integers.multiplier, integers.shift   of s_in * s_w / s_out (octcompress.quant.fixed_multiplier)
%
%   Scales are single precision, as in a .tflite file. The product s_in * s_w is one of doubles
%   but for a dense layer with one scale, where TensorFlow Lite multiplies in single.
%
%   Errors: octcompress:nn_predict:notInteger.
%
%   See also octcompress.quant.integer_forward, nn_predict.

  if ~isfield (layer, 'quantization') || ~isfield (layer.quantization, 'weights')
    octcompress.internal.fail ('nn_predict', 'notInteger', ...
      'layer ''%s'' has no integer weights; use nn_quantize with up to 8 bits', layer.name);
  end
  grid = layer.quantization.weights;
  uniform = any (strcmp (grid.scheme, {'symmetric', 'affine', 'signed', 'unsigned'}));
  own = octcompress.quant.channel_axis (layer, 'weights');
  if ~uniform || isfield (grid, 'group') || grid.bits > 8 || ~any (grid.axis == [0 own])
    octcompress.internal.fail ('nn_predict', 'notInteger', ...
      ['the weights of layer ''%s'' must lie on a uniform grid of up to 8 bits with one ' ...
       'scale, or one for ' ...
       'each output channel'], layer.name);
  end
  codes = octcompress.quant.encode_grid (layer.weights, grid);
  [~, zero_point] = octcompress.quant.along_axis (grid, 'double', size (codes));
  integers.weights = codes - int32 (zero_point);
  weight_scale = single (grid.scale(:));
  in_scale = single (in_grid.scale);
  if strcmp (layer.type, 'dense') && isscalar (weight_scale)
    product = double (in_scale * weight_scale);
  else
    product = double (in_scale) * double (weight_scale);
  end
  integers.bias = 0;
  if isfield (layer, 'bias') && ~isempty (layer.bias)
    integers.bias = min (max (round (double (layer.bias(:)) ./ product), -2 ^ 31), 2 ^ 31 - 1);
  end
  ratio = product / double (single (out_grid.scale));
  [integers.multiplier, integers.shift] = octcompress.quant.fixed_multiplier (ratio);
end

%!test
%! layer = struct ('type', 'dense', 'name', 'a', 'weights', [0.5 -1; 1.5 2], 'bias', [0.26; -1]);
%! layer.quantization.weights = struct ('bits', 8, 'scheme', 'symmetric', 'scale', [0.5; 0.25], ...
%!                                      'zero_point', [0; 0], 'axis', 1);
%! grid = struct ('scale', 0.125);
%! n = octcompress.quant.integer_layer (layer, grid, struct ('scale', 0.5));
%! assert (n.weights, int32 ([1 -2; 6 8]));
%! assert (n.bias, [4; -32]);
%! assert (n.multiplier, [2^30; 2^30]);
%! assert (n.shift, [-2; -3]);
%!error <nn_predict: layer 'a' has no integer weights>
%! octcompress.quant.integer_layer (struct ('type', 'dense', 'name', 'a', 'weights', 1), ...
%!                                  struct ('scale', 1), struct ('scale', 1));
