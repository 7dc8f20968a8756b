function score = obd_score (w, curvature)
%OBD_SCORE  How much the loss would grow without a weight, to second order (optimal brain damage).
%
%   score = octcompress.prune.obd_score (w, curvature)
%
%   w          any size
%   curvature  the diagonal of the loss's Hessian, the same size
%   score      curvature .* w .^ 2 / 2 [1]
%
%   [1] LeCun, Denker, Solla, Optimal brain damage, NIPS 1989.
%
%   See also nn_prune, octcompress.prune.loss_curvature.

  score = curvature .* w .^ 2 / 2;
end

%!assert (octcompress.prune.obd_score ([1 -2], [2 3]), [1 6])
