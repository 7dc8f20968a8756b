function share = top_k (scores, labels, k)
%TOP_K  Share of observations whose class is among the k highest scores.
%
%   share = octcompress.train.top_k (scores, labels, k)
%
%   scores  K x N
%   labels  1 x N class numbers 1 to K
%   k       whole number; of K classes or more all count
%   share   0 to 1; 0 of no observations
%
%   Of equal scores the first ones rank higher, as in nn_evaluate's predicted.
%
%   See also nn_evaluate, octcompress.train.area_under_curve.

  [classes, count] = size (scores);
  own = scores(labels + (0:count - 1) * classes);
  before = scores == own & (1:classes)' < labels;
  share = nnz (sum (scores > own | before, 1) < k) / max (count, 1);
end

%!test
%! scores = [3 1 2; 2 2 2; 1 3 2];
%! shares = arrayfun (@(k) octcompress.train.top_k (scores, [2 1 3], k), 1:4);
%! assert (shares, [0 1 / 3 1 1]);
%! assert (octcompress.train.top_k (scores(:, 3), 1, 1), 1);   % the first of equal scores
%! assert (octcompress.train.top_k (zeros (3, 0), zeros (1, 0), 1), 0);
