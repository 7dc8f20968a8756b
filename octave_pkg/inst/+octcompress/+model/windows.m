function layer = windows (layer, stride, padding)
%WINDOWS  Give a layer the stride and padding of MatConvNet, whose order is ours.
%
%   layer = octcompress.model.windows (layer, stride, padding)
%
%   stride   scalar or [vertical horizontal]
%   padding  scalar, [vertical horizontal] or [top bottom left right]
%
%   See also octcompress.model.filters.

  layer.stride = double (reshape (stride, 1, []));
  layer.padding = double (reshape (padding, 1, []));
end

%!assert (octcompress.model.windows (struct (), single ([1; 2]), 0), ...
%!        struct ('stride', [1 2], 'padding', 0))
