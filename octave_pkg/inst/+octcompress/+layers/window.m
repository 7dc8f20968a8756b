function g = window (caller, layer, kernel, in_size, default_stride, transposed)
%WINDOW  Where the windows of a convolution or a pooling lie on their image.
%
%   g = octcompress.layers.window (caller, layer, kernel, in_size)
%   g = octcompress.layers.window (caller, layer, kernel, in_size, default_stride)
%   g = octcompress.layers.window (caller, layer, kernel, out_size, default_stride, 'transposed')
%
%   caller   char, the layer function, for messages
%   layer    struct with the fields below, each of which may be left out
%   kernel   [height width] of a window
%   in_size  [H W C]
%
%   layer.stride     (default_stride, or 1) scalar or [vertical horizontal]
%   layer.dilation   (1) scalar or [vertical horizontal]
%   layer.padding    (0) scalar, [vertical horizontal], [top bottom left right], or 'same':
%                    ceil (H / stride) windows, the odd line of padding at the bottom and right
%                    (TensorFlow's SAME, ONNX's SAME_UPPER)
%   layer.ceil_mode  (false) true: a last window that starts on the image or its padding before
%                    counts although it reaches over the end
%
%   With 'transposed', out_size is the size of the windows' grid (the input of a transposed
%   convolution), and the image is as large as they reach, less the padding:
%
%   layer.output_padding  (0) lines more at the bottom and right, less than the stride: scalar or
%                    [vertical horizontal]; 'same' makes an image of stride times the grid
%
%   layer.window     if it is there: g, as octcompress.model.plan had it computed once
%
%   g.kernel, g.stride, g.dilation, g.padding  in full; g.in = [H W], g.out = [height width]
%   g.plain     true: a window is one pixel, and each pixel has one
%   g.rows      kernel height x output height: the image row that each kernel row of each window
%               reads; rows below 1 or above H lie in the padding
%   g.columns   kernel width x output width, likewise
%
%   Errors: octcompress:CALLER:badSize, :badValue.
%
%   See also octcompress.layers.conv2d, octcompress.layers.maxpool.

  if isfield (layer, 'window')
    g = layer.window;
    return
  elseif nargin < 5
    default_stride = 1;
  end
  octcompress.layers.need_image (caller, in_size);
  kernel = kernel(:)';
  stride = pair (caller, layer, 'stride', default_stride);
  dilation = pair (caller, layer, 'dilation', 1);
  reach = (kernel - 1) .* dilation + 1;
  padding = octcompress.layers.option (layer, 'padding', 0);
  same = strcmp (padding, 'same');
  if same
    padding = zeros (1, 4);
  else
    padding = four (caller, padding);
  end

  if nargin > 5 && strcmp (transposed, 'transposed')
    out = in_size(1:2);
    if same
      in = out .* stride;
    else
      in = (out - 1) .* stride + reach + output_padding (caller, layer, stride) ...
           - [sum(padding(1:2)) sum(padding(3:4))];
    end
    if any (in < 1)
      octcompress.internal.fail (caller, 'badSize', 'PADDING [%s] cuts off the whole result', ...
                                 num2str (padding));
    end
  else
    in = in_size(1:2);
    if same
      out = ceil (in ./ stride);
    else
      out = count_windows (caller, layer, in, padding, reach, stride);
    end
  end
  if same
    missing = max ((out - 1) .* stride + reach - in, 0);
    padding([1 3]) = floor (missing / 2);
    padding([2 4]) = missing - padding([1 3]);
  end
  g = struct ('kernel', kernel, 'stride', stride, 'dilation', dilation, ...
              'padding', padding, 'in', in, 'out', out, ...
              'plain', all ([kernel stride] == 1) && ~any (padding));
  g.rows = places (kernel(1), out(1), stride(1), dilation(1), padding(1));
  g.columns = places (kernel(2), out(2), stride(2), dilation(2), padding(3));
end

function out = count_windows (caller, layer, in, padding, reach, stride)
  before = padding([1 3]);
  after = padding([2 4]);
  room = in + before + after - reach;
  if any (room < 0)
    octcompress.internal.fail (caller, 'badSize', ...
      'the window covers %d x %d, but the image with its padding is only %d x %d', ...
      reach, in + before + after);
  end
  out = floor (room ./ stride) + 1;
  if octcompress.layers.option (layer, 'ceil_mode', false)
    out = ceil (room ./ stride) + 1;
    out = out - ((out - 1) .* stride >= in + before);
  end
end

function extra = output_padding (caller, layer, stride)
  extra = octcompress.layers.option (layer, 'output_padding', 0);
  fine = isnumeric (extra) && any (numel (extra) == [1 2]) && all (extra(:) == fix (extra(:))) ...
         && all (extra(:)' >= 0 & extra(:)' < stride);
  if ~fine
    octcompress.internal.fail (caller, 'badValue', ...
      'OUTPUT_PADDING must be a whole number below the stride [%s], or two of them, but is %s', ...
      num2str (stride), octcompress.internal.describe (extra));
  end
  extra = double (extra(:)') .* [1 1];
end

function p = places (kernel, out, stride, dilation, before)
  p = (0:kernel-1)' * dilation + (0:out-1) * stride + 1 - before;
end

function value = pair (caller, layer, name, default)
  value = octcompress.layers.option (layer, name, default);
  if ~isnumeric (value) || numel (value) > 2 || any (value < 1) || any (value ~= fix (value))
    octcompress.internal.fail (caller, 'badValue', ...
      '%s must be a positive whole number or two of them, [vertical horizontal], but is %s', ...
      upper (name), octcompress.internal.describe (value));
  end
  value = double (value(:)') .* [1 1];
end

function p = four (caller, p)
  fine = isnumeric (p) && any (numel (p) == [1 2 4]) && all (p(:) >= 0) && all (p(:) == fix (p(:)));
  if ~fine
    octcompress.internal.fail (caller, 'badValue', ...
      ['PADDING must be ''same'', a whole number, [vertical horizontal] or ' ...
       '[top bottom left right], but is %s'], octcompress.internal.describe (p));
  end
  p = double (p(:)');
  if numel (p) == 1
    p = p([1 1 1 1]);
  elseif numel (p) == 2
    p = p([1 1 2 2]);
  end
end

%!function g = at (layer, kernel, in)
%!  g = octcompress.layers.window ('f', layer, kernel, [in 3]);
%!endfunction
%!test % nothing said
%! g = at (struct (), [3 2], [5 4]);
%! assert (g.out, [3 3]);
%! assert (g.rows, [1 2 3; 2 3 4; 3 4 5]);
%! assert (g.columns, [1 2 3; 2 3 4]);
%!test % stride, dilation and padding by side
%! g = at (struct ('stride', [2 1], 'dilation', [1 2], 'padding', [1 0 2 1]), [3 2], [6 5]);
%! assert (g.out, [3 6]);
%! assert (g.rows(:, 1), [0; 1; 2]);
%! assert (g.columns(:, [1 6]), [-1 4; 1 6]);
%!test % the odd line of 'same' goes to the end
%! g = at (struct ('padding', 'same', 'stride', 2), [3 3], [6 7]);
%! assert (g.out, [3 4]);
%! assert (g.padding, [0 1 1 1]);
%!test % a ceiling window must start on the image or before it
%! assert (at (struct ('stride', 2, 'ceil_mode', true), [2 2], [5 6]).out, [3 3]);
%! g = at (struct ('stride', 3, 'ceil_mode', true, 'padding', [0 1 0 1]), [1 1], [3 4]);
%! assert (g.out, [1 2]);
%!test % the image of a transposed convolution: its windows are the grid again
%! layer = struct ('stride', [2 3], 'padding', [1 0 2 1], 'output_padding', [1 2]);
%! g = octcompress.layers.window ('f', layer, [3 4], [5 6 1], 1, 'transposed');
%! assert (g.in, [11 18]);
%! assert (at (layer, [3 4], g.in).out, [5 6]);
%! layer = struct ('stride', 2, 'padding', 'same');
%! g = octcompress.layers.window ('f', layer, [3 3], [5 6 1], 1, 'transposed');
%! assert (g.in, [10 12]);
%! assert (g.padding, [0 1 0 1]);
%!error <f: OUTPUT_PADDING must be a whole number below the stride \[2  2\], or two of them, but is 2> octcompress.layers.window ('f', struct ('stride', 2, 'output_padding', 2), [3 3], [5 6 1], 1, 'transposed')
%!error <f: PADDING \[9  9  0  0\] cuts off the whole result> octcompress.layers.window ('f', struct ('padding', [9 9 0 0]), [3 3], [5 6 1], 1, 'transposed')
%!error <f: STRIDE must be a positive whole number or two of them, \[vertical horizontal\], but is 0> at (struct ('stride', 0), [2 2], [5 6])
%!error <f: PADDING must be 'same', .* but is 'valid'> at (struct ('padding', 'valid'), [2 2], [5 6])
%!error <f: the window covers 5 x 3, but the image with its padding is only 4 x 9> at (struct ('dilation', [2 1], 'padding', [0 1 0 0]), [3 3], [3 9])
%!error <f: the input must be an image \[height width channels\], but has the size \[7\]> octcompress.layers.window ('f', struct (), [2 2], 7)
