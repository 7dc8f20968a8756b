function varargout = zeropad (form, layer, x, varargin)
%ZEROPAD  Surround images by zeros.
%
%   [y, state] = octcompress.layers.zeropad ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.zeropad ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.zeropad ('size', layer, in_size)
%
%   layer.padding  scalar, [vertical horizontal] or [top bottom left right]
%   x              C x W x N x H
%
%   Errors: octcompress:zeropad:badSize, :badValue.
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      [c, w, n, h] = size (x);
      g = geometry (layer, [h w c]);
      y = zeros ([c g.out(2) n g.out(1)], class (x));
      y(:, g.padding(3) + 1:g.padding(3) + w, :, g.padding(1) + 1:g.padding(1) + h) = x;
      varargout = {y, []};
    case 'backward'
      [c, w, ~, h] = size (x);
      g = geometry (layer, [h w c]);
      dy = varargin{2};
      dx = dy(:, g.padding(3) + 1:g.padding(3) + w, :, g.padding(1) + 1:g.padding(1) + h);
      varargout = {dx, struct()};
    case 'size'
      g = geometry (layer, x);
      varargout = {[g.out x(3)], 0};
  end
end

function g = geometry (layer, in_size)
  % A window of one pixel visits every pixel and the padding.
  g = octcompress.layers.window ('zeropad', struct ('padding', layer.padding), [1 1], in_size);
end

%!test
%! x = rand (2, 3, 4, 5);
%! y = octcompress.layers.zeropad ('forward', struct ('padding', [1 0 2 1]), x, false);
%! assert (size (y), [2 6 4 6]);
%! assert (y(:, 3:5, :, 2:6), x);
%! assert (sum (y(:)), sum (x(:)), 1e-9);
%!test
%! layer = struct ('type', 'zeropad', 'padding', [1 0 2 1]);
%! assert (octcompress.layers.check_gradient (layer, [3 4 2]) < 1e-6);
%!assert (octcompress.layers.zeropad ('size', struct ('padding', [1 2]), [5 6 3]), [7 10 3])
%!error <zeropad: PADDING must be 'same', .*, but is -1> octcompress.layers.zeropad ('size', struct ('padding', -1), [5 6 3])
