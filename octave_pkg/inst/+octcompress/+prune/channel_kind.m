function kind = channel_kind (model, plan, k)
%CHANNEL_KIND  How a layer's output channels hang together with those of its inputs.
%
%   kind = octcompress.prune.channel_kind (model, plan, k)
%
%   model, plan  a tidy network, and of octcompress.model.plan
%   k            number of the layer
%   kind   'linear'   channels of its own, each made of all of the input
%          'same'     works channel by channel
%          'alike'    all inputs have the channels of the output: add, subtract, multiply
%          'concat'   the channels of the inputs one after the other
%          'flatten'  a channel becomes several features
%          'pinned'   anything else: the channels must stay as they are
%
%   See also octcompress.prune.shrink, nn_student.

  layer = model.layers{k};
  same = {'relu', 'relu6', 'leakyrelu', 'prelu', 'elu', 'gelu', 'swish', 'hardswish', 'sigmoid', ...
          'hardsigmoid', 'tanh', 'identity', 'dropout', 'batchnorm', 'scale', 'maxpool', ...
          'averagepool', 'globalmaxpool', 'globalaveragepool', 'upsample', 'zeropad'};
  kind = 'pinned';
  groups = 1;
  if isfield (layer, 'groups') && ~isempty (layer.groups)
    groups = layer.groups;
  end
  switch layer.type
    case 'dense'
      kind = 'linear';
    case {'conv2d', 'transposedconv2d'}
      if groups == 1
        kind = 'linear';
      else
        sizes = octcompress.layers.weights_size (layer, 4);
        if strcmp (layer.type, 'conv2d') && sizes(3) == 1 && sizes(4) == groups
          kind = 'same';
        end
      end
    case same
      kind = 'same';
    case 'flatten'
      kind = 'flatten';
    case {'add', 'subtract', 'multiply'}
      kind = 'alike';
    case 'concat'
      if ~isfield (layer, 'axis') || isempty (layer.axis) || any (strcmp (layer.axis, {'C', 'F'}))
        kind = 'concat';
      end
  end
  own = octcompress.model.channels (plan.sizes{k});
  if any (strcmp (kind, {'same', 'alike'}))
    % An image of one channel beside others is stretched: leave that alone.
    for r = plan.inputs{k}
      in_size = model.input_size;
      if r > 0
        in_size = plan.sizes{r};
      end
      if octcompress.model.channels (in_size) ~= own
        kind = 'pinned';
      end
    end
  end
end

%!test
%! model.input_size = [4 4 2];
%! model.layers = {struct('type', 'conv2d', 'name', 'a', 'weights', ones (1, 1, 2, 3)), ...
%!                 struct('type', 'relu', 'name', 'b'), ...
%!                 struct('type', 'add', 'name', 'c', 'inputs', {{'a', 'b'}}), ...
%!                 struct('type', 'flatten', 'name', 'd'), struct('type', 'softmax', 'name', 'e')};
%! plan = octcompress.model.plan ('f', octcompress.model.tidy ('f', model));
%! kinds = arrayfun (@(k) octcompress.prune.channel_kind (model, plan, k), 1:5, ...
%!                   'UniformOutput', false);
%! assert (kinds, {'linear', 'same', 'alike', 'flatten', 'pinned'});
