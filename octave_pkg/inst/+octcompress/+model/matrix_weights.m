function w = matrix_weights (matrix, layer)
%MATRIX_WEIGHTS  Put a matrix of octcompress.model.weights_matrix back into the layer's shape.
%
%   w = octcompress.model.matrix_weights (W, layer)
%
%   w  the size that layer.weights has, in its class
%
%   See also octcompress.model.weights_matrix.

  w = cast (matrix, class (layer.weights));
  if strcmp (layer.type, 'conv2d')
    w = reshape (w', size (layer.weights));
  end
end

%!test
%! layer = struct ('type', 'conv2d', 'weights', single (rand (2, 3, 2, 4)), 'weights_size', ...
%!                 [2 3 2 4]);
%! W = octcompress.model.weights_matrix (layer);
%! assert (octcompress.model.matrix_weights (double (W), layer), layer.weights);
