function y = nn_predict (model, x, varargin)
%NN_PREDICT  The outputs of a network.
%
%   y = nn_predict (model, X)
%   y = nn_predict (model, X, ...)
%   predict = nn_predict (model)
%   y = predict (X, ...)
%
%   model  a network (docs/model-format.md)
%   X      features F x N (a column is an observation), images H x W x C x N, or
%          sequences F x N x T; any numeric class, taken as it is (scale it as in training)
%   y      the output, in the same layout, single (double where the weights are); a cell of
%          outputs where the network has several
%   predict  handle: the network checked and made ready once, where many calls follow, as in a
%          control loop. It keeps the weights it was made of, and takes batch_size only.
%
%   Options, as name-value pairs or a struct:
%     batch_size (256)           observations at a time; memory grows with it, results do not
%                                change
%     arithmetic ('float')       'integer': as a device computes: 8-bit codes, 32-bit sums and
%                                fixed-point multipliers, by the rules of TensorFlow Lite's int8
%                                kernels [1] (octcompress.quant.integer_forward)
%     requantization ('double')  of integers: 'double' rounding, as TensorFlow Lite is built by
%                                default, 'single', or 'litert', which is what LiteRT's reference
%                                kernels do: single in dense layers, double in all others
%
%   Where nn_quantize has put grids on the activations, every layer computes on its grid.
%
%   Errors: octcompress:nn_predict:notModel, :badInput, :badSize (names the layer), :notFinite,
%   :badValue, :notInteger (names the layer, and says what it lacks).
%
%   [1] tensorflow.org/lite/performance/quantization_spec.
%
%   See also nn_evaluate, nn_quantize.

  if nargin == 1
    predict = octcompress.model.predictor ('nn_predict', model);
    y = @(x, varargin) run (predict, x, varargin);
    return
  end
  defaults = struct ('batch_size', 256, 'arithmetic', 'float', 'requantization', 'double');
  options = octcompress.internal.parse_options ('nn_predict', defaults, varargin);
  octcompress.internal.check ('nn_predict', 'arithmetic', options.arithmetic, 'choice', ...
                              {'float', 'integer'});
  if strcmp (options.arithmetic, 'integer')
    y = octcompress.quant.integer_predict ('nn_predict', model, x, options.batch_size, ...
                                           options.requantization);
  else
    predict = octcompress.model.predictor ('nn_predict', model);
    y = predict (x, options.batch_size);
  end
  y = alone (y);
end

function y = run (predict, x, args)
  options = octcompress.internal.parse_options ('nn_predict', struct ('batch_size', 256), args);
  y = alone (predict (x, options.batch_size));
end

function y = alone (y)
  if isscalar (y)
    y = y{1};
  end
end

%!shared model, X
%! model.layers = {struct('type', 'dense', 'weights', single ([1 0 -1; 1 1 1]), 'bias', ...
%!                        single ([0; 1])), ...
%!                 struct('type', 'relu')};
%! X = [1 2; 1 2; 5 1];
%!assert (nn_predict (model, X), single ([0 1; 8 6]))
%!assert (nn_predict (model, uint8 (X)), single ([0 1; 8 6]))
%!assert (nn_predict (model, X, 'batch_size', 1), nn_predict (model, X))
%!assert (nn_predict (model, zeros (3, 0)), zeros (2, 0, 'single'))
%!test % made ready once
%! predict = nn_predict (model);
%! assert (predict (X), nn_predict (model, X));
%! assert (predict (X(:, 1), 'batch_size', 1), nn_predict (model, X(:, 1)));
%! model.layers{1}.bias(1) = 7;
%! assert (predict (X), single ([0 1; 8 6]));
%!error <nn_predict: there is no option 'arithmetic'; the options are batch_size> feval (nn_predict (model), X, 'arithmetic', 'integer')
%!error <nn_predict: X must have 3 features in each column, but is 4x2 double> feval (nn_predict (model), ones (4, 2))
%!error <nn_predict: MODEL must be a struct with a cell LAYERS> nn_predict (1)
%!test % several outputs
%! model.layers{3} = struct ('type', 'sigmoid', 'name', 's', 'inputs', {{'dense_1'}});
%! y = nn_predict (model, X);
%! assert (size (y), [1 2]);
%! assert (y{1}, single ([0 1; 8 6]));
%!error <nn_predict: MODEL must be a struct with a cell LAYERS> nn_predict (struct ('Theta1', 1), X)
%!error <nn_predict: X must have 3 features in each column, but is 4x2 double> nn_predict (model, ones (4, 2))
%!error <nn_predict: there is no option 'batch'; the options are batch_size> nn_predict (model, X, 'batch', 2)
%!error <nn_predict: BATCH_SIZE must be a whole number from 1 to Inf, but is 0> nn_predict (model, X, 'batch_size', 0)
%!test % integers: dense and relu in one piece, within half a step of the grid and a rounding
%! two = struct ('layers', {model.layers(1:2)});
%! q = nn_quantize (two, 8, 'data', X);
%! y = nn_predict (q, X, 'arithmetic', 'integer');
%! grid = q.layers{2}.quantization.output;
%! assert (abs (y - nn_predict (q, X)) <= grid.scale);
%! assert (octcompress.quant.snap_to_grid (y, grid), y);
%!test % every integer form of layer, against the same network computed in floating point
%! rand ('twister', 5);
%! r = @(varargin) single (rand (varargin{:}) - 0.5);
%! L = @(type, name, varargin) struct ('type', type, 'name', name, varargin{:});
%! net.input_size = [9 8 4];
%! net.layers = {L('conv2d', 'c1', 'weights', r (3, 3, 4, 6), 'bias', r (6, 1), 'padding', ...
%!                 'same'), L('relu6', 'r1'), ...
%!   L('conv2d', 'dw', 'weights', r (3, 3, 1, 6), 'weights_size', [3 3 1 6], 'bias', r (6, 1), ...
%!     'groups', 6, 'padding', 1), L('relu', 'r2'), ...
%!   L('add', 'a', 'inputs', {{'r1', 'r2'}}), L('subtract', 's', 'inputs', {{'a', 'r2'}}), ...
%!   L('multiply', 'm', 'inputs', {{'a', 's'}}), ...
%!   L('zeropad', 'z', 'padding', 1), L('maxpool', 'p', 'pool_size', 3, 'stride', 2, 'padding', ...
%!                                      'same'), ...
%!   L('averagepool', 'v', 'pool_size', 3, 'stride', 2, 'padding', 'same', 'inputs', {{'z'}}), ...
%!   L('concat', 'k', 'inputs', {{'p', 'v'}}), L('transposedconv2d', 't', 'weights', ...
%!         r (2, 2, 3, 12), 'stride', 2), L('sigmoid', 'g'), ...
%!   L('globalaveragepool', 'ga'), L('flatten', 'f'), L('dense', 'd', 'weights', r (4, 3), ...
%!                                                      'bias', r (4, 1)), L('softmax', 'o')};
%! net.layers{12}.weights_size = [2 2 3 12];
%! x = r (9, 8, 4, 20);
%! for granularity = {'tensor', 'channel'}
%!   q = nn_quantize (net, 8, 'granularity', granularity{1}, 'data', x);
%!   y = nn_predict (q, x);
%!   for rounding = {'double', 'single'}
%!     z = nn_predict (q, x, 'arithmetic', 'integer', 'requantization', rounding{1});
%!     assert (size (z), size (y));
%!     assert (max (abs (z(:) - y(:))) < 0.02);
%!     assert (z * 256, round (z * 256));
%!   end
%! end
%!test % what is read by layers that have no grid: which layer, and what to do
%! b.layers = model.layers(1:2);
%! b.layers{3} = struct ('type', 'batchnorm', 'name', 'b', 'scale', [1; 1], 'offset', [0; 0], ...
%!                       'mean', [0; 0], 'variance', [1; 1]);
%! q = nn_quantize (b, 8, 'data', X);
%! try
%!   nn_predict (q, X, 'arithmetic', 'integer');
%!   error ('no error');
%! catch e
%!   assert (e.identifier, 'octcompress:nn_predict:notInteger');
%!   assert (~isempty (strfind (e.message, '''b''')));
%! end
%!error <nn_predict: the network's input has no static grid> nn_predict (model, X, 'arithmetic', 'integer')
%!error <nn_predict: ARITHMETIC must be one of 'float', 'integer'> nn_predict (model, X, 'arithmetic', 'int')
