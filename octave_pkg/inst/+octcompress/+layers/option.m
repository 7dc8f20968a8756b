function value = option (layer, name, default)
%OPTION  A field of a layer, or its default where it was left out.
%
%   value = octcompress.layers.option (layer, name, default)
%
%   An empty field counts as left out.
%
%   See also octcompress.layers.types.

  value = default;
  if isfield (layer, name) && ~isempty (layer.(name))
    value = layer.(name);
  end
end

%!assert (octcompress.layers.option (struct ('stride', 2), 'stride', 1), 2)
%!assert (octcompress.layers.option (struct ('stride', []), 'stride', 1), 1)
%!assert (octcompress.layers.option (struct (), 'stride', 1), 1)
