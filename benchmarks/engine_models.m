function model = engine_models (name)
%ENGINE_MODELS  The networks of engine.py.
%
%   model = engine_models (name)
%
%   'lenet5'     28 x 28 x 1: convolutions of 20 and 50 filters, dense layers of 500 and 10
%   'resnet8'    32 x 32 x 3: three residual blocks of 16, 32 and 64 channels
%   'mobilenet'  96 x 96 x 3: seven depthwise-separable blocks of 16 to 256 channels

  switch name
    case 'lenet5'
      layers = {'input', [28 28 1], 'conv2d', {20, 5}, 'maxpool', 2, 'conv2d', {50, 5}, ...
                'maxpool', 2, 'flatten', 'dense', 500, 'relu'};
    case 'resnet8'
      layers = [{'input', [32 32 3]}, convolution(16, 3, 1), {'relu'}, residual('a', 16, 1), ...
                residual('b', 32, 2), residual('c', 64, 2), {'globalaveragepool', 'flatten'}];
    case 'mobilenet'
      layers = [{'input', [96 96 3]}, convolution(16, 3, 2), {'relu6'}];
      for block = [32 64 64 128 128 256 256; 1 2 1 2 1 2 1]
        depthwise = {'depthwise', {3, 'stride', block(2), 'padding', 1, 'bias', false}};
        layers = [layers, depthwise, {'batchnorm', 'relu6'}, convolution(block(1), 1, 1), ...
                  {'relu6'}]; %#ok<AGROW>
      end
      layers = [layers, {'globalaveragepool', 'flatten'}];
  end
  model = nn_new (layers{:}, 'dense', 10);
end

function layers = convolution (filters, kernel, stride, varargin)
  layers = {'conv2d', {filters, kernel, 'stride', stride, 'padding', (kernel - 1) / 2, ...
                       'bias', false, varargin{:}}, 'batchnorm'};
end

function layers = residual (name, filters, stride)
  % The input of the block is called in_NAME; where it is not of the result's size, it is projected.
  layers = [{'identity', {'name', ['in_' name]}}, convolution(filters, 3, stride), {'relu'}, ...
            convolution(filters, 3, 1)];
  layers{end + 1} = {'name', ['out_' name]};
  other = ['in_' name];
  if stride > 1
    layers = [layers, convolution(filters, 1, stride, 'inputs', other)];
    other = ['short_' name];
    layers{end + 1} = {'name', other};
  end
  layers = [layers, {'add', {'inputs', {['out_' name], other}}, 'relu'}];
end
