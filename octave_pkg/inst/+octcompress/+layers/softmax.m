function varargout = softmax (form, layer, x, varargin)
%SOFTMAX  Softmax over the channels (the first dimension).
%
%   [y, state] = octcompress.layers.softmax ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.softmax ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.softmax ('size', layer, in_size)
%
%   y = exp (x - max (x)) / sum (exp (x - max (x))), so that large x do not overflow.
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      y = exp (x - max (x, [], 1));
      varargout = {y ./ sum(y, 1), []};
    case 'backward'
      [y, dy] = varargin{1:2};
      dx = y .* (dy - sum (dy .* y, 1));
      varargout = {dx, struct()};
    case 'size'
      varargout = {x, 0};
  end
end

%!test
%! y = octcompress.layers.softmax ('forward', struct (), [1 1000; 1 0], false);
%! assert (y, [0.5 1; 0.5 0], eps);
%!test % derivative against central differences
%! x = [0.3; -1; 2];
%! dy = [1; -2; 0.5];
%! f = @(x) octcompress.layers.softmax ('forward', struct (), x, false);
%! dx = octcompress.layers.softmax ('backward', struct (), x, f (x), dy, [], true);
%! for k = 1:3
%!   step = 1e-6 * ((1:3)' == k);
%!   assert (dx(k), dy' * (f (x + step) - f (x - step)) / 2e-6, 1e-8);
%! end
