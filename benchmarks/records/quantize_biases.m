function model = quantize_biases (model, bits)
%QUANTIZE_BIASES  Put the biases that have no grid yet on symmetric ones, one for each layer.
%
%   model = quantize_biases (model, bits)

  for k = 1:numel (model.layers)
    layer = model.layers{k};
    done = isfield (layer, 'quantization') && isfield (layer.quantization, 'bias');
    if isfield (layer, 'bias') && any (layer.bias) && ~done
      [model.layers{k}.bias, info] = nn_quantize (layer.bias, bits, 'fit', 'mse');
      model.layers{k}.quantization.bias = info.grid;
    end
  end
end
