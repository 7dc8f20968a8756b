function axis = channel_axis (layer, field)
%CHANNEL_AXIS  The dimension of a parameter that runs over the layer's output channels.
%
%   axis = octcompress.quant.channel_axis (layer, field)
%
%   Convolutions: weights kh x kw x cin x cout, so 4; transposed convolutions
%   kh x kw x cout x cin, so 3. Everything else: 1.
%
%   See also nn_quantize.

  axis = 1;
  if strcmp (field, 'weights')
    switch layer.type
      case 'conv2d'
        axis = 4;
      case 'transposedconv2d'
        axis = 3;
    end
  end
end

%!assert (octcompress.quant.channel_axis (struct ('type', 'dense'), 'weights'), 1)
%!assert (octcompress.quant.channel_axis (struct ('type', 'conv2d'), 'weights'), 4)
%!assert (octcompress.quant.channel_axis (struct ('type', 'transposedconv2d'), 'weights'), 3)
%!assert (octcompress.quant.channel_axis (struct ('type', 'conv2d'), 'bias'), 1)
