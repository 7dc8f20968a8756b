function varargout = upsample (form, layer, x, varargin)
%UPSAMPLE  Enlarge images, by nearest neighbours or bilinear interpolation.
%
%   [y, state] = octcompress.layers.upsample ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.upsample ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.upsample ('size', layer, in_size)
%
%   layer.factor         scalar or [vertical horizontal]; the result has floor (H * factor) rows
%   layer.method         ('nearest') or 'bilinear'
%   layer.align_corners  (false) bilinear: true puts the corner pixels of both images on each other;
%                        false takes pixels for areas (half-pixel centres)
%   x                    C x W x N x H
%
%   Both are linear, the same for all channels: each line of the result is a weighted sum of lines
%   of the image. The rules are those of PyTorch's interpolate.
%
%   Errors: octcompress:upsample:badSize, :badValue.
%
%   See also octcompress.layers.transposedconv2d.

  switch form
    case 'forward'
      [down, across] = maps (layer, size (x, 4), size (x, 2), class (x));
      varargout = {along_both(x, down, across), []};
    case 'backward'
      [down, across] = maps (layer, size (x, 4), size (x, 2), class (x));
      varargout = {along_both(varargin{2}, down', across'), struct()};
    case 'size'
      octcompress.layers.need_image ('upsample', x);
      given = octcompress.layers.option (layer, 'factor', []);
      fine = isnumeric (given) && any (numel (given) == [1 2]) ...
             && all (floor (x(1:2) .* given(:)') >= 1);
      if ~fine
        octcompress.internal.fail ('upsample', 'badValue', ...
          'FACTOR must be a positive number or [vertical horizontal], but is %s', ...
          octcompress.internal.describe (given));
      end
      method = octcompress.layers.option (layer, 'method', 'nearest');
      octcompress.internal.check ('upsample', 'method', method, 'choice', {'nearest', 'bilinear'});
      varargout = {[floor(x(1:2) .* double (given(:)')) x(3)], 0};
  end
end

function [down, across] = maps (layer, height, width, kind)
  % Matrices: rows of the result x rows of the image, and the same of columns.
  factor = double (layer.factor(:)') .* [1 1];
  method = octcompress.layers.option (layer, 'method', 'nearest');
  corners = octcompress.layers.option (layer, 'align_corners', false);
  down = cast (interpolation (height, factor(1), method, corners), kind);
  across = cast (interpolation (width, factor(2), method, corners), kind);
end

function a = interpolation (in, factor, method, corners)
  out = floor (in * factor);
  place = 0:out-1;
  if strcmp (method, 'nearest')
    below = min (floor (place / factor), in - 1);
    part = zeros (1, out);
  else
    if corners
      place = place * ((in - 1) / max (out - 1, 1));
    else
      place = max ((place + 0.5) / factor - 0.5, 0);
    end
    below = min (floor (place), in - 1);
    part = place - below;
  end
  above = min (below + 1, in - 1);
  a = accumarray ([1:out, 1:out; below + 1, above + 1]', [1 - part, part]', [out in]);
end

function y = along_both (x, down, across)
  [c, w, n, h] = size (x);
  y = reshape (reshape (x, c * w * n, h) * down', c, w, n * size (down, 1));
  y = reshape (permute (y, [1 3 2]), [], w) * across';
  y = permute (reshape (y, c, n * size (down, 1), []), [1 3 2]);
  y = reshape (y, c, size (across, 1), n, size (down, 1));
end

%!function y = run (x, factor, varargin)
%!  layer = struct ('factor', factor, varargin{:});
%!  x = reshape (x', 1, columns (x), 1, rows (x));
%!  y = octcompress.layers.upsample ('forward', layer, x, false);
%!  y = reshape (y, size (y, 2), size (y, 4))';
%!endfunction
%!function worst = gradient (varargin)
%!  worst = octcompress.layers.check_gradient (struct ('type', 'upsample', varargin{:}), [3 4 2]);
%!endfunction
%!assert (run ([1 2; 3 4], 2), [1 1 2 2; 1 1 2 2; 3 3 4 4; 3 3 4 4])
%!assert (run ([1 2; 3 4], [1 3]), [1 1 1 2 2 2; 3 3 3 4 4 4])
%!assert (run ([1 2], [1 2], 'method', 'bilinear'), [1 1.25 1.75 2], eps)
%!assert (run ([1 2], [1 2], 'method', 'bilinear', 'align_corners', true), [1 4/3 5/3 2], 4 * eps)
%!test
%! assert (gradient ('factor', 2) < 1e-6);
%! assert (gradient ('factor', [1.5 2]) < 1e-6);
%! assert (gradient ('factor', [2 3], 'method', 'bilinear') < 1e-6);
%! assert (gradient ('factor', 2, 'method', 'bilinear', 'align_corners', true) < 1e-6);
%!assert (octcompress.layers.upsample ('size', struct ('factor', [2 1.5]), [4 5 3]), [8 7 3])
%!error <upsample: FACTOR must be a positive number or \[vertical horizontal\], but is 0> octcompress.layers.upsample ('size', struct ('factor', 0), [4 5 3])
%!error <upsample: METHOD must be one of 'nearest', 'bilinear', but is 'cubic'> octcompress.layers.upsample ('size', struct ('factor', 2, 'method', 'cubic'), [4 5 3])
