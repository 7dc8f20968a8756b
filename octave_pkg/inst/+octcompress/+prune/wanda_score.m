function score = wanda_score (w, norms)
%WANDA_SCORE  The size of each weight times the norm of its input.
%
%   score = octcompress.prune.wanda_score (W, norms)
%
%   W      out x in (octcompress.model.weights_matrix)
%   norms  1 x in, or out x in where groups of outputs read different inputs: the l2 norm of each
%          input over calibration data
%   score  abs (W) .* norms [1]. [1] compares the weights of one output with each other: scope
%          'row' of nn_prune.
%
%   [1] Sun et al., A simple and effective pruning approach for large language models, ICLR 2024,
%       arXiv:2306.11695.
%
%   See also nn_prune, octcompress.model.input_gram.

  score = abs (w) .* norms;
end

%!assert (octcompress.prune.wanda_score ([1 -2; 3 4], [10 1]), [10 2; 30 4])
