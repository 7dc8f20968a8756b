function varargout = prelu (form, layer, x, varargin)
%PRELU  Rectifier with a trained slope for negative values.
%
%   [y, state] = octcompress.layers.prelu ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.prelu ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.prelu ('size', layer, in_size)
%
%   layer.slope  scalar, or C x 1, one for each channel or feature; trained
%
%   y = max (x, 0) + slope .* min (x, 0) [1].
%
%   Errors: octcompress:prelu:badSize.
%
%   [1] He et al., Delving deep into rectifiers, ICCV 2015, arXiv:1502.01852.
%
%   See also octcompress.layers.activation.

  switch form
    case 'forward'
      varargout = {max(x, 0) + layer.slope .* min(x, 0), []};
    case 'backward'
      dy = varargin{2};
      by_slope = reshape (dy .* min (x, 0), size (x, 1), []);
      total = sum (by_slope, 2);
      if isscalar (layer.slope)
        total = sum (total);
      end
      positive = cast (x > 0, class (x));
      dx = dy .* (layer.slope + (1 - layer.slope) .* positive);
      varargout = {dx, struct('slope', total)};
    case 'size'
      channels = x(end);
      if numel (x) < 3
        channels = x(1);
      end
      slope = octcompress.layers.option (layer, 'slope', []);
      if ~any (numel (slope) == [1 channels]) || ~iscolumn (slope)
        octcompress.internal.fail ('prelu', 'badSize', ...
          'SLOPE must be a scalar or %d x 1, one for each channel of the input [%s], but is %s', ...
          channels, num2str (x), octcompress.internal.describe (slope));
      end
      varargout = {x, 0};
  end
end

%!shared layer
%! layer = struct ('type', 'prelu', 'slope', [0.5; -1]);
%!assert (octcompress.layers.prelu ('forward', layer, [1 -2; 3 -4], false), [1 -1; 3 4])
%!test
%! assert (octcompress.layers.check_gradient (layer, [3 4 2]) < 1e-6);
%! assert (octcompress.layers.check_gradient (struct ('type', 'prelu', 'slope', 0.1), 7) < 1e-6);
%!error <prelu: SLOPE must be a scalar or 3 x 1, one for each channel of the input \[4  4  3\], but is 2x1 double> octcompress.layers.prelu ('size', layer, [4 4 3])
