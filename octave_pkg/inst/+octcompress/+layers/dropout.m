function varargout = dropout (form, layer, x, varargin)
%DROPOUT  Set random elements to zero in training, and nothing in inference.
%
%   [y, state] = octcompress.layers.dropout ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.dropout ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.dropout ('size', layer, in_size)
%
%   layer.rate  (0.5) the share to drop; what stays is divided by 1 - rate [1]
%
%   An element stays where octcompress.train.random ('uniform', size (x)) >= rate.
%
%   Errors: octcompress:dropout:badValue.
%
%   [1] Srivastava et al., Dropout, JMLR 15, 2014.
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      state = [];
      y = x;
      if varargin{1}
        rate = octcompress.layers.option (layer, 'rate', 0.5);
        stays = octcompress.train.random ('uniform', size (x)) >= rate;
        state = cast (stays, class (x)) / (1 - rate);
        y = x .* state;
      end
      varargout = {y, state};
    case 'backward'
      [~, dy, state, ~] = varargin{:};
      if ~isempty (state)
        dy = dy .* state;
      end
      varargout = {dy, struct()};
    case 'size'
      rate = octcompress.layers.option (layer, 'rate', 0.5);
      octcompress.internal.check ('dropout', 'rate', rate, 'number', [0 1 - eps]);
      varargout = {x, 0};
  end
end

%!test % inference
%! x = rand (3, 4);
%! assert (octcompress.layers.dropout ('forward', struct (), x, false), x);
%!test % training keeps the mean
%! before = octcompress.train.random ('seed', 1);
%! x = ones (100, 200, 'single');
%! y = octcompress.layers.dropout ('forward', struct ('rate', 0.2), x, true);
%! octcompress.train.random ('restore', before);
%! assert (mean (y(:) == 0), 0.2, 0.01);
%! assert (all (y(:) == 0 | y(:) == single (1.25)));
%!assert (octcompress.layers.check_gradient (struct ('type', 'dropout', 'rate', 0.3), 20) < 1e-6)
%!error <dropout: RATE must be a number from 0 to 1, but is 1.5> octcompress.layers.dropout ('size', struct ('rate', 1.5), 3)
