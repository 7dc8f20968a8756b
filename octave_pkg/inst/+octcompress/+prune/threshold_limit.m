function limit = threshold_limit (w, threshold, scale)
%THRESHOLD_LIMIT  The magnitude below which threshold pruning removes weights.
%
%   limit = octcompress.prune.threshold_limit (w, threshold, scale)
%
%   w          single or double, any size
%   threshold  0 or more
%   scale      'max'   limit = threshold * max (abs (w(:)))
%              'std'   limit = threshold * the standard deviation of w (divided by n) [1]
%              'none'  limit = threshold
%   limit      in the class of w; weights with abs (w) < limit go
%
%   Computed in double and rounded once to the class of w.
%
%   [1] Han et al., Learning both weights and connections, NIPS 2015, arXiv:1506.02626.
%
%   See also nn_prune.

  switch scale
    case 'none'
      limit = threshold;
    case 'max'
      limit = threshold * double (max (max (w(:)), -min (w(:))));
    case 'std'
      n = numel (w);
      center = sum (w(:), 'double') / n;
      limit = threshold * sqrt (sum ((double (w(:)) - center) .^ 2) / n);
  end
  if isempty (w)
    limit = 0;
  end
  limit = cast (limit, class (w));
end

%!assert (octcompress.prune.threshold_limit (single ([1 -5]), 0.2, 'max'), single (1))
%!assert (octcompress.prune.threshold_limit ([1 -5], 0.2, 'none'), 0.2)
%!assert (octcompress.prune.threshold_limit ([1 3], 0.5, 'std'), 0.5)
%!assert (octcompress.prune.threshold_limit (single ([]), 0.5, 'max'), single (0))
