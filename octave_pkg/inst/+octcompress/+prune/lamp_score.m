function score = lamp_score (score)
%LAMP_SCORE  Layer-adaptive scores, which can be compared over layers.
%
%   score = octcompress.prune.lamp_score (score)
%
%   score  scores of one layer, any size, not negative, of weights their magnitude. On return
%          score(i)^2 / sum (score(j)^2 over the j that are not smaller) in double: what removing
%          the weight costs, relative to what would still be there [1]. Of equal scores the later
%          ones count as larger. The largest has 1, so no layer loses all its weights.
%
%   [1] Lee et al., Layer-adaptive sparsity for the magnitude-based pruning, ICLR 2021,
%       arXiv:2010.07611.
%
%   See also nn_prune.

  [sorted, order] = sort (double (score(:)));
  squares = sorted .^ 2;
  left = flipud (cumsum (flipud (squares)));
  relative = squares ./ left;
  relative(left == 0) = 0;
  score = zeros (size (score));
  score(order) = relative;
end

%!assert (octcompress.prune.lamp_score ([3 -0 1; 2 2 0]), ...
%!        [9 / 9, 0, 1 / 18; 4 / 17, 4 / 13, 0], eps)
%!assert (octcompress.prune.lamp_score (zeros (2, 0)), zeros (2, 0))
