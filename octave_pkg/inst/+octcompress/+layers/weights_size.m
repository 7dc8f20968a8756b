function s = weights_size (layer, dims)
%WEIGHTS_SIZE  The full size of a layer's weights: Octave drops trailing ones.
%
%   s = octcompress.layers.weights_size (layer, dims)
%
%   layer  with weights, and weights_size where it was stored
%   dims   how many sizes there must be
%
%   Errors: octcompress:weights_size:badSize if the two do not agree.

  s = size (layer.weights);
  if isfield (layer, 'weights_size') && ~isempty (layer.weights_size)
    s = double (layer.weights_size(:)');
  end
  s(end+1:dims) = 1;
  if prod (s) ~= numel (layer.weights) || numel (s) > dims
    octcompress.internal.fail ('weights_size', 'badSize', ...
      'WEIGHTS has %d elements, %s, but must have %d dimensions, and WEIGHTS_SIZE says [%s]', ...
      numel (layer.weights), octcompress.internal.describe (layer.weights), dims, num2str (s));
  end
end

%!assert (octcompress.layers.weights_size (struct ('weights', ones (3, 3)), 4), [3 3 1 1])
%!test
%! layer = struct ('weights', ones (3, 6), 'weights_size', [3 2 3]);
%! assert (octcompress.layers.weights_size (layer, 4), [3 2 3 1]);
%!error <weights_size: WEIGHTS has 6 elements> octcompress.layers.weights_size (struct ('weights', ones (3, 2), 'weights_size', [3 3]), 4)
