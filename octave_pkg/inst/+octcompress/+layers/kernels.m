function [w, bias, groups] = kernels (layer)
%KERNELS  The parameters of a convolution, in full.
%
%   [w, bias, groups] = octcompress.layers.kernels (layer)
%
%   layer   conv2d or transposedconv2d
%   w       its weights with all four sizes
%   bias    a column, or [] where there is none
%   groups  1 where nothing is said
%
%   Errors: octcompress:weights_size:badSize.
%
%   See also octcompress.layers.weights_size.

  w = reshape (layer.weights, octcompress.layers.weights_size (layer, 4));
  bias = octcompress.layers.option (layer, 'bias', []);
  groups = octcompress.layers.option (layer, 'groups', 1);
end

%!test
%! layer = struct ('weights', rand (3, 2, 4), 'weights_size', [3 2 4 1]);
%! [w, bias, groups] = octcompress.layers.kernels (layer);
%! assert ({w, bias, groups}, {layer.weights, [], 1});
%! layer = struct ('weights', (1:12)', 'weights_size', [3 2 1 2], 'bias', [5; 6], 'groups', 2);
%! [w, bias, groups] = octcompress.layers.kernels (layer);
%! assert ({w, bias, groups}, {reshape(1:12, [3 2 1 2]), [5; 6], 2});
%!error <weights_size: WEIGHTS has 6 elements> octcompress.layers.kernels (struct ('weights', ones (2, 3), 'weights_size', [2 2 1 1]))
