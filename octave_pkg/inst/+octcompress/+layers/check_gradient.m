function [worst, errors] = check_gradient (layer, in_size, seed, training)
%CHECK_GRADIENT  Compare a layer's backward pass with central differences of its forward pass.
%
%   worst = octcompress.layers.check_gradient (layer, in_size)
%   [worst, errors] = octcompress.layers.check_gradient (layer, in_size, seed, training)
%
%   layer     struct with type and its parameters, which should be double
%   in_size   of one observation: F, [H W C] or [F T]; a cell of them for several inputs
%   seed      of the random input and output gradient (1)
%   training  whether the forward pass trains (true)
%   worst     the largest error, relative to the largest element of its gradient (or to 1)
%   errors    struct: x (one per input) and each trained parameter
%
%   Use double and a smooth layer: a kink such as relu's must not lie within 1e-5 of an input.
%
%   See also octcompress.layers.types.

  if nargin < 3
    seed = 1;
  end
  if nargin < 4
    training = true;
  end
  entry = octcompress.layers.types (layer.type);
  before = octcompress.train.random ('seed', seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  several = iscell (in_size);
  if ~several
    in_size = {in_size};
  end
  x = cellfun (@random_batch, in_size, 'UniformOutput', false);
  y = run (entry, layer, x, several, training, seed);
  dy = 2 * rand (size (y)) - 1;
  loss = @(layer, x) sum (reshape (run (entry, layer, x, several, training, seed) .* dy, [], 1));

  in = x;
  if ~several
    in = x{1};
  end
  octcompress.train.random ('seed', seed);
  [y, state] = entry.run ('forward', layer, in, training);
  [dx, gradients] = entry.run ('backward', layer, in, y, dy, state, true);
  if ~several
    dx = {dx};
  end

  errors = struct ('x', zeros (1, numel (x)));
  for i = 1:numel (x)
    errors.x(i) = compare (dx{i}, x{i}, @(value) loss (layer, replace (x, i, value)));
  end
  for name = entry.trained
    field = name{1};
    if isfield (layer, field) && ~isempty (layer.(field))
      errors.(field) = compare (gradients.(field), layer.(field), ...
                                @(value) loss (setfield (layer, field, value), x));
    end
  end
  worst = max (cellfun (@max, struct2cell (errors)));
end

function x = random_batch (s)
  observations = 3;
  switch numel (s)
    case 1
      x = rand (s, observations);
    case 2
      x = rand (s(1), observations, s(2));
    case 3
      x = rand (s(3), s(2), observations, s(1));
  end
  x = 2 * x - 1;
end

function y = run (entry, layer, x, several, training, seed)
  if ~several
    x = x{1};
  end
  octcompress.train.random ('seed', seed);   % so that dropout drops the same
  y = entry.run ('forward', layer, x, training);
end

function x = replace (x, i, value)
  x{i} = value;
end

function worst = compare (gradient, value, loss)
  step = 1e-5;
  numeric = zeros (size (value));
  for k = 1:numel (value)
    moved = value;
    moved(k) = value(k) + step;
    above = loss (moved);
    moved(k) = value(k) - step;
    numeric(k) = (above - loss (moved)) / (2 * step);
  end
  if ~isequal (size (gradient), size (value))
    worst = Inf;
  else
    worst = max (abs (gradient(:) - numeric(:))) / max (1, max (abs (numeric(:))));
  end
end

%!test
%! layer = struct ('type', 'dense', 'weights', [1 2; 3 -1], 'bias', [0; 1]);
%! [worst, errors] = octcompress.layers.check_gradient (layer, 2);
%! assert (worst < 1e-8);
%! assert (fieldnames (errors), {'x'; 'weights'; 'bias'});
%!test % a gradient that is wrong is seen: that of a step is 0, the differences' is not
%! layer = struct ('type', 'leakyrelu', 'slope', 0.1);
%! assert (octcompress.layers.check_gradient (layer, 50) < 1e-8);
%! layer.slope = single (0.1);
%! assert (octcompress.layers.check_gradient (layer, 50) > 1e-4);
%!test % every type, with every option that it has
%! before = octcompress.train.random ('seed', 3);
%! w = @(varargin) 2 * rand (varargin{:}) - 1;
%! window = {'stride', [2 1], 'padding', [1 1 0 1], 'dilation', [1 2]};
%! kernel = {'weights', w(3, 2, 1, 4), 'weights_size', [3 2 1 4], 'groups', 2};
%! norm = {'scale', w(2, 1), 'offset', w(2, 1), 'mean', w(2, 1), 'variance', [1; 2], ...
%!         'epsilon', 1e-3, 'momentum', 0.3, 'frozen'};
%! gates = @(count) {'weights', w(2 * count, 3), 'recurrent_weights', w(2 * count, 2), ...
%!                   'bias', w(2 * count, 1), 'recurrent_bias', w(2 * count, 1), ...
%!                   'reverse', true, 'result'};
%! pool = [{'pool_size', [2 3]}, window, {'ceil_mode', true}];
%! image = [5 6 2];
%! pair = {image, image};
%! cases = {
%!   {3, 'dense', 'weights', w(2, 3), 'bias', w(2, 1)}
%!   [{image, 'conv2d', 'bias', w(4, 1)}, kernel, window]
%!   [{[3 4 4], 'transposedconv2d', 'bias', w(2, 1), 'output_padding', [1 0]}, kernel, window]
%!   [{image, 'batchnorm'}, norm, {false}]
%!   [{image, 'batchnorm'}, norm, {true}]
%!   {image, 'relu'}
%!   {image, 'relu6'}
%!   {image, 'swish'}
%!   {image, 'hardswish'}
%!   {image, 'sigmoid'}
%!   {image, 'tanh'}
%!   {image, 'identity'}
%!   {image, 'leakyrelu', 'slope', 0.2}
%!   {image, 'elu', 'alpha', 0.7}
%!   {image, 'gelu', 'approximate', 'none'}
%!   {image, 'gelu', 'approximate', 'tanh'}
%!   {image, 'hardsigmoid', 'alpha', 0.25, 'beta', 0.4}
%!   {image, 'prelu', 'slope', w(2, 1)}
%!   {7, 'softmax'}
%!   {7, 'logsoftmax'}
%!   [{image, 'maxpool'}, pool]
%!   [{image, 'averagepool', 'count_include_pad', true}, pool]
%!   [{image, 'averagepool', 'count_include_pad', false}, pool]
%!   {image, 'globalmaxpool'}
%!   {image, 'globalaveragepool'}
%!   {image, 'flatten', 'order', 'chw'}
%!   {image, 'flatten', 'order', 'keras'}
%!   {image, 'reshape', 'output_size', [4 -1], 'order', 'chw'}
%!   {image, 'permute', 'dimensions', [3 1 2]}
%!   {pair, 'add'}
%!   {pair, 'subtract'}
%!   {pair, 'multiply'}
%!   {pair, 'concat', 'axis', 'W'}
%!   {image, 'dropout', 'rate', 0.3}
%!   {image, 'upsample', 'factor', [2 3], 'method', 'nearest'}
%!   {image, 'upsample', 'factor', [2 3], 'method', 'bilinear', 'align_corners', false}
%!   {image, 'upsample', 'factor', [2 3], 'method', 'bilinear', 'align_corners', true}
%!   {image, 'zeropad', 'padding', [1 2 0 1]}
%!   {image, 'scale', 'scale', w(2, 1), 'offset', w(image)}
%!   [{[3 4], 'lstm'}, gates(4), {'sequence'}]
%!   [{[3 4], 'lstm'}, gates(4), {'last'}]
%!   [{[3 4], 'gru'}, gates(3), {'sequence', 'reset_after', true}]
%!   [{[3 4], 'gru'}, gates(3), {'last', 'reset_after', false}]
%! };
%! octcompress.train.random ('restore', before);
%! types = octcompress.layers.types ();
%! given = cell2struct (cell (numel (types), 1), types, 1);
%! for k = 1:numel (cases)
%!   in_size = cases{k}{1};
%!   layer = struct ('type', cases{k}{2}, cases{k}{3:end});
%!   given.(layer.type) = [given.(layer.type); fieldnames(layer)];
%!   entry = octcompress.layers.types (layer.type);
%!   if strcmp (entry.planned, 'in_size')
%!     layer.in_size = in_size;
%!   end
%!   worst = octcompress.layers.check_gradient (layer, in_size);
%!   assert (worst < 1e-6, sprintf ('case %d, %s: %g', k, layer.type, worst));
%! end
%! for name = types
%!   entry = octcompress.layers.types (name{1});
%!   wanted = [{'type'}, entry.trained, entry.options];
%!   assert (setdiff (wanted, given.(name{1})), cell (1, 0), name{1});
%! end
