function score = taylor_score (w, gradient)
%TAYLOR_SCORE  How much the loss would change without a weight, to first order.
%
%   score = octcompress.prune.taylor_score (w, gradient)
%
%   w         any size
%   gradient  of the loss by w, the same size
%   score     abs (gradient .* w) [1]
%
%   nn_prune takes the mean of the score over the batches of its data, as [1] does: the gradient
%   of all data together is near zero in a trained network.
%
%   [1] Molchanov et al., Pruning convolutional neural networks for resource efficient inference,
%       ICLR 2017, arXiv:1611.06440.
%
%   See also nn_prune, octcompress.prune.loss_gradients.

  score = abs (gradient .* w);
end

%!assert (octcompress.prune.taylor_score ([1 -2 3], [0.5 0.5 -1]), [0.5 1 3])
