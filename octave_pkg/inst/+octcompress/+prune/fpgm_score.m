function score = fpgm_score (w)
%FPGM_SCORE  How far each filter is from all the others (geometric median).
%
%   score = octcompress.prune.fpgm_score (W)
%
%   W      out x in, a filter or neuron in each row
%   score  out x 1 double: the sum of the Euclidean distances to the other rows. The least is
%          nearest to their geometric median, so that the others can stand in for it [1].
%
%   [1] He et al., Filter pruning via geometric median, CVPR 2019, arXiv:1811.00250.
%
%   See also nn_prune.

  w = double (w);
  squares = sum (w .^ 2, 2);
  distances = sqrt (max (squares + squares' - 2 * (w * w'), 0));
  distances(1:size (w, 1) + 1:end) = 0;
  score = sum (distances, 2);
end

%!assert (octcompress.prune.fpgm_score ([0 0; 3 4; 0 1]), [6; 5 + sqrt(18); 1 + sqrt(18)], 1e-12)
