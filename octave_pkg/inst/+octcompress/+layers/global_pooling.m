function varargout = global_pooling (form, layer, x, varargin)
%GLOBAL_POOLING  Layers globalmaxpool and globalaveragepool: one value for each channel.
%
%   [y, state] = octcompress.layers.global_pooling ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.global_pooling ('backward', layer, x, y, dy, state, ...
%                                                        need_dx)
%   [out_size, macs] = octcompress.layers.global_pooling ('size', layer, in_size)
%
%   layer.type  'globalmaxpool' or 'globalaveragepool'
%   x           C x W x N x H
%   y           C x 1 x N x 1: an image of 1 x 1; a flatten layer makes features of it
%
%   Of equal maxima the first in reading order (row by row) gets the gradient.
%
%   Errors: octcompress:global_pooling:badSize.
%
%   See also octcompress.layers.pooling.

  switch form
    case 'forward'
      [c, w, n, h] = size (x);
      if strcmp (layer.type, 'globalaveragepool')
        y = sum (sum (x, 2), 4) / (w * h);
        state = [];
      else
        % as w x h (reading order) in one dimension
        [y, state] = max (reshape (permute (x, [1 3 2 4]), c * n, w * h), [], 2);
      end
      varargout = {reshape(y, c, 1, n), state};

    case 'backward'
      [~, dy, state, ~] = varargin{:};
      [c, w, n, h] = size (x);
      if strcmp (layer.type, 'globalaveragepool')
        dx = repmat (reshape (dy, c, 1, n) / (w * h), [1 w 1 h]);
      else
        dx = zeros (c * n, w * h, class (dy));
        dx((1:c * n)' + c * n * (state - 1)) = dy(:);
        dx = permute (reshape (dx, c, n, w, h), [1 3 2 4]);
      end
      varargout = {dx, struct()};

    case 'size'
      octcompress.layers.need_image ('global_pooling', x);
      varargout = {[1 1 x(3)], 0};
  end
end

%!shared x, average, maximum
%! x = reshape (1:24, 2, 3, 2, 2);
%! average = struct ('type', 'globalaveragepool');
%! maximum = struct ('type', 'globalmaxpool');
%!test
%! y = octcompress.layers.global_pooling ('forward', average, x, false);
%! assert (y(2, 1, 1), mean (mean (x(2, :, 1, :))), 1e-12);
%! assert (size (y), [2 1 2]);
%!test
%! y = octcompress.layers.global_pooling ('forward', maximum, x, false);
%! assert (y(:, 1, 2), [23; 24]);
%!test
%! assert (octcompress.layers.check_gradient (average, [3 2 4]) < 1e-6);
%! assert (octcompress.layers.check_gradient (maximum, [3 2 4]) < 1e-6);
%!test
%! assert (octcompress.layers.global_pooling ('size', struct (), [5 4 7]), [1 1 7]);
%!error <global_pooling: the input must be an image \[height width channels\], but has the size \[7\]> octcompress.layers.global_pooling ('size', struct (), 7)
