function points = activation_points (plan, layers, fuse)
%ACTIVATION_POINTS  Where a quantized network's activations get a grid, as runtimes fuse layers.
%
%   points = octcompress.quant.activation_points (plan, layers, fuse)
%
%   points  cellstr, one for each layer:
%     'own'      its output gets a grid from the range seen
%     'none'     it is computed in one piece with the only layer that reads it: a dense or
%                convolution layer, an add, subtract or multiply before a relu or relu6, and a
%                layer with weights before a batch normalisation
%     'inherit'  its values are on its input's grid already: pooling by maximum, flatten,
%                reshape, permute, dropout, identity, zeropad, upsample, and a relu after one of
%                these
%     'same'     its output is put on its input's grid: pooling by average
%     'shared'   concat: its inputs and its output have one grid
%     'fixed'    softmax, logsoftmax, sigmoid, hardsigmoid, tanh: the range is known [1]
%
%   With fuse false every layer is 'own'.
%
%   [1] TensorFlow Lite 8-bit quantization specification.
%
%   See also nn_calibrate, octcompress.quant.integer_predict.

  count = numel (layers);
  points = repmat ({'own'}, 1, count);
  if ~fuse
    return
  end
  keeping = {'maxpool', 'globalmaxpool', 'flatten', 'reshape', 'permute', 'dropout', ...
             'identity', 'zeropad', 'upsample'};
  weighted = {'dense', 'conv2d', 'transposedconv2d'};
  readers = cell (1, count);
  for k = 1:count
    for source = plan.inputs{k}(plan.inputs{k} > 0)
      readers{source}(end + 1) = k;
    end
  end
  for k = 1:count
    type = layers{k}.type;
    source = plan.inputs{k}(1);
    if any (strcmp (type, keeping))
      points{k} = 'inherit';
    elseif strcmp (type, 'relu') && source > 0 && any (strcmp (points{source}, {'inherit', 'same'}))
      points{k} = 'inherit';
    elseif any (strcmp (type, {'averagepool', 'globalaveragepool'}))
      points{k} = 'same';
    elseif strcmp (type, 'concat')
      points{k} = 'shared';
    elseif any (strcmp (type, {'softmax', 'logsoftmax', 'sigmoid', 'hardsigmoid', 'tanh'}))
      points{k} = 'fixed';
    end
    alone = source > 0 && isscalar (readers{source}) && ~any (plan.outputs == source);
    if alone && strcmp (points{source}, 'own')
      before = layers{source}.type;
      clips = any (strcmp (type, {'relu', 'relu6'})) ...
              && any (strcmp (before, [weighted, {'batchnorm', 'scale', 'add', 'subtract', ...
                                                  'multiply'}]));
      if clips || (strcmp (type, 'batchnorm') && any (strcmp (before, weighted)))
        points{source} = 'none';
      end
    end
  end
end

%!function points = points_of (types, fuse)
%!  n = numel (types);
%!  plan = struct ('inputs', {num2cell(0:n-1)}, 'outputs', n);
%!  layers = cellfun (@(t) struct ('type', t), types, 'UniformOutput', false);
%!  points = octcompress.quant.activation_points (plan, layers, fuse);
%!endfunction
%!assert (points_of ({'conv2d', 'batchnorm', 'relu', 'maxpool', 'flatten', 'dense', 'softmax'}, ...
%!                   true), ...
%!        {'none', 'none', 'own', 'inherit', 'inherit', 'own', 'fixed'})
%!assert (points_of ({'conv2d', 'maxpool', 'relu', 'dense', 'relu6'}, true), ...
%!        {'own', 'inherit', 'inherit', 'none', 'own'})
%!assert (points_of ({'dense', 'relu'}, false), {'own', 'own'})
%!assert (points_of ({'relu', 'averagepool', 'relu'}, true), {'own', 'same', 'inherit'})
%!test % read twice, or an output of the network: not fused
%! plan = struct ('inputs', {{0, 1, [1 2]}}, 'outputs', 3);
%! layers = {struct('type', 'conv2d'), struct('type', 'relu'), struct('type', 'add')};
%! assert (octcompress.quant.activation_points (plan, layers, true), {'own', 'own', 'own'});
%! plan = struct ('inputs', {{0, 1}}, 'outputs', [1 2]);
%! assert (octcompress.quant.activation_points (plan, layers(1:2), true), {'own', 'own'});
