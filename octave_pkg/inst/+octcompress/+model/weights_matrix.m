function w = weights_matrix (layer)
%WEIGHTS_MATRIX  The weights of a layer as a matrix with one row for each output unit.
%
%   W = octcompress.model.weights_matrix (layer)
%
%   layer  of type dense (weights out x in) or conv2d (kh x kw x cin/groups x cout)
%   W      out x in; cout x (kh * kw * cin/groups), the kernel's height fastest
%
%   The columns stand as the rows of octcompress.model.unrolled_inputs, so W * unrolled inputs is
%   the layer's output without its bias.
%
%   See also octcompress.model.matrix_weights, octcompress.model.input_gram.

  w = layer.weights;
  if strcmp (layer.type, 'conv2d')
    w = reshape (w, [], layer.weights_size(end))';
  end
end

%!assert (octcompress.model.weights_matrix (struct ('type', 'dense', 'weights', [1 2; 3 4])), ...
%!        [1 2; 3 4])
%!test
%! w = rand (2, 3, 1, 4);
%! W = octcompress.model.weights_matrix (struct ('type', 'conv2d', 'weights', w, ...
%!                                               'weights_size', [2 3 1 4]));
%! assert (size (W), [4 6]);
%! assert (W(3, 2), w(2, 1, 1, 3));
