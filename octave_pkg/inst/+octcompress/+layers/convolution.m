function result = convolution (form, a, b, bias, g, groups)
%CONVOLUTION  The three linear maps of a convolution: forward, by the input, by the weights.
%
%   y = octcompress.layers.convolution ('correlate', x, weights, bias, g, groups)
%   x = octcompress.layers.convolution ('spread', y, weights, bias, g, groups)
%   dw = octcompress.layers.convolution ('weights', x, dy, [], g, groups)
%
%   x, y     C x W x N x H (the engine's layout), on the two sides of the windows
%   weights  kernel height x width x (channels of x) / groups x (channels of y)
%   bias     a column, or []
%   g        of octcompress.layers.window
%
%   'correlate' is conv2d forward; 'spread' is its adjoint: the gradient by the input, and the
%   transposed convolution forward; 'weights' is the gradient by the weights.
%
%   Groups of one channel of x are elementwise products. Other groups of few channels are joined
%   into blocks of a dense block-diagonal matrix, which is faster than many small products.
%
%   See also octcompress.layers.correlate, octcompress.layers.correlate_channels.

  if g.plain && groups == 1
    result = products (form, a, b, bias);
    return
  elseif strcmp (form, 'weights')
    sizes = [size(b, 1), size(a, 1) / groups, g.kernel([2 1])];
  else
    b = permute (b, [4 3 2 1]);
    sizes = [size(b, 1), size(b, 2), g.kernel([2 1])];
  end
  if groups == 1
    if strcmp (form, 'spread')
      b = permute (b, [2 1 3 4]);
    end
    result = run (@octcompress.layers.correlate, form, a, b, bias, g);
  elseif sizes(2) == 1
    result = by_channel (form, a, b, bias, g, sizes(1) / groups);
  else
    result = by_groups (form, a, b, bias, g, sizes, groups);
  end
  if strcmp (form, 'weights')
    result = permute (result, [4 3 2 1]);
  end
end

function result = products (form, a, b, bias)
  % A kernel of one pixel that visits each pixel.
  [c, width, n, height] = size (a);
  a = reshape (a, c, []);
  if strcmp (form, 'weights')
    b = reshape (b, size (b, 1), []);
    result = 0;
    for first = 1:4096:size (a, 2)
      range = first:min (first + 4095, size (a, 2));
      result = result + a(:, range) * b(:, range)';
    end
    result = reshape (result, 1, 1, c, []);
    return
  elseif strcmp (form, 'correlate')
    result = reshape (b, c, [])' * a;
  else
    result = reshape (b, [], c) * a;
  end
  if ~isempty (bias)
    result = octcompress.layers.affine (result, [], bias);
  end
  result = reshape (result, [], width, n, height);
end

function result = run (kernel, form, a, b, bias, g)
  if strcmp (form, 'spread')
    result = spread (kernel, a, b, bias, g);
  else
    result = kernel (form, a, b, bias, g.columns, g.rows);
  end
end

function x = spread (kernel, y, w, bias, g)
  % w: channels of x x channels of y (1 where each channel is alone) x kernel width x kernel height
  % Lines of x that have the same place in the stride meet the same kernel positions: each such
  % phase is a correlation with those positions.
  whole = all (g.stride == 1);
  if ~whole
    x = zeros (size (w, 1), g.in(2), size (y, 3), g.in(1), class (w));
    if ~isempty (bias)
      x = x + bias;
    end
  end
  for h = 1:min (g.stride(1), g.in(1))
    [taps_h, rows] = phase (h, g.in(1), g.stride(1), g.dilation(1), g.padding(1), g.kernel(1));
    for v = 1:min (g.stride(2), g.in(2))
      [taps_v, columns] = phase (v, g.in(2), g.stride(2), g.dilation(2), g.padding(3), g.kernel(2));
      if whole
        x = kernel ('correlate', y, w(:, :, taps_v, taps_h), bias, columns, rows);
      elseif ~isempty (taps_h) && ~isempty (taps_v)
        x(:, v:g.stride(2):end, :, h:g.stride(1):end) = ...
          kernel ('correlate', y, w(:, :, taps_v, taps_h), bias, columns, rows);
      end
    end
  end
end

function [taps, places] = phase (first, in, stride, dilation, before, kernel)
  % The kernel positions that meet the lines first:stride:in, and the windows they belong to.
  lead = first - 1 + before - (0:kernel-1)' * dilation;
  taps = reshape (find (mod (lead, stride) == 0), [], 1);
  places = reshape (lead(taps), [], 1) / stride + 1 + (0:ceil ((in - first + 1) / stride) - 1);
end

function result = by_channel (form, a, b, bias, g, times)
  % Each channel of x has 'times' channels of y.
  kernel = @octcompress.layers.correlate_channels;
  if times > 1 && ~strcmp (form, 'spread')
    a = a(ceil ((1:size (a, 1) * times) / times), :, :, :);
  end
  if times > 1 && strcmp (form, 'spread')
    x = run (kernel, form, a, b, [], g);
    s = size (x);
    result = reshape (sum (reshape (x, times, []), 1), [s(1) / times, s(2:end)]);
    if ~isempty (bias)
      result = result + bias;
    end
  else
    result = run (kernel, form, a, b, bias, g);
  end
end

function result = by_groups (form, a, b, bias, g, sizes, groups)
  blocks = group_blocks (sizes, groups);
  result = [];
  for i = 1:numel (blocks)
    in = blocks{i}.in;
    out = blocks{i}.out;
    switch form
      case 'correlate'
        to = out;
        part = a(in, :, :, :);
        w = widen (b, blocks{i});
      case 'spread'
        to = in;
        part = a(out, :, :, :);
        w = permute (widen (b, blocks{i}), [2 1 3 4]);
      case 'weights'
        to = out;
        part = a(in, :, :, :);
        w = b(out, :, :, :);
    end
    part_bias = bias;
    if ~isempty (bias)
      part_bias = bias(to);
    end
    part = run (@octcompress.layers.correlate, form, part, w, part_bias, g);
    if strcmp (form, 'weights')
      part = narrow (part, blocks{i}, sizes);
    end
    if isempty (result)
      s = size (part);
      channels = sizes(1);
      if strcmp (form, 'spread')
        channels = sizes(2) * groups;
      end
      result = zeros ([channels s(2:end)], class (part));
    end
    result(to, :, :, :) = part;
  end
end

function blocks = group_blocks (sizes, groups)
  % Neighbouring groups in blocks of at least 16 channels: their channels on both sides, and the
  % places of their weights in the block's dense matrix.
  per_in = sizes(2);
  per_out = sizes(1) / groups;
  merge = max (1, ceil (16 / max (per_in, per_out)));
  blocks = cell (1, ceil (groups / merge));
  for i = 1:numel (blocks)
    first = (i - 1) * merge;
    count = min (merge, groups - first);
    out = 1:count * per_out;
    group = ceil (out' / per_out);
    places = out' + numel (out) * ((group - 1) * per_in + (0:per_in-1));
    blocks{i} = struct ('in', first * per_in + (1:count * per_in), 'out', first * per_out + out, ...
                        'places', places(:));
  end
end

function wide = widen (w, block)
  [~, per_in, kw, kh] = size (w);
  wide = zeros (numel (block.out) * numel (block.in), kw * kh, class (w));
  wide(block.places, :) = reshape (w(block.out, :, :, :), numel (block.out) * per_in, kw * kh);
  wide = reshape (wide, numel (block.out), numel (block.in), kw, kh);
end

function dw = narrow (wide, block, sizes)
  wide = reshape (wide, numel (block.out) * numel (block.in), []);
  dw = reshape (wide(block.places, :), [numel(block.out) sizes(2:4)]);
end

%!function compare (in, w_size, groups, layer)
%!  % adjoint: <correlate (x), y> = <x, spread (y)> = <weights, weights (x, y)>
%!  g = octcompress.layers.window ('f', layer, w_size(1:2), in);
%!  x = rand (in(3), in(2), 2, in(1));
%!  y = rand (w_size(4), g.out(2), 2, g.out(1));
%!  w = rand (w_size);
%!  product = @(a, b) a(:)' * b(:);
%!  one = product (octcompress.layers.convolution ('correlate', x, w, [], g, groups), y);
%!  two = product (octcompress.layers.convolution ('spread', y, w, [], g, groups), x);
%!  three = product (octcompress.layers.convolution ('weights', x, y, [], g, groups), w);
%!  assert (two, one, 1e-10 * one);
%!  assert (three, one, 1e-10 * one);
%!endfunction
%!test % the three maps belong together, in every arrangement
%! for layer = {struct(), struct('padding', 'same'), struct('dilation', 2, 'stride', 3), ...
%!              struct('stride', [2 3], 'padding', [2 0 1 1])}
%!   compare ([7 9 2], [3 3 2 5], 1, layer{1});
%!   compare ([7 9 1], [3 2 1 5], 1, layer{1});
%!   compare ([7 9 18], [3 3 18 5], 1, layer{1});
%!   compare ([7 9 18], [1 1 18 5], 1, layer{1});
%!   compare ([7 9 6], [3 3 1 6], 6, layer{1});
%!   compare ([7 9 6], [3 3 1 12], 6, layer{1});
%!   compare ([7 9 6], [3 3 2 9], 3, layer{1});
%!   compare ([7 9 40], [3 3 2 20], 20, layer{1});
%! end
%!test % the bias of grouped and transposed convolutions
%! w = rand (2, 2, 2, 6);
%! g = octcompress.layers.window ('f', struct ('stride', 2), [2 2], [4 4 4]);
%! y = octcompress.layers.convolution ('correlate', zeros (4, 4, 1, 4), w, (1:6)', g, 2);
%! assert (y(:, 1, 1, 2), (1:6)');
%! x = octcompress.layers.convolution ('spread', zeros (6, 2, 1, 2), w, (1:4)', g, 2);
%! assert (x(:, 3, 1, 2), (1:4)');
