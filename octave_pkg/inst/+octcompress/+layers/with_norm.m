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

  factor = column (norm, 'scale', 1);
  shift = column (norm, 'offset', 0);
  if strcmp (norm.type, 'batchnorm')
    factor = factor ./ sqrt (double (norm.variance(:)) + column (norm, 'epsilon', 1e-5));
    shift = shift - factor .* double (norm.mean(:));
  end
  bias = column (layer, 'bias', 0);
  w = double (layer.weights);
  switch layer.type
    case 'dense'
      out = size (w, 1);
      w = w .* factor;
    case 'conv2d'
      out = size (w, 4);
      w = w .* reshape (factor, 1, 1, 1, []);
    case 'transposedconv2d'
      % kh x kw x cout/groups x cin: the inputs of one group see its outputs only
      groups = double (octcompress.layers.option (layer, 'groups', 1));
      out = size (w, 3) * groups;
      factors = reshape (factor .* ones (out, 1), 1, 1, [], groups);
      inputs = size (w, 4) / groups;
      w = w .* factors(:, :, :, ceil ((1:size (w, 4)) / inputs));
  end
  kind = class (layer.weights);
  layer.weights = cast (w, kind);
  layer.bias = cast ((bias .* factor + shift) .* ones (out, 1), kind);
end

function value = column (layer, name, default)
  value = double (octcompress.layers.option (layer, name, default));
  value = value(:);
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
