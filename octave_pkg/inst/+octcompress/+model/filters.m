function layer = filters (type, arrays, names, stride, padding, dilation)
%FILTERS  A convolution of MatConvNet's filters, whose order is ours.
%
%   layer = octcompress.model.filters (type, arrays, names, stride, padding, dilation)
%
%   type    'conv2d' or 'transposedconv2d'
%   arrays  cell: filters kh x kw x in x out, and the biases, which may be absent or empty
%   names   cellstr, where they stand in the file
%   layer   struct; without groups
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.from_simplenn, octcompress.model.from_dagnn.

  if isempty (arrays)
    octcompress.internal.fail ('recognize', 'notNetwork', 'a %s has no filters', type);
  end
  w = arrays{1};
  there = [size(w, 1), size(w, 2), size(w, 3), size(w, 4)];
  layer = struct ('type', type, 'weights', w, 'weights_size', there);
  layer.source.weights = octcompress.model.origin (names{1}, there, 1:4);
  if numel (arrays) > 1 && ~isempty (arrays{2})
    layer.bias = reshape (arrays{2}, [], 1);
    layer.source.bias = octcompress.model.origin (names{2}, size (arrays{2}), ...
                                                  1:ndims (arrays{2}));
  end
  layer = octcompress.model.windows (layer, stride, padding);
  if any (dilation ~= 1)
    layer.dilation = double (reshape (dilation, 1, []));
  end
end

%!test
%! layer = octcompress.model.filters ('conv2d', {ones(3, 2), [1 2]}, {'w', 'b'}, 1, [0 1 0 1], 2);
%! assert (layer.weights_size, [3 2 1 1]);
%! assert ({layer.bias, layer.padding, layer.dilation}, {[1; 2], [0 1 0 1], 2});
%! assert (layer.source.bias, octcompress.model.origin ('b', [1 2], [1 2]));
%!error <recognize: a conv2d has no filters> octcompress.model.filters ('conv2d', {}, {}, 1, 0, 1)
