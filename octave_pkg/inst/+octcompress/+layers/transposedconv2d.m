function varargout = transposedconv2d (form, layer, x, varargin)
%TRANSPOSEDCONV2D  Transposed convolution: the adjoint of conv2d, which enlarges by its stride.
%
%   [y, state] = octcompress.layers.transposedconv2d ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.transposedconv2d ('backward', layer, x, y, dy, state, ...
%                                                          need_dx)
%   [out_size, macs, window] = octcompress.layers.transposedconv2d ('size', layer, in_size)
%
%   layer.weights         kernel height x kernel width x cout / groups x cin: those of the conv2d of
%                         which this is the adjoint
%   layer.weights_size    the four sizes, for Octave drops trailing ones; or absent
%   layer.bias            cout x 1, or absent
%   layer.groups          (1)
%   layer.stride, layer.dilation   (1) scalar or [vertical horizontal]
%   layer.padding         (0) what is cut off the result: scalar, [vertical horizontal],
%                         [top bottom left right], or 'same': the result is stride times as large
%   layer.output_padding  (0) lines added at the bottom and right: scalar or [vertical horizontal],
%                         less than the stride
%   layer.window          as in octcompress.layers.window
%   x                     cin x W x N x H
%
%   The result has (H - 1) * stride + (kernel - 1) * dilation + 1 + output_padding - top - bottom
%   rows, as PyTorch's ConvTranspose2d.
%
%   Errors: octcompress:transposedconv2d:badSize, :badValue.
%
%   See also octcompress.layers.conv2d.

  switch form
    case 'forward'
      [w, bias, groups, g] = settings (layer, [size(x, 4) size(x, 2)]);
      varargout = {octcompress.layers.convolution('spread', x, w, bias, g, groups), []};

    case 'backward'
      [~, dy, ~, need_dx] = varargin{:};
      [w, bias, groups, g] = settings (layer, [size(x, 4) size(x, 2)]);
      gradients.weights = octcompress.layers.convolution ('weights', dy, x, [], g, groups);
      if ~isempty (bias)
        gradients.bias = sum (sum (reshape (dy, size (dy, 1), [], size (dy, 4)), 2), 3);
      end
      dx = [];
      if need_dx
        dx = octcompress.layers.convolution ('correlate', dy, w, [], g, groups);
      end
      varargout = {dx, gradients};

    case 'size'
      in_size = x;
      octcompress.layers.need_image ('transposedconv2d', in_size);
      [w, bias, groups, g] = settings (layer, in_size(1:2));
      octcompress.internal.check ('transposedconv2d', 'groups', groups, 'integer', [1 in_size(3)]);
      cout = size (w, 3) * groups;
      if size (w, 4) ~= in_size(3) || mod (in_size(3), groups) ~= 0
        octcompress.internal.fail ('transposedconv2d', 'badSize', ...
          ['WEIGHTS is %d x %d x %d x %d with %d groups, so the input must have %d channels, ' ...
           'a multiple of %d, but is [%s]'], size (w, 1), size (w, 2), size (w, 3), size (w, 4), ...
          groups, size (w, 4), groups, num2str (in_size));
      end
      if ~isempty (bias) && ~isequal (size (bias), [cout 1])
        octcompress.internal.fail ('transposedconv2d', 'badSize', ...
          'BIAS must be %d x 1, but is %s', cout, octcompress.internal.describe (bias));
      end
      varargout = {[g.in cout], prod(in_size(1:2)) * numel(w), g};
  end
end

function [w, bias, groups, g] = settings (layer, in)
  % The geometry is that of the convolution from the result to the input.
  [w, bias, groups] = octcompress.layers.kernels (layer);
  g = octcompress.layers.window ('transposedconv2d', layer, [size(w, 1) size(w, 2)], [in 1], 1, ...
                                 'transposed');
end

%!function worst = gradient (w_size, in_size, varargin)
%!  layer = struct ('type', 'transposedconv2d', 'weights', 2 * rand (w_size) - 1, ...
%!                  'weights_size', w_size, varargin{:});
%!  out = octcompress.layers.transposedconv2d ('size', layer, in_size);
%!  layer.bias = rand (out(3), 1);
%!  worst = octcompress.layers.check_gradient (layer, in_size);
%!endfunction
%!test % the adjoint of conv2d: <conv (x), y> = <x, transposed (y)>
%! for options = {{}, {'stride', 2}, {'groups', 3, 'stride', 2}, {'groups', 6}, ...
%!                {'stride', [2 3], 'padding', [1 0 2 1], 'output_padding', [0 1]}, ...
%!                {'stride', 2, 'dilation', 2, 'padding', 1, 'output_padding', 1}, ...
%!                {'padding', 'same', 'stride', 2}}
%!   groups = struct (options{1}{:});
%!   count = 1;
%!   if isfield (groups, 'groups')
%!     count = groups.groups;
%!   end
%!   layer = struct ('weights', rand (3, 4, 6 / count, 12), options{1}{:});
%!   x = rand (12, 5, 2, 4);
%!   y = octcompress.layers.transposedconv2d ('forward', layer, x, false);
%!   z = rand (size (y));
%!   back = octcompress.layers.conv2d ('forward', layer, z, false);
%!   assert (size (back), size (x));
%!   assert (y(:)' * z(:), x(:)' * back(:), 1e-9 * abs (y(:)' * z(:)));
%!   out = octcompress.layers.transposedconv2d ('size', layer, [4 5 12]);
%!   assert (size (y), [6 out(2) 2 out(1)]);
%! end
%!test % by hand
%! layer = struct ('weights', [1 2], 'bias', 10, 'stride', [1 2]);
%! y = octcompress.layers.transposedconv2d ('forward', layer, [3 5], false);
%! assert (y, [13 16 15 20]);
%!test
%! assert (gradient ([3 3 2 3], [3 4 3]) < 1e-6);
%! assert (gradient ([3 2 2 3], [3 4 3], 'stride', 2, 'padding', 1, 'output_padding', 1) < 1e-6);
%! assert (gradient ([2 2 1 4], [3 2 4], 'groups', 4, 'stride', 2) < 1e-6);
%! assert (gradient ([2 2 2 4], [3 2 4], 'groups', 2) < 1e-6);
%!test
%! layer = struct ('weights', ones (4, 4, 8, 16), 'stride', 2, 'padding', 1);
%! [out, macs] = octcompress.layers.transposedconv2d ('size', layer, [7 7 16]);
%! assert (out, [14 14 8]);
%! assert (macs, 49 * 4 * 4 * 8 * 16);
%!error <transposedconv2d: WEIGHTS is 3 x 3 x 2 x 4 with 1 groups, so the input must have 4 channels, a multiple of 1, but is \[8  8  3\]> octcompress.layers.transposedconv2d ('size', struct ('weights', ones (3, 3, 2, 4)), [8 8 3])
%!error <transposedconv2d: BIAS must be 2 x 1, but is \[1 1 1\]> octcompress.layers.transposedconv2d ('size', struct ('weights', ones (3, 3, 2, 4), 'bias', ones (1, 3)), [8 8 4])
