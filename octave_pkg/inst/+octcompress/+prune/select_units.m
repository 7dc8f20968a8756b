function layer = select_units (layer, kind, kept, kept_in)
%SELECT_UNITS  A layer with some of its output and input channels, in a given order.
%
%   layer = octcompress.prune.select_units (layer, kind, kept, kept_in)
%
%   kind     'linear' or 'same', as octcompress.prune.channel_kind gives it
%   kept     numbers of the output channels, in their new order
%   kept_in  the same of the input channels that a linear layer reads
%   layer    with weights, biases, norms and the promises of pruning and quantization to match; a
%            grid by groups is given up
%
%   See also octcompress.prune.shrink, octcompress.prune.sort_units.

  if strcmp (kind, 'linear')
    if isfield (layer, 'bias') && ~isempty (layer.bias)
      layer.bias = layer.bias(kept);
    end
    switch layer.type
      case 'dense'
        layer.weights = layer.weights(kept, kept_in);
        layer.weights_size = [numel(kept), numel(kept_in)];
        layer = cut_promises (layer, {kept, kept_in});
      otherwise
        sizes = octcompress.layers.weights_size (layer, 4);
        w = reshape (layer.weights, sizes);
        chosen = {kept_in, kept};
        if strcmp (layer.type, 'transposedconv2d')
          chosen = {kept, kept_in};
        end
        layer.weights = w(:, :, chosen{1}, chosen{2});
        layer.weights_size = [sizes(1:2), numel(chosen{1}), numel(chosen{2})];
        layer = cut_promises (layer, {1:sizes(1), 1:sizes(2), chosen{:}}); %#ok<CCAT>
    end
    return
  end
  if strcmp (layer.type, 'conv2d')
    sizes = octcompress.layers.weights_size (layer, 4);
    w = reshape (layer.weights, sizes);
    layer.weights = w(:, :, :, kept);
    layer.weights_size = [sizes(1:3), numel(kept)];
    layer.groups = numel (kept);
    layer = cut_promises (layer, {1:sizes(1), 1:sizes(2), 1:sizes(3), kept});
  end
  for name = {'bias', 'scale', 'offset', 'mean', 'variance', 'slope'}
    if isfield (layer, name{1}) && numel (layer.(name{1})) > 1
      value = layer.(name{1});
      if ndims (value) > 2
        layer.(name{1}) = value(:, :, kept);
      else
        layer.(name{1}) = value(kept);
      end
    end
  end
end

function layer = cut_promises (layer, kept)
  if isfield (layer, 'pruning') && isfield (layer.pruning, 'weights')
    layer.pruning.weights.zeros = numel (layer.weights) - nnz (layer.weights);
  end
  if isfield (layer, 'quantization') && isfield (layer.quantization, 'weights')
    grid = layer.quantization.weights;
    if isfield (grid, 'codebook')
      return
    elseif ~isfield (grid, 'scale') || ~isfield (grid, 'axis') ...
          || (isfield (grid, 'group') && any (grid.group > 0))
      layer.quantization = rmfield (layer.quantization, 'weights');
    elseif numel (grid.scale) > 1
      layer.quantization.weights.scale = grid.scale(kept{grid.axis});
      if numel (grid.zero_point) > 1
        layer.quantization.weights.zero_point = grid.zero_point(kept{grid.axis});
      end
    end
  end
end

%!test % rows and columns in a new order, the scales of the rows with them
%! layer = struct ('type', 'dense', 'weights', single ([1 2 3; 4 5 6]), 'bias', single ([7; 8]));
%! layer.quantization.weights = struct ('bits', 8, 'scheme', 'symmetric', 'scale', ...
%!   single ([1; 2]), 'zero_point', single ([0; 0]), 'axis', 1);
%! other = octcompress.prune.select_units (layer, 'linear', [2 1], [3 1]);
%! assert (other.weights, single ([6 4; 3 1]));
%! assert (other.bias, single ([8; 7]));
%! assert (other.quantization.weights.scale, single ([2; 1]));
%! assert (other.weights_size, [2 2]);
%!test % a codebook stays
%! layer = struct ('type', 'dense', 'weights', single ([1 2; 2 1]));
%! layer.quantization.weights = struct ('bits', 1, 'scheme', 'codebook', 'codebook', ...
%!                                      single ([1; 2]), 'axis', 0);
%! other = octcompress.prune.select_units (layer, 'linear', 2, 1:2);
%! assert (other.quantization, layer.quantization);
