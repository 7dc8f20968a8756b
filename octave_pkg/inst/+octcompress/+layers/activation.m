function varargout = activation (form, layer, x, varargin)
%ACTIVATION  Elementwise functions: relu, sigmoid, tanh, identity.
%
%   [y, state] = octcompress.layers.activation ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.activation ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.activation ('size', layer, in_size)
%
%   layer.type is the function's name.
%
%   relu      max (x, 0); its derivative at 0 is 0
%   sigmoid   1 / (1 + exp (-x))
%   tanh      tanh (x)
%   identity  x
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      varargout = {value(layer, x), []};
    case 'backward'
      [y, dy] = varargin{1:2};
      varargout = {derivative(layer, x, y, dy), struct()};
    case 'size'
      varargout = {x, 0};
  end
end

function y = value (layer, x)
  switch layer.type
    case 'relu'
      y = max (x, 0);
    case 'sigmoid'
      y = 1 ./ (1 + exp (-x));
    case 'tanh'
      y = tanh (x);
    case 'identity'
      y = x;
  end
end

function dx = derivative (layer, x, y, dy)
  switch layer.type
    case 'relu'
      dx = dy;
      dx(y <= 0) = 0;
    case 'sigmoid'
      dx = dy .* y .* (1 - y);
    case 'tanh'
      dx = dy .* (1 - y .^ 2);
    case 'identity'
      dx = dy;
  end
end

%!function y = run (type, x)
%!  y = octcompress.layers.activation ('forward', struct ('type', type), x, false);
%!endfunction
%!assert (run ('relu', single ([-1 0 2])), single ([0 0 2]))
%!assert (run ('sigmoid', 0), 0.5)
%!assert (run ('sigmoid', [-1000 1000]), [0 1])
%!assert (run ('tanh', 0.5), tanh (0.5))
%!assert (run ('identity', 3), 3)
%!test % derivatives against central differences
%! x = [-1.3 -0.2 0.4 2.1];
%! h = 1e-6;
%! for type = {'relu', 'sigmoid', 'tanh', 'identity'}
%!   layer = struct ('type', type{1});
%!   y = run (type{1}, x);
%!   dx = octcompress.layers.activation ('backward', layer, x, y, ones (1, 4), [], true);
%!   assert (dx, (run (type{1}, x + h) - run (type{1}, x - h)) / (2 * h), 1e-8);
%! end
