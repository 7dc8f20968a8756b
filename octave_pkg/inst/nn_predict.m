function y = nn_predict (model, x, varargin)
%NN_PREDICT  The outputs of a network.
%
%   y = nn_predict (model, X)
%   y = nn_predict (model, X, 'batch_size', 256)
%
%   model  a network (docs/model-format.md)
%   X      features F x N (a column is an observation), images H x W x C x N, or
%          sequences F x N x T; any numeric class, taken as it is (scale it as in training)
%   y      the output, in the same layout, single (double where the weights are); a cell of
%          outputs where the network has several
%
%   Options, as name-value pairs or a struct:
%     batch_size (256)  observations at a time; memory grows with it, results do not change
%
%   Where nn_quantize has put grids on the activations, every layer computes on its grid.
%
%   Errors: octcompress:nn_predict:notModel, :badInput, :badSize (names the layer), :notFinite.
%
%   See also nn_evaluate, nn_quantize.

  options = octcompress.internal.parse_options ('nn_predict', struct ('batch_size', 256), varargin);
  y = octcompress.model.predict ('nn_predict', model, x, options.batch_size);
  if isscalar (y)
    y = y{1};
  end
end

%!shared model, X
%! model.layers = {struct('type', 'dense', 'weights', single ([1 0 -1; 1 1 1]), 'bias', single ([0; 1])), ...
%!                 struct('type', 'relu')};
%! X = [1 2; 1 2; 5 1];
%!assert (nn_predict (model, X), single ([0 1; 8 6]))
%!assert (nn_predict (model, uint8 (X)), single ([0 1; 8 6]))
%!assert (nn_predict (model, X, 'batch_size', 1), nn_predict (model, X))
%!assert (nn_predict (model, zeros (3, 0)), zeros (2, 0, 'single'))
%!test % several outputs
%! model.layers{3} = struct ('type', 'sigmoid', 'name', 's', 'inputs', {{'dense_1'}});
%! y = nn_predict (model, X);
%! assert (size (y), [1 2]);
%! assert (y{1}, single ([0 1; 8 6]));
%!error <nn_predict: MODEL must be a struct with a cell LAYERS> nn_predict (struct ('Theta1', 1), X)
%!error <nn_predict: X must have 3 features in each column, but is 4x2 double> nn_predict (model, ones (4, 2))
%!error <nn_predict: there is no option 'batch'; the options are batch_size> nn_predict (model, X, 'batch', 2)
%!error <nn_predict: BATCH_SIZE must be a whole number from 1 to Inf, but is 0> nn_predict (model, X, 'batch_size', 0)
