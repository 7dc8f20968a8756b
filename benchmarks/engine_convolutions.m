function engine_convolutions (repetitions)
%ENGINE_CONVOLUTIONS  Convolutions beside the matrix product of their unrolled sizes.
%
%   engine_convolutions (repetitions)
%
%   Prints a line for each: its name; GFLOP/s of the product alone, of the layer forward, and of its
%   backward pass by the weights and the input. A depthwise convolution has no such product.

  %        name                  kernel  in  out  size batch stride groups
  cases = {'LeNet-5, first',      5,      1,  20,  28,  128,  1,     1
           'LeNet-5, second',     5,     20,  50,  12,  128,  1,     1
           'ResNet, 16 channels', 3,     16,  16,  32,  128,  1,     1
           'ResNet, stride 2',    3,     16,  32,  32,  128,  2,     1
           'ResNet, 64 channels', 3,     64,  64,   8,  128,  1,     1
           'MobileNet, 1 x 1',    1,     64,  64,  24,   32,  1,     1
           'MobileNet, depthwise', 3,    64,  64,  24,   32,  1,    64};
  rand ('twister', 1);
  for k = 1:size (cases, 1)
    [name, kernel, in, out, width, batch, stride, groups] = cases{k, :};
    padding = (kernel - 1) / 2 * (kernel < 5);
    sizes = [kernel kernel in/groups out];
    layer = struct ('weights', rand (sizes, 'single'), 'weights_size', sizes, ...
                    'padding', padding, 'stride', stride, 'groups', groups);
    x = rand ([in width batch width], 'single');
    [y, state] = octcompress.layers.conv2d ('forward', layer, x, true);
    flops = 2 * numel (y) * kernel ^ 2 * in / groups;
    forward = @() octcompress.layers.conv2d ('forward', layer, x, true);
    backward = @() octcompress.layers.conv2d ('backward', layer, x, y, y, state, true);
    product = NaN;
    if groups == 1
      a = rand ([out, kernel ^ 2 * in], 'single');
      b = rand ([kernel ^ 2 * in, numel(y) / out], 'single');
      product = flops / engine_least (@() a * b, repetitions);
    end
    rates = flops ./ [engine_least(forward, repetitions), engine_least(backward, repetitions) / 2];
    fprintf ('convolution|%s|%.1f|%.1f|%.1f\n', name, 1e-9 * [product rates]);
  end
end
