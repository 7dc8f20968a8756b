function [bits, info] = nn_mixed (model, X, Y, varargin)
%NN_MIXED  Bits for each layer, under a budget of bytes or of accuracy.
%
%   [bits, info] = nn_mixed (model, X, Y, 'bytes', n)
%   [bits, info] = nn_mixed (model, X, Y, 'accuracy', drop)
%   [bits, info] = nn_mixed (model, X, [], 'bytes', n)
%
%   model  a network (docs/model-format.md)
%   X      inputs, as nn_predict takes them
%   Y      labels, as nn_evaluate takes them; [] where the budget is of bytes
%   bits   row, one for each tensor: nn_quantize (model, 'bits', bits, ...)
%
%   Options, as name-value pairs or a struct:
%     bytes ([])             budget of the weights' codes and scales; they are entropy coded when
%                            saved, so a file is smaller
%     accuracy ([])          budget: how far the share of right answers may fall, 0.01 is a point
%     choices ([2 3 4 6 8])  numbers of bits to choose from
%     quantize ([])          struct of further options of nn_quantize
%     batch_size (256)       observations at a time
%
%   The network's output error by tensor and bits (nn_sensitivity) is taken as the sum over the
%   tensors [1]. From the most bits on, the step with the least more error for a byte saved is
%   taken (along each tensor's lower convex hull) until the bytes fit; with a budget of accuracy,
%   the number of steps is found by bisection on the network quantized as a whole.
%
%   info.options   the options as merged with the defaults
%   info.bytes     of the codes and scales
%   info.accuracy  with Y: of the network with these bits
%   info.layers    cell of structs: tensor, bits, bytes, output_error
%   info.steps     cell of structs, the steps in order: tensor, bits, bytes (of all after it)
%
%   Errors: octcompress:nn_mixed:badValue, :unknownOption, :budget (cannot be met), those of
%   nn_sensitivity.
%
%   [1] Dong et al., HAWQ-V2, NeurIPS 2020, arXiv:1911.03852.
%
%   See also nn_sensitivity, nn_quantize.

  caller = 'nn_mixed';
  defaults = struct ('bytes', [], 'accuracy', [], 'choices', [2 3 4 6 8], 'quantize', [], ...
                     'batch_size', 256);
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  if isempty (options.bytes) == isempty (options.accuracy)
    octcompress.internal.fail (caller, 'badValue', 'give a budget: either BYTES or ACCURACY');
  elseif ~isempty (options.bytes)
    octcompress.internal.check (caller, 'bytes', options.bytes, 'number', [1 Inf]);
  else
    octcompress.internal.check (caller, 'accuracy', options.accuracy, 'number', [0 1]);
    if isempty (Y)
      octcompress.internal.fail (caller, 'badValue', 'ACCURACY needs Y, the labels of X');
    end
  end
  choices = unique (double (options.choices(:)'));
  settings = struct ();
  if ~isempty (options.quantize)
    settings = options.quantize;
  end
  report = nn_sensitivity (model, X, [], 'bits', choices, 'quantize', options.quantize, ...
                           'batch_size', options.batch_size);
  model = octcompress.model.tidy (caller, model);
  tensors = octcompress.model.tensors (model);
  count = numel (tensors);
  err = zeros (count, numel (choices));
  bytes = err;
  names = cellfun (@(row) row.tensor, report.layers, 'UniformOutput', false);
  for k = 1:count
    place = strcmp (names, tensors{k}.name);
    row = report.layers{place};
    err(k, :) = row.output_error;
    bytes(k, :) = tensor_bytes (row.count, choices, scales_of (model, tensors{k}, settings));
  end

  [path, steps] = descend (err, bytes);
  totals = zeros (1, size (path, 1));
  for s = 1:size (path, 1)
    totals(s) = sum (bytes(sub2ind (size (bytes), 1:count, path(s, :))));
  end
  if ~isempty (options.bytes)
    s = find (totals <= options.bytes, 1);
    if isempty (s)
      octcompress.internal.fail (caller, 'budget', ...
        ['BYTES is %g, but even with %d bits everywhere the weights take %d; add fewer bits to ' ...
         'CHOICES, or prune'], ...
        options.bytes, choices(1), totals(end));
    end
  else
    before = nn_evaluate (model, X, Y, 'batch_size', options.batch_size);
    fits = @(s) accuracy_of (model, choices(path(s, :)), settings, X, Y, ...
                             options) >= before.accuracy - options.accuracy;
    if ~fits (1)
      octcompress.internal.fail (caller, 'budget', ...
        'with %d bits everywhere accuracy falls by more than %g; add more bits to CHOICES', ...
        choices(end), options.accuracy);
    end
    s = 1;
    beyond = size (path, 1) + 1;
    while beyond - s > 1
      middle = floor ((s + beyond) / 2);
      if fits (middle)
        s = middle;
      else
        beyond = middle;
      end
    end
  end

  bits = choices(path(s, :));
  info = struct ('options', options, 'bytes', totals(s), 'layers', {cell(1, count)}, 'steps', ...
                 {cell(1, s - 1)});
  if ~isempty (Y)
    info.accuracy = accuracy_of (model, bits, settings, X, Y, options);
  end
  for k = 1:count
    info.layers{k} = struct ('tensor', tensors{k}.name, 'bits', bits(k), 'bytes', ...
                             bytes(k, path(s, k)), ...
                             'output_error', err(k, path(s, k)));
  end
  for i = 1:s - 1
    info.steps{i} = struct ('tensor', tensors{steps(i)}.name, 'bits', ...
                            choices(path(i + 1, steps(i))), 'bytes', totals(i + 1));
  end
end

function [path, steps] = descend (err, bytes)
  % Row s of path: the place of each tensor's bits after s - 1 steps.
  [count, last] = size (err);
  place = repmat (last, 1, count);
  path = place;
  steps = [];
  while any (place > 1)
    best = Inf;
    for k = find (place > 1)
      lower = 1:place(k) - 1;
      price = (err(k, lower) - err(k, place(k))) ./ (bytes(k, place(k)) - bytes(k, lower));
      price = max (price, 0);
      [least, to] = min (price(end:-1:1));
      if least < best
        best = least;
        step = [k, numel(lower) + 1 - to];
      end
    end
    place(step(1)) = step(2);
    path(end + 1, :) = place;
    steps(end + 1) = step(1);
  end
end

function count = scales_of (model, tensor, settings)
  w = subsref (model, tensor.path);
  count = 1;
  if isfield (settings, 'granularity') && ~strcmp (settings.granularity, 'tensor')
    axis = octcompress.quant.channel_axis (model.layers{tensor.layer}, tensor.field);
    count = size (w, axis);
    if strcmp (settings.granularity, 'group')
      group = 64;
      if isfield (settings, 'group_size')
        group = settings.group_size;
      end
      count = count * ceil (numel (w) / count / group);
    end
  end
end

function bytes = tensor_bytes (weights, bits, scales)
  bytes = ceil (weights * bits / 8) + 4 * scales;
end

function accuracy = accuracy_of (model, bits, settings, X, Y, options)
  settings.bits = bits;
  settings.activations = 'none';
  result = nn_evaluate (nn_quantize (model, settings), X, Y, 'batch_size', options.batch_size);
  accuracy = result.accuracy;
end

%!shared model, X, Y
%! rand ('twister', 6);
%! r = @(varargin) single (rand (varargin{:}) - 0.5);
%! X = r (12, 200);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', r (30, 12) .^ 5), ...
%!                 struct('type', 'relu', 'name', 'r'), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', r (20, 30)), ...
%!                 struct('type', 'relu', 'name', 's'), ...
%!                 struct('type', 'dense', 'name', 'c', 'weights', r (3, 20))};
%! [~, Y] = max (nn_predict (model, X), [], 1);
%!test % the budget is kept, and beats the same bits everywhere of that size
%! [bits, info] = nn_mixed (model, X, Y, 'bytes', 550);
%! assert (info.bytes <= 550);
%! q = nn_quantize (model, 'bits', bits);
%! assert (q.layers{1}.quantization.weights.bits, bits(1));
%! assert (sum (ceil ([360 600 60] .* bits / 8) + 4), info.bytes);
%! err = @(q) norm (nn_predict (q, X) - nn_predict (model, X), 'fro');
%! assert (err (q) < err (nn_quantize (model, 4)));
%! assert (info.steps{end}.bytes, info.bytes);
%!test % accuracy: as few bytes as it allows
%! [bits, info] = nn_mixed (model, X, Y, 'accuracy', 0.01);
%! assert (info.accuracy >= 0.99);
%! [~, wide] = nn_mixed (model, X, Y, 'accuracy', 0.5);
%! assert (wide.bytes < info.bytes);
%!error <nn_mixed: give a budget: either BYTES or ACCURACY> nn_mixed (model, X, Y)
%!error <nn_mixed: BYTES is 10, but even with 2 bits everywhere the weights take 267> nn_mixed (model, X, [], 'bytes', 10)
%!error <nn_mixed: ACCURACY needs Y> nn_mixed (model, X, [], 'accuracy', 0.1)
