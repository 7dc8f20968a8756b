function [entry, entries] = types (name)
%TYPES  What the engine knows of a layer type: its function and its parameters.
%
%   entry = octcompress.layers.types (name)   struct of one type; empty when there is no such type
%   [names, entries] = octcompress.layers.types ()   cellstr of all types; struct of their entries
%
%   entry.run         handle of the layer's function; its three call forms are below
%   entry.trained     cellstr, the fields that training changes
%   entry.statistics  cellstr, the fields that a forward pass in training changes
%   entry.prunable    cellstr, the fields that pruning and quantization take by default
%   entry.options     cellstr, the layer's other fields; its help says what they mean
%   entry.inputs      [fewest most] number of inputs; x is a cell where more than one is allowed
%   entry.planned     the field that octcompress.model.plan adds to the layer: '', 'in_size', or
%                     'window', the third result of 'size'
%
%   Every layer function has three forms, all pure:
%
%   [y, state] = run ('forward', layer, x, training)
%   [dx, gradients] = run ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs, window] = run ('size', layer, in_size)
%
%   x, y, dy   arrays in the engine's layout: features F x N, images C x W x N x H,
%              sequences F x N x T (N observations). Channels come first everywhere.
%   training   true in training: dropout drops, batch normalisation uses the batch
%   state      what backward needs beside x and y; state.statistics, a struct of fields of
%              the layer, is what training must store in it
%   gradients  struct with a field for each trained parameter
%   need_dx    false for the first layer: dx may then be []
%   in_size    of one observation: F, [H W C] or [F T]; a cell of them where x is a cell
%   macs       multiply-accumulates of one observation
%   window     of layers with windows: where they lie (octcompress.layers.window)
%
%   See also octcompress.model.plan, octcompress.model.forward.

  persistent table
  if isempty (table)
    window = {'stride', 'padding', 'dilation'};
    recurrent = {'weights', 'recurrent_weights', 'bias', 'recurrent_bias'};
    table = struct ();
    table.dense = row (@octcompress.layers.dense, [1 1], {'weights', 'bias'}, {}, {'weights'}, {});
    table.conv2d = row (@octcompress.layers.conv2d, [1 1], {'weights', 'bias'}, {}, {'weights'}, ...
                        [window {'groups'}]);
    table.transposedconv2d = row (@octcompress.layers.transposedconv2d, [1 1], ...
                                  {'weights', 'bias'}, {}, {'weights'}, ...
                                  [window {'groups', 'output_padding'}]);
    table.batchnorm = row (@octcompress.layers.batchnorm, [1 1], {'scale', 'offset'}, ...
                           {'mean', 'variance'}, {}, {'epsilon', 'momentum', 'frozen'});
    for type = {'relu', 'relu6', 'swish', 'hardswish', 'sigmoid', 'tanh', 'identity'}
      table.(type{1}) = row (@octcompress.layers.activation, [1 1], {}, {}, {}, {});
    end
    table.leakyrelu = row (@octcompress.layers.activation, [1 1], {}, {}, {}, {'slope'});
    table.elu = row (@octcompress.layers.activation, [1 1], {}, {}, {}, {'alpha'});
    table.gelu = row (@octcompress.layers.activation, [1 1], {}, {}, {}, {'approximate'});
    table.hardsigmoid = row (@octcompress.layers.activation, [1 1], {}, {}, {}, {'alpha', 'beta'});
    table.prelu = row (@octcompress.layers.prelu, [1 1], {'slope'}, {}, {}, {});
    table.softmax = row (@octcompress.layers.softmax, [1 1], {}, {}, {}, {});
    table.logsoftmax = row (@octcompress.layers.logsoftmax, [1 1], {}, {}, {}, {});
    pool = [{'pool_size'} window {'ceil_mode'}];
    table.maxpool = row (@octcompress.layers.pooling, [1 1], {}, {}, {}, pool);
    table.averagepool = row (@octcompress.layers.pooling, [1 1], {}, {}, {}, ...
                             [pool {'count_include_pad'}]);
    table.globalmaxpool = row (@octcompress.layers.global_pooling, [1 1], {}, {}, {}, {});
    table.globalaveragepool = row (@octcompress.layers.global_pooling, [1 1], {}, {}, {}, {});
    table.flatten = row (@octcompress.layers.rearrange, [1 1], {}, {}, {}, {'order'});
    table.reshape = row (@octcompress.layers.rearrange, [1 1], {}, {}, {}, ...
                         {'output_size', 'order'});
    table.permute = row (@octcompress.layers.rearrange, [1 1], {}, {}, {}, {'dimensions'});
    table.add = row (@octcompress.layers.combine, [2 Inf], {}, {}, {}, {});
    table.subtract = row (@octcompress.layers.combine, [2 2], {}, {}, {}, {});
    table.multiply = row (@octcompress.layers.combine, [2 Inf], {}, {}, {}, {});
    table.concat = row (@octcompress.layers.concat, [2 Inf], {}, {}, {}, {'axis'});
    table.dropout = row (@octcompress.layers.dropout, [1 1], {}, {}, {}, {'rate'});
    table.upsample = row (@octcompress.layers.upsample, [1 1], {}, {}, {}, ...
                          {'factor', 'method', 'align_corners'});
    table.zeropad = row (@octcompress.layers.zeropad, [1 1], {}, {}, {}, {'padding'});
    table.scale = row (@octcompress.layers.scale, [1 1], {}, {}, {}, {'scale', 'offset'});
    table.lstm = row (@octcompress.layers.lstm, [1 1], recurrent, {}, recurrent(1:2), ...
                      {'result', 'reverse'});
    table.gru = row (@octcompress.layers.gru, [1 1], recurrent, {}, recurrent(1:2), ...
                     {'result', 'reverse', 'reset_after'});
    for type = {'flatten', 'reshape', 'permute', 'add', 'subtract', 'multiply', 'concat'}
      table.(type{1}).planned = 'in_size';
    end
    for type = {'conv2d', 'transposedconv2d', 'maxpool', 'averagepool'}
      table.(type{1}).planned = 'window';
    end
  end
  entries = table;
  if nargin == 0
    entry = fieldnames (table)';
  elseif ischar (name) && isfield (table, name)
    entry = table.(name);
  else
    entry = [];
  end
end

function entry = row (run, inputs, trained, statistics, prunable, options)
  entry = struct ('run', run, 'inputs', inputs, 'trained', {trained}, ...
                  'statistics', {statistics}, 'prunable', {prunable}, 'options', {options}, ...
                  'planned', '');
end

%!test
%! entry = octcompress.layers.types ('dense');
%! assert (entry.trained, {'weights', 'bias'});
%! assert (func2str (entry.run), 'octcompress.layers.dense');
%!assert (isempty (octcompress.layers.types ('nonsense')))
%!assert (any (strcmp (octcompress.layers.types (), 'relu')))
%!test % every type has a function that knows its call forms, and help
%! for name = octcompress.layers.types ()
%!   entry = octcompress.layers.types (name{1});
%!   assert (~isempty (which (func2str (entry.run))), name{1});
%!   assert (all (ismember (entry.prunable, entry.trained)), name{1});
%! end
