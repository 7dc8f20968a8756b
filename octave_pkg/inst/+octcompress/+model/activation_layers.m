function layers = activation_layers (name)
%ACTIVATION_LAYERS  The layers that compute an activation as another toolbox names it.
%
%   layers = octcompress.model.activation_layers (name)
%
%   name    char: our own types, 'sigm', 'logsig', 'tansig', 'tanh_opt', 'poslin', 'purelin', ...
%   layers  cell of layers, none for a linear one
%
%   Errors: octcompress:recognize:notNetwork.
%
%   See also octcompress.model.recognize.

  one = @(type) {struct('type', type)};
  switch name
    case {'', 'none', 'linear', 'purelin', 'identity'}
      layers = {};
    case {'sigm', 'sigmoid', 'logsig', 'logistic'}
      layers = one ('sigmoid');
    case {'tanh', 'tansig'}
      layers = one ('tanh');
    case {'relu', 'poslin', 'rectifier'}
      layers = one ('relu');
    case 'tanh_opt'  % of DeepLearnToolbox
      layers = {struct('type', 'scale', 'scale', 2 / 3), struct('type', 'tanh'), ...
                struct('type', 'scale', 'scale', 1.7159)};
    case 'satlin'
      layers = {struct('type', 'hardsigmoid', 'alpha', 1, 'beta', 0)};
    case {'softmax', 'logsoftmax', 'relu6', 'leakyrelu', 'elu', 'gelu', 'swish', 'hardswish', ...
          'hardsigmoid'}
      layers = one (name);
    otherwise
      octcompress.internal.fail ('recognize', 'notNetwork', ...
        'no layer of ours computes the activation %s', octcompress.internal.describe (name));
  end
end

%!assert (octcompress.model.activation_layers ('purelin'), {})
%!assert (octcompress.model.activation_layers ('logsig'), {struct('type', 'sigmoid')})
%!error <recognize: no layer of ours computes the activation 'radbas'> octcompress.model.activation_layers ('radbas')
