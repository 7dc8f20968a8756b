function yes = is_network (model)
%IS_NETWORK  Whether a struct is a network of ours: a cell of layers that each have a type.
%
%   yes = octcompress.model.is_network (model)
%
%   Anything else can still be pruned, quantized and packed as a struct of named tensors.
%
%   See also octcompress.model.tensors.

  yes = isstruct (model) && isscalar (model) && isfield (model, 'layers') ...
        && iscell (model.layers) && ~isempty (model.layers) ...
        && all (cellfun (@(layer) isstruct (layer) && isscalar (layer) ...
                         && isfield (layer, 'type'), ...
                         model.layers(:)));
end

%!assert (octcompress.model.is_network (struct ('layers', {{struct('type', 'relu')}})))
%!assert (~ octcompress.model.is_network (struct ('layers', {{3}})))
%!assert (~ octcompress.model.is_network (struct ('Theta1', 1)))
%!assert (~ octcompress.model.is_network ({}))
