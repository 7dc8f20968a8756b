function layer = with_norm (layer, norm)
%WITH_NORM  A layer with weights that computes the batch normalisation or scale behind it too.
%
%   layer = octcompress.layers.with_norm (layer, norm)
%
%   layer  'dense', 'conv2d' or 'transposedconv2d'; on return its weights hold the factors, and its
%          bias the rest. Computed in double
%   norm   'batchnorm' with its running statistics, or 'scale'
%
%   See also nn_fold, octcompress.model.forward.

  if strcmp (norm.type, 'batchnorm')
    epsilon = 1e-5;
    if isfield (norm, 'epsilon') && ~isempty (norm.epsilon)
      epsilon = double (norm.epsilon);
    end
    factor = double (norm.scale) ./ sqrt (double (norm.variance) + epsilon);
    shift = double (norm.offset) - factor .* double (norm.mean);
  else
    factor = double (octcompress.layers.option (norm, 'scale', 1));
    shift = double (octcompress.layers.option (norm, 'offset', 0));
    factor = factor(:);
    shift = shift(:);
  end
  bias = 0;
  if isfield (layer, 'bias') && ~isempty (layer.bias)
    bias = double (layer.bias(:));
  end
  w = double (layer.weights);
  switch layer.type
    case 'dense'
      out = size (w, 1);
      w = w .* factor;
    case 'conv2d'
      out = size (w, 4);
      w = w .* reshape (factor, 1, 1, 1, []);
    case 'transposedconv2d'
      out = max ([numel(bias), numel(factor), numel(shift)]);
      w = transposed_rows (layer, factor);
  end
  kind = class (layer.weights);
  layer.weights = cast (w, kind);
  layer.bias = cast (bias .* factor + shift, kind);
  if numel (layer.bias) < out
    layer.bias = repmat (layer.bias, out, 1);
  end
end

function w = transposed_rows (layer, factor)
  % kh x kw x cout/groups x cin: the inputs of one group see its outputs only.
  groups = double (octcompress.layers.option (layer, 'groups', 1));
  w = layer.weights;
  if isscalar (factor)
    factor = repmat (factor, size (w, 3) * groups, 1);
  end
  inputs = size (w, 4) / groups;
  for g = 1:groups
    part = factor((g - 1) * size (w, 3) + (1:size (w, 3)));
    columns = (g - 1) * inputs + (1:inputs);
    w(:, :, :, columns) = cast (double (w(:, :, :, columns)) .* reshape (part, 1, 1, []), ...
                                class (w));
  end
end

%!test
%! layer = struct ('type', 'dense', 'weights', single ([1 2; 3 4]), 'bias', single ([1; 1]));
%! norm = struct ('type', 'batchnorm', 'scale', [2; 1], 'offset', [0; 3], 'mean', [1; 0], ...
%!                'variance', [4; 1], 'epsilon', 0);
%! layer = octcompress.layers.with_norm (layer, norm);
%! assert (layer.weights, single ([1 2; 3 4]));
%! assert (layer.bias, single ([0; 4]));
%!test % a scale of one number, without a bias
%! layer = struct ('type', 'dense', 'weights', [1 2; 3 4]);
%! layer = octcompress.layers.with_norm (layer, struct ('type', 'scale', 'scale', 2));
%! assert ({layer.weights, layer.bias}, {[2 4; 6 8], [0; 0]});
