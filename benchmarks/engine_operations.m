function engine_operations (name, batch, repetitions)
%ENGINE_OPERATIONS  What the array operations of one network of engine.py take by themselves.
%
%   engine_operations (name, batch, repetitions)
%
%   Prints milliseconds: predict_alone_ms and train_alone_ms, the sum over all layers of the
%   operations on whole arrays that cannot be avoided where each is a call of its own, each timed
%   alone on arrays of the layer's sizes, as the least of the repetitions. Without them there is no
%   result; what gathers windows, pads, turns and joins arrays, and what the interpreter takes, is
%   not in it. A convolution counts as the matrix product of its unrolled sizes, three times in
%   training; a depthwise one as conv2 of its channels, and a dot product for each kernel position;
%   a batch normalisation in inference as nothing but a shift.

  model = engine_models (name);
  model = octcompress.model.tidy ('engine_operations', model);
  plan = octcompress.model.plan ('engine_operations', model);
  octcompress.internal.keep_pages ();
  sizes = [{model.input_size}, plan.sizes];
  total = [0 0];
  for k = 1:numel (model.layers)
    layer = model.layers{k};
    in = as_image (sizes{plan.inputs{k}(1) + 1});
    [predict, train] = operations (layer, in, as_image (sizes{k + 1}), batch, k > 1);
    total(1) = total(1) + sum (cellfun (@(f) engine_least (f, repetitions), predict));
    total(2) = total(2) + sum (cellfun (@(f) engine_least (f, repetitions), train));
    if is_depthwise (layer)   % forward, and by the input
      channels = in(3) * engine_least (one_channel (layer, in, batch), repetitions);
      total = total + [1 2] * channels;
    end
  end
  fprintf ('predict_alone_ms %.3f\n', 1e3 * total(1));
  fprintf ('train_alone_ms %.3f\n', 1e3 * total(2));
end

function yes = is_depthwise (layer)
  yes = isfield (layer, 'groups') && layer.groups > 1;
end

function s = as_image (s)
  % [H W C] of features too.
  if isscalar (s)
    s = [1 1 s];
  end
end

function [predict, train] = operations (layer, in, out, batch, need_dx)
  predict = {};
  train = {};
  x = rand (in(3), prod (in(1:2)) * batch, 'single');
  y = rand (out(3), prod (out(1:2)) * batch, 'single');
  column = rand (out(3), 1, 'single');
  switch layer.type
    case {'conv2d', 'dense'}
      shift = @() y + column;
      if is_depthwise (layer)
        predict = {shift};
        taps = size (layer.weights, 1) * size (layer.weights, 2);
        train = repmat ({@() dot(y, y, 2)}, 1, taps);
        return
      end
      weights = rand (out(3), numel (layer.weights) / out(3), 'single');
      windows = rand (size (weights, 2), size (y, 2), 'single');
      predict = {@() weights * windows, shift};
      train = {@() weights * windows, @() y * windows'};
      if need_dx
        train{end + 1} = @() weights' * y;
      end
      if isfield (layer, 'bias')
        train{end + 1} = shift;
      end
    case 'batchnorm'
      ones_y = ones (size (y, 2), 1, 'single');
      sums = {@() y * ones_y, @() dot(y, y, 2)};
      scale = @() diag (column) * y;
      train = [sums, {scale, @() y + column}, sums, {scale, scale, @() y + y, @() y + column}];
    case 'relu'
      predict = {@() max(y, 0)};
      mask = y > 0.5;
      train = [predict, {@() y > 0, @() single(mask), @() y .* y}];
    case 'relu6'
      predict = {@() max(y, 0), @() min(y, 6)};
      mask = y > 0.5;
      train = [predict, {@() y > 0, @() y < 6, @() mask & mask, @() single(mask), @() y .* y}];
    case 'add'
      predict = {@() y + y};
      train = predict;
    case 'maxpool'
      half = x(:, 1:end / 2);
      quarter = x(:, 1:end / 4);
      predict = {@() max(half, half), @() max(quarter, quarter)};
      mask = half > 0.5;
      train = [predict, {@() half > half, @() quarter > quarter, @() single(mask), ...
                         @() half .* half, @() half - half, @() quarter .* quarter, ...
                         @() quarter - quarter}];
  end
end

function f = one_channel (layer, in, batch)
  image = rand ((in(2) + 1) * batch, in(1), 'single');
  kernel = rand (size (layer.weights, 2), size (layer.weights, 1), 'single');
  f = @() conv2 (image, kernel);
end
