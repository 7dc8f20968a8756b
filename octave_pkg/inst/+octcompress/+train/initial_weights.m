function w = initial_weights (sizes, kind, fan_in, fan_out)
%INITIAL_WEIGHTS  Random weights to begin training with.
%
%   w = octcompress.train.initial_weights (sizes)
%   w = octcompress.train.initial_weights (sizes, kind, fan_in, fan_out)
%
%   sizes    of the array: out x in of a dense layer, kh x kw x cin/groups x cout of a convolution
%   kind     'he' (default)  uniform in +-sqrt (6 / fan_in): for layers before a relu [1]
%            'glorot'        uniform in +-sqrt (6 / (fan_in + fan_out)): before tanh, sigmoid or
%                            softmax [2]
%   fan_in   inputs of one output; by default sizes(2), of a convolution kh * kw * cin/groups
%   fan_out  outputs that read one input; by default sizes(1), of a convolution kh * kw * cout
%   w        single
%
%   The numbers are (2 * rand (sizes) - 1) * limit from the generator as it stands; seed it by
%   octcompress.train.random ('seed', seed).
%
%   Errors: octcompress:initial_weights:badValue.
%
%   [1] He et al., Delving deep into rectifiers, ICCV 2015, arXiv:1502.01852.
%   [2] Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
%       networks, AISTATS 2010.
%
%   See also octcompress.train.random, nn_train.

  if nargin < 2
    kind = 'he';
  end
  octcompress.internal.check ('initial_weights', 'kind', kind, 'choice', {'he', 'glorot'});
  if nargin < 3
    if numel (sizes) == 2
      fan_in = sizes(2);
    else
      fan_in = prod (sizes(1:3));
    end
  end
  if nargin < 4
    if numel (sizes) == 2
      fan_out = sizes(1);
    else
      fan_out = prod (sizes([1 2 4:end]));
    end
  end
  if strcmp (kind, 'he')
    limit = sqrt (6 / fan_in);
  else
    limit = sqrt (6 / (fan_in + fan_out));
  end
  w = single ((2 * octcompress.train.random ('uniform', sizes) - 1) * limit);
end

%!function w = drawn (varargin)
%!  before = octcompress.train.random ('seed', 1);
%!  w = octcompress.train.initial_weights (varargin{:});
%!  octcompress.train.random ('restore', before);
%!endfunction
%!test % the variance is 2 / fan_in
%! w = drawn ([200 300]);
%! assert (class (w), 'single');
%! assert (var (double (w(:))), 2 / 300, 0.02 * 2 / 300);
%! assert (max (abs (w(:))) <= sqrt (6 / 300));
%!test % the variance is 2 / (fan_in + fan_out)
%! w = drawn ([200 300], 'glorot');
%! assert (var (double (w(:))), 2 / 500, 0.02 * 2 / 500);
%!test % a convolution
%! w = drawn ([3 3 16 32]);
%! assert (size (w), [3 3 16 32]);
%! assert (var (double (w(:))), 2 / 144, 0.05 * 2 / 144);
%!assert (drawn ([4 5]), drawn ([4 5]))
%!error <initial_weights: KIND must be one of 'he', 'glorot', but is 'zero'> octcompress.train.initial_weights ([2 2], 'zero')
