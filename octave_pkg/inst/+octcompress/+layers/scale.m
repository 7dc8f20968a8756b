function varargout = scale (form, layer, x, varargin)
%SCALE  Multiply and add constants: y = scale .* x + offset.
%
%   [y, state] = octcompress.layers.scale ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.scale ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.scale ('size', layer, in_size)
%
%   layer.scale   (1) scalar; C x 1, one for each channel or feature; or H x W x C
%   layer.offset  (0) the same
%
%   For the normalisation of inputs, say. Training leaves these constants alone; a batchnorm layer
%   has trained ones.
%
%   Errors: octcompress:scale:badSize.
%
%   See also octcompress.layers.batchnorm.

  switch form
    case 'forward'
      y = x;
      if isfield (layer, 'scale')
        y = in_engine (layer.scale) .* y;
      end
      if isfield (layer, 'offset')
        y = y + in_engine (layer.offset);
      end
      varargout = {y, []};
    case 'backward'
      dx = varargin{2};
      if isfield (layer, 'scale')
        dx = in_engine (layer.scale) .* dx;
      end
      varargout = {dx, struct()};
    case 'size'
      channels = x(end);
      if numel (x) < 3
        channels = x(1);
      end
      for name = {'scale', 'offset'}
        if isfield (layer, name{1})
          given = layer.(name{1});
          s = size (given);
          s(end+1:3) = 1;
          if ~isequal (s, [1 1 1]) && ~isequal (s, [channels 1 1]) && ~isequal (s, x)
            octcompress.internal.fail ('scale', 'badSize', ...
              '%s must be a scalar, %d x 1, or of the input''s size [%s], but is %s', ...
              upper (name{1}), channels, num2str (x), octcompress.internal.describe (given));
          end
        end
      end
      varargout = {x, 0};
  end
end

function value = in_engine (value)
  if ~iscolumn (value)
    value = permute (value, [3 2 4 1]);
  end
end

%!test % a scalar and one for each channel
%! layer = struct ('type', 'scale', 'scale', 2, 'offset', [10; 20]);
%! assert (octcompress.layers.scale ('forward', layer, [1 2; 3 4], false), [12 14; 26 28]);
%! assert (octcompress.layers.check_gradient (layer, [3 4 2]) < 1e-6);
%!test % a mean image
%! layer = struct ('type', 'scale', 'offset', rand (3, 4, 2), 'scale', rand (3, 4, 2));
%! x = rand (3, 4, 2, 5);
%! y = octcompress.layers.scale ('forward', layer, octcompress.model.to_engine (x, [3 4 2]), false);
%! assert (octcompress.model.from_engine (y, [3 4 2]), layer.scale .* x + layer.offset, 1e-12);
%! assert (octcompress.layers.check_gradient (layer, [3 4 2]) < 1e-6);
%!error <scale: OFFSET must be a scalar, 2 x 1, or of the input's size \[3  4  2\], but is 3x1 double> octcompress.layers.scale ('size', struct ('offset', ones (3, 1)), [3 4 2])
