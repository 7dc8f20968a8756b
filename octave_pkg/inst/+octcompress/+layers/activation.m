function varargout = activation (form, layer, x, varargin)
%ACTIVATION  Elementwise functions.
%
%   [y, state] = octcompress.layers.activation ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.activation ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.activation ('size', layer, in_size)
%
%   layer.type is the function's name, and a few have a parameter:
%
%   relu         max (x, 0)
%   relu6        min (max (x, 0), 6)
%   leakyrelu    x where x > 0, else slope * x; layer.slope (0.01)
%   elu          x where x > 0, else alpha * (exp (x) - 1); layer.alpha (1)
%   gelu         x * Phi (x), Phi the normal distribution function [1]; with layer.approximate
%                ('none') = 'tanh': x / 2 * (1 + tanh (sqrt (2 / pi) * (x + 0.044715 * x^3)))
%   swish        x / (1 + exp (-x)), also called silu
%   hardswish    x * min (max (x + 3, 0), 6) / 6
%   sigmoid      1 / (1 + exp (-x))
%   hardsigmoid  min (max (alpha * x + beta, 0), 1); layer.alpha (1/6), layer.beta (1/2), which is
%                PyTorch's; ONNX's default is alpha 0.2, so is that of older versions of Keras
%   tanh         tanh (x)
%   identity     x
%
%   The derivative at a kink is that of the side away from the identity: 0 for relu at 0.
%
%   Errors: octcompress:activation:badValue.
%
%   [1] Hendrycks and Gimpel, Gaussian error linear units, 2016, arXiv:1606.08415.
%
%   See also octcompress.layers.prelu, octcompress.layers.types.

  switch form
    case 'forward'
      varargout = {value(layer, x), []};
    case 'backward'
      [y, dy] = varargin{1:2};
      varargout = {derivative(layer, x, y, dy), struct()};
    case 'size'
      names = {'slope', 'alpha', 'beta'};
      for name = names(isfield (layer, names))
        octcompress.internal.check ('activation', name{1}, layer.(name{1}), 'number', [-Inf Inf]);
      end
      if isfield (layer, 'approximate')
        octcompress.internal.check ('activation', 'approximate', layer.approximate, ...
                                    'choice', {'none', 'tanh'});
      end
      varargout = {x, 0};
  end
end

function y = value (layer, x)
  switch layer.type
    case 'relu'
      y = max (x, 0);
    case 'relu6'
      y = min (max (x, 0), 6);
    case 'leakyrelu'
      y = max (x, 0) + octcompress.layers.option (layer, 'slope', 0.01) * min (x, 0);
    case 'elu'
      y = max (x, 0) + octcompress.layers.option (layer, 'alpha', 1) * expm1 (min (x, 0));
    case 'gelu'
      if strcmp (octcompress.layers.option (layer, 'approximate', 'none'), 'tanh')
        y = 0.5 * x .* (1 + tanh (sqrt (2 / pi) * (x + 0.044715 * x .^ 3)));
      else
        y = 0.5 * x .* (1 + erf (x / sqrt (2)));
      end
    case 'swish'
      y = x ./ (1 + exp (-x));
    case 'hardswish'
      y = x .* min (max (x + 3, 0), 6) / 6;
    case 'sigmoid'
      y = 1 ./ (1 + exp (-x));
    case 'hardsigmoid'
      y = octcompress.layers.option (layer, 'alpha', 1 / 6) * x;
      y = min (max (y + octcompress.layers.option (layer, 'beta', 0.5), 0), 1);
    case 'tanh'
      y = tanh (x);
    case 'identity'
      y = x;
  end
end

function dx = derivative (layer, x, y, dy)
  kind = class (dy);
  switch layer.type
    case 'relu'
      dx = dy .* cast (y > 0, kind);
    case 'relu6'
      dx = dy .* cast (y > 0 & y < 6, kind);
    case 'leakyrelu'
      slope = octcompress.layers.option (layer, 'slope', 0.01);
      dx = dy .* (slope + (1 - slope) * cast (x > 0, kind));
    case 'elu'
      alpha = octcompress.layers.option (layer, 'alpha', 1);
      positive = cast (x > 0, kind);
      dx = dy .* (positive + (1 - positive) .* (alpha * exp (min (x, 0))));
    case 'gelu'
      if strcmp (octcompress.layers.option (layer, 'approximate', 'none'), 'tanh')
        t = tanh (sqrt (2 / pi) * (x + 0.044715 * x .^ 3));
        dt = (1 - t .^ 2) .* (sqrt (2 / pi) * (1 + 3 * 0.044715 * x .^ 2));
        dx = dy .* (0.5 * (1 + t) + 0.5 * x .* dt);
      else
        dx = dy .* (0.5 * (1 + erf (x / sqrt (2))) + x .* exp (-x .^ 2 / 2) / sqrt (2 * pi));
      end
    case 'swish'
      s = 1 ./ (1 + exp (-x));
      dx = dy .* (s + y .* (1 - s));
    case 'hardswish'
      dx = dy .* (cast (x >= 3, kind) + cast (x > -3 & x < 3, kind) .* (x / 3 + 0.5));
    case 'sigmoid'
      dx = dy .* y .* (1 - y);
    case 'hardsigmoid'
      dx = dy .* (octcompress.layers.option (layer, 'alpha', 1 / 6) * cast (y > 0 & y < 1, kind));
    case 'tanh'
      dx = dy .* (1 - y .^ 2);
    case 'identity'
      dx = dy;
  end
end

%!function y = run (type, x, varargin)
%!  y = octcompress.layers.activation ('forward', struct ('type', type, varargin{:}), x, false);
%!endfunction
%!assert (run ('relu', single ([-1 0 2])), single ([0 0 2]))
%!assert (run ('relu6', [-1 2 7]), [0 2 6])
%!assert (run ('leakyrelu', [-2 2]), [-0.02 2])
%!assert (run ('leakyrelu', [-2 2], 'slope', 0.5), [-1 2])
%!assert (run ('leakyrelu', [-2 2], 'slope', 2), [-4 2])
%!assert (run ('elu', [-1 2], 'alpha', 2), [2 * (exp (-1) - 1), 2], eps)
%!assert (run ('elu', [1000 -1000]), [1000 -1])
%!assert (run ('gelu', 1.5), 1.5 * (1 + erf (1.5 / sqrt (2))) / 2, eps)
%!assert (run ('gelu', 1.5, 'approximate', 'tanh'), 1.39957, 1e-5)
%!assert (run ('swish', [2 -1000]), [2 / (1 + exp (-2)), 0], eps)
%!assert (run ('hardswish', [-4 1 5]), [0 4/6 5], eps)
%!assert (run ('sigmoid', 0), 0.5)
%!assert (run ('sigmoid', [-1000 1000]), [0 1])
%!assert (run ('hardsigmoid', [-9 0 1 9]), [0 0.5 2/3 1], eps)
%!assert (run ('hardsigmoid', 1, 'alpha', 0.2), 0.7, eps)
%!assert (run ('tanh', 0.5), tanh (0.5))
%!assert (run ('identity', 3), 3)
%!test % all keep single
%! for type = {'relu', 'relu6', 'leakyrelu', 'elu', 'gelu', 'swish', 'hardswish', 'sigmoid', ...
%!             'hardsigmoid', 'tanh', 'identity'}
%!   layer = struct ('type', type{1});
%!   x = single ([-0.5 0.5]);
%!   y = octcompress.layers.activation ('forward', layer, x, false);
%!   dx = octcompress.layers.activation ('backward', layer, x, y, x, [], true);
%!   assert ({class(y), class(dx)}, {'single', 'single'}, type{1});
%! end
%!test % derivatives against central differences, on both sides of each kink
%! x = [-7 -4 -2.2 -1.3 -0.2 0.4 2.1 2.9 3.5 7];
%! h = 1e-6;
%! for options = {{'relu'}, {'relu6'}, {'leakyrelu', 'slope', 0.2}, {'elu', 'alpha', 0.7}, ...
%!                {'gelu'}, {'gelu', 'approximate', 'tanh'}, {'swish'}, {'hardswish'}, ...
%!                {'sigmoid'}, {'hardsigmoid'}, {'hardsigmoid', 'alpha', 0.2}, {'tanh'}, ...
%!                {'identity'}}
%!   o = options{1};
%!   layer = struct ('type', o{1}, o{2:end});
%!   y = run (o{1}, x, o{2:end});
%!   dx = octcompress.layers.activation ('backward', layer, x, y, ones (1, 10), [], true);
%!   assert (dx, (run (o{1}, x + h, o{2:end}) - run (o{1}, x - h, o{2:end})) / (2 * h), 1e-8);
%! end
%!error <activation: ALPHA must be a number from -Inf to Inf, but is 'x'> octcompress.layers.activation ('size', struct ('type', 'elu', 'alpha', 'x'), 3)
%!error <activation: APPROXIMATE must be one of 'none', 'tanh', but is 'erf'> octcompress.layers.activation ('size', struct ('type', 'gelu', 'approximate', 'erf'), 3)
