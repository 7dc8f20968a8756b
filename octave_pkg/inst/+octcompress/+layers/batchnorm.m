function varargout = batchnorm (form, layer, x, varargin)
%BATCHNORM  Batch normalisation of each channel, with its running statistics.
%
%   [y, state] = octcompress.layers.batchnorm ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.batchnorm ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.batchnorm ('size', layer, in_size)
%
%   layer.scale, layer.offset     C x 1, trained
%   layer.mean, layer.variance    C x 1, the running statistics, with which inference computes
%   layer.epsilon                 (1e-5)
%   layer.momentum                (0.1) the weight of a batch in the running statistics:
%                                 mean = (1 - momentum) * mean + momentum * mean of the batch.
%                                 This is PyTorch's meaning; Keras's momentum is 1 - this.
%   layer.frozen                  (false) true: training computes as inference does, and leaves
%                                 the running statistics alone
%   x                             channels first: C x N, C x N x T or C x W x N x H
%
%   y = scale .* (x - mean) ./ sqrt (variance + epsilon) + offset [1]. In training mean and variance
%   are those of the batch, the variance over M values divided by M; the running variance takes
%   the one divided by M - 1, as PyTorch does. state.statistics has the new running statistics.
%
%   Errors: octcompress:batchnorm:badSize.
%
%   [1] Ioffe and Szegedy, Batch normalization, ICML 2015, arXiv:1502.03167.
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      varargout = cell (1, 2);
      [varargout{:}] = forward (layer, x, varargin{1});
    case 'backward'
      [~, dy, state, need_dx] = varargin{:};
      varargout = cell (1, 2);
      [varargout{:}] = backward (layer, x, dy, state, need_dx);
    case 'size'
      in_size = x;
      channels = in_size(end);
      if numel (in_size) == 2
        channels = in_size(1);
      end
      names = {'scale', 'offset', 'mean', 'variance'};
      there = isfield (layer, names);
      for i = 1:4
        if there(i)
          value = layer.(names{i});
          if size (value, 1) == channels && numel (value) == channels
            continue
          end
          given = octcompress.internal.describe (value);
        else
          given = 'absent';
        end
        octcompress.internal.fail ('batchnorm', 'badSize', ...
          '%s must be %d x 1, one for each channel of the input [%s], but is %s', ...
          upper (names{i}), channels, num2str (in_size), given);
      end
      varargout = {in_size, prod(in_size)};
  end
end

function [y, state] = forward (layer, x, training)
  epsilon = octcompress.layers.option (layer, 'epsilon', 1e-5);
  state = struct ('training', training && ~octcompress.layers.option (layer, 'frozen', false));
  if state.training
    count = numel (x) / size (x, 1);
    state.mean = total (x) / count;
    variance = products_of (x, x) / count - state.mean .^ 2;
    state.near_zero = all (state.mean .^ 2 <= 4 * variance);
    if ~state.near_zero   % the difference would lose digits
      centred = octcompress.layers.affine (x, [], -state.mean);
      variance = products_of (centred, centred) / count;
    end
    state.statistics = struct ('mean', running (layer, layer.mean, state.mean), 'variance', ...
      running (layer, layer.variance, variance * (count / max (count - 1, 1))));
    state.inverse = 1 ./ sqrt (variance + epsilon);
    factor = layer.scale .* state.inverse;
    if state.near_zero
      y = octcompress.layers.affine (x, factor, layer.offset - factor .* state.mean);
    else
      y = octcompress.layers.affine (centred, factor, layer.offset);
    end
  else
    state.mean = layer.mean;
    state.near_zero = false;
    state.inverse = 1 ./ sqrt (layer.variance + epsilon);
    state.statistics = struct ();
    factor = layer.scale .* state.inverse;
    y = octcompress.layers.affine (x, factor, layer.offset - factor .* layer.mean);
  end
end

function value = running (layer, old, new)
  momentum = octcompress.layers.option (layer, 'momentum', 0.1);
  value = cast ((1 - momentum) * double (old) + momentum * double (new), class (old));
end

function [dx, gradients] = backward (layer, x, dy, state, need_dx)
  % x less its mean: where the mean is near zero it is subtracted from the sums instead.
  centre = state.mean;
  if ~state.near_zero
    x = octcompress.layers.affine (x, [], -state.mean);
    centre = 0;
  end
  gradients.offset = total (dy);
  gradients.scale = state.inverse .* (products_of (dy, x) - centre .* gradients.offset);
  dx = [];
  if need_dx
    factor = layer.scale .* state.inverse;
    if state.training
      count = numel (x) / size (x, 1);
      slope = factor .* state.inverse .* gradients.scale / count;
      dx = octcompress.layers.affine (dy, factor, []) ...
           + octcompress.layers.affine (x, -slope, slope .* centre ...
                                        - factor .* gradients.offset / count);
    else
      dx = octcompress.layers.affine (dy, factor, []);
    end
  end
end

function s = total (x)
  % As a matrix product, which adds in blocks: faster than sum, and with fewer roundings.
  x = reshape (x, size (x, 1), []);
  s = x * ones (size (x, 2), 1, class (x));
end

function s = products_of (a, b)
  s = octcompress.layers.total_of_products (a, b, numel (a) / size (a, 1) / size (a, 4));
end

%!shared layer
%! layer = struct ('type', 'batchnorm', 'scale', [2; -1], 'offset', [0.5; 3], ...
%!                 'mean', [1; 2], 'variance', [4; 0.25]);
%!test % inference
%! y = octcompress.layers.batchnorm ('forward', setfield (layer, 'epsilon', 0), [1 3; 2 1], false);
%! assert (y, [0.5 2.5; 3 5], 1e-12);
%!test % training: each channel of the batch has mean offset and deviation scale
%! x = 3 + rand (2, 4, 5, 6);
%! [y, state] = octcompress.layers.batchnorm ('forward', setfield (layer, 'epsilon', 0), x, true);
%! y = reshape (y, 2, []);
%! assert (mean (y, 2), layer.offset, 1e-12);
%! assert (std (y, 1, 2), abs (layer.scale), 1e-12);
%! x = reshape (x, 2, []);
%! assert (state.statistics.mean, 0.9 * layer.mean + 0.1 * mean (x, 2), 1e-12);
%! assert (state.statistics.variance, 0.9 * layer.variance + 0.1 * var (x, 0, 2), 1e-12);
%!test % frozen: training computes as inference does
%! x = rand (2, 4, 5, 6);
%! frozen = setfield (layer, 'frozen', true);
%! [y, state] = octcompress.layers.batchnorm ('forward', frozen, x, true);
%! assert (y, octcompress.layers.batchnorm ('forward', layer, x, false));
%! assert (isempty (fieldnames (state.statistics)));
%! assert (octcompress.layers.check_gradient (frozen, [6 4 2], true) < 1e-6);
%!test % a mean far from 0 does no harm in single
%! x = single (1000 + rand (2, 8, 50, 8));
%! y = octcompress.layers.batchnorm ('forward', layer, x, true);
%! expected = octcompress.layers.batchnorm ('forward', layer, double (x), true);
%! assert (double (y), expected, 1e-2);
%! assert (class (y), 'single');
%!test % nor to the gradients
%! x = 1000 + rand (2, 8, 50, 8);
%! dy = rand (size (x)) - 0.5;
%! [y, state] = octcompress.layers.batchnorm ('forward', layer, x, true);
%! [dx, g] = octcompress.layers.batchnorm ('backward', layer, x, y, dy, state, true);
%! x = single (x);
%! [y, state] = octcompress.layers.batchnorm ('forward', layer, x, true);
%! [dx1, g1] = octcompress.layers.batchnorm ('backward', layer, x, y, single (dy), state, true);
%! assert (double (dx1), dx, 0.01 * max (abs (dx(:))));
%! assert (double (g1.scale), g.scale, 0.01 * max (abs (g.scale)));
%!test
%! assert (octcompress.layers.check_gradient (layer, [3 4 2]) < 1e-6);
%! assert (octcompress.layers.check_gradient (layer, [3 4 2], 1, false) < 1e-6);
%! assert (octcompress.layers.check_gradient (layer, 2) < 1e-6);
%! assert (octcompress.layers.check_gradient (layer, [2 5]) < 1e-6);
%!error <batchnorm: SCALE must be 3 x 1, one for each channel of the input \[4  4  3\], but is 2x1 double> octcompress.layers.batchnorm ('size', layer, [4 4 3])
%!error <batchnorm: MEAN must be 2 x 1, one for each channel of the input \[2\], but is absent> octcompress.layers.batchnorm ('size', rmfield (layer, 'mean'), 2)
