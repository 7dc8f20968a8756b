function score = movement_score (w, change)
%MOVEMENT_SCORE  Whether training moves a weight away from zero or towards it.
%
%   score = octcompress.prune.movement_score (w, change)
%
%   w       any size
%   change  what training has added to w, or the negative gradient of the loss: the same size
%   score   w .* change [1]: above zero where the weight grows, below zero where it shrinks; the
%           smallest go first
%
%   [1] Sanh, Wolf, Rush, Movement pruning: adaptive sparsity by fine-tuning, NeurIPS 2020,
%       arXiv:2005.07683.
%
%   See also nn_prune.

  score = w .* change;
end

%!assert (octcompress.prune.movement_score ([1 -2 3], [1 1 -1]), [1 -2 -3])
