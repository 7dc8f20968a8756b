function score = magnitude_score (w, norm)
%MAGNITUDE_SCORE  The size of each weight.
%
%   score = octcompress.prune.magnitude_score (w)
%   score = octcompress.prune.magnitude_score (w, norm)
%
%   w      single or double, any size
%   norm   'l1': abs (w) [1]; 'l2': w .^ 2. Of single weights both give the same order; of groups
%          (octcompress.prune.group_score) the mean of the one is the l1 norm, of the other the
%          squared l2 norm, both over the number of weights
%   score  the size and class of w
%
%   [1] Han et al., Learning both weights and connections, NIPS 2015, arXiv:1506.02626.
%
%   See also nn_prune.

  score = abs (w);
  if nargin > 1 && strcmp (norm, 'l2')
    score = score .^ 2;
  end
end

%!assert (octcompress.prune.magnitude_score ([-2 1]), [2 1])
%!assert (octcompress.prune.magnitude_score (single ([-2 1]), 'l2'), single ([4 1]))
