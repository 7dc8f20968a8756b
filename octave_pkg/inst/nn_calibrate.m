function [model, info] = nn_calibrate (model, X, varargin)
%NN_CALIBRATE  Put a network's activations on grids, from unlabelled data.
%
%   [model, info] = nn_calibrate (model, X)
%   [model, info] = nn_calibrate (model, X, ...)
%
%   model  a network (docs/model-format.md); its weights stay as they are
%   X      calibration inputs, as nn_predict takes them; [] where activations is 'dynamic'
%
%   Options, as name-value pairs or a struct:
%     activations ('static')  'static': grids over the ranges seen in X; 'dynamic': what layers
%                             with weights read is put on a grid of its own range, of each
%                             observation; 'none': takes the grids off
%     bits (8)                1 to 16
%     scheme ('affine')       'affine' or 'symmetric'
%     observer ('minmax')     'minmax', 'average' (moving average of each batch's range),
%                             'percentile', 'mse' (least squared error), 'kl' (least
%                             Kullback-Leibler divergence), 'histogram'
%     percentile (99.99)      of that observer
%     fuse (true)             layers that runtimes compute in one piece have one grid, at their end
%                             (octcompress.quant.activation_points)
%     batch_size (256)        observations at a time; no activation is kept longer
%
%   The grids are model.quantization.input and layer.quantization.output; nn_predict computes on
%   them. nn_quantize with data calls this after the weights.
%
%   info.options      the options as merged with the defaults
%   info.activations  cell of structs, one for each grid: layer, lo, hi, scale, zero_point
%
%   Errors: octcompress:nn_calibrate:notModel, :badInput, :badValue, :unknownOption, :notFinite.
%
%   See also nn_quantize, nn_predict, octcompress.quant.observer.

  defaults.activations = 'static';
  defaults.bits = 8;
  defaults.scheme = 'affine';
  defaults.observer = 'minmax';
  defaults.percentile = 99.99;
  defaults.fuse = true;
  defaults.batch_size = 256;
  caller = 'nn_calibrate';
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  octcompress.internal.check (caller, 'activations', options.activations, 'choice', ...
                              {'static', 'dynamic', 'none'});
  octcompress.internal.check (caller, 'bits', options.bits, 'integer', [1 16]);
  octcompress.internal.check (caller, 'scheme', options.scheme, 'choice', {'symmetric', 'affine'});
  octcompress.internal.check (caller, 'observer', options.observer, 'choice', ...
                              {'minmax', 'average', 'percentile', 'mse', 'kl', 'histogram'});
  octcompress.internal.check (caller, 'percentile', options.percentile, 'number', [50 100]);
  octcompress.internal.check (caller, 'fuse', options.fuse, 'flag');
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  model = octcompress.model.tidy (caller, model);
  info = struct ('options', options, 'activations', {{}});
  [model, info.activations] = octcompress.quant.calibrate (caller, model, X, options);
end

%!shared model, X
%! X = single ([0 1 2; 1 -1 0]);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', single ([1 0.3; -2 0.1]), ...
%!                        'bias', single ([0.5; 0.25])), ...
%!                 struct('type', 'relu', 'name', 'r')};
%!test % the same grids as nn_quantize gives; weights untouched
%! [q, info] = nn_calibrate (model, X);
%! assert (q.layers{1}.weights, model.layers{1}.weights);
%! assert (info.activations{1}.layer, 'input');
%! assert ({info.activations{2}.layer, info.activations{2}.lo}, {'r', 0});
%! both = nn_quantize (model, 8, 'data', X);
%! assert (both.quantization, q.quantization);
%!test % on and off
%! q = nn_calibrate (nn_calibrate (model, X), [], 'activations', 'none');
%! assert (nn_predict (q, X), nn_predict (model, X));
%! q = nn_calibrate (model, [], 'activations', 'dynamic');
%! assert (nn_predict (q, X), nn_predict (model, X), 0.02);
%!test % batches do not matter
%! assert (nn_calibrate (model, X, 'batch_size', 1), nn_calibrate (model, X));
%!test % known ranges, inherited and shared grids
%! net.input_size = [4 4 2];
%! conv = struct ('type', 'conv2d', 'name', 'c', 'weights', single (ones (3, 3, 2, 2)), ...
%!                'padding', 'same');
%! net.layers = {conv, struct('type', 'relu', 'name', 'r'), ...
%!               struct('type', 'maxpool', 'name', 'm', 'pool_size', 2), ...
%!               struct('type', 'averagepool', 'name', 'v', 'pool_size', 2, 'inputs', {{'r'}}), ...
%!               struct('type', 'concat', 'name', 'k', 'inputs', {{'m', 'v'}}), ...
%!               struct('type', 'flatten', 'name', 'f'), ...
%!               struct('type', 'sigmoid', 'name', 's')};
%! [q, info] = nn_calibrate (net, single (rand (4, 4, 2, 3)));
%! assert (cellfun (@(row) row.layer, info.activations, 'UniformOutput', false), ...
%!         {'input', 'r', 'v', 'k', 's'});
%! assert (q.layers{2}.quantization.output, q.layers{5}.quantization.output);
%! assert (q.layers{4}.quantization.output, q.layers{5}.quantization.output);
%! grid = q.layers{7}.quantization.output;
%! assert ({grid.scale, grid.zero_point}, {single(1 / 256), single(-128)});
%!error <nn_calibrate: DATA must hold at least one observation> nn_calibrate (model, zeros (2, 0))
%!error <nn_calibrate: OBSERVER must be one of> nn_calibrate (model, X, 'observer', 'max')
%!error <nn_calibrate: the output of layer 'a' is not finite> nn_calibrate (setfield (model, 'layers', {setfield(model.layers{1}, 'bias', single ([Inf; 1]))}), X)
