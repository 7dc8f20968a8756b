function score = record_score (w, layer, rate)
%RECORD_SCORE  Magnitude of weights for the bits that they cost: what is pruned first.
%
%   score = record_score (w, layer)
%   score = record_score (w, layer, rate)
%
%   score = abs (w) / bits ^ rate, rate (0.5). A weight that stays costs the bits of its value,
%   about 3, and those of its place. With r and c the shares of its row's and its column's weights
%   among the n that are left,
%     p = n r c,   bits = 3 + log2 ((1 - p) / p)
%   so that weights in rows and columns that are busy anyway are cheap. Columns of a convolution
%   are the places in its kernels. Magnitudes of the last layer count three times: its few weights
%   are worth more than they are large.
%
%   For the option CRITERION of nn_prune and of nn_prune_train (in its option PRUNE).

  if nargin < 3
    rate = 0.5;
  end
  left = w ~= 0;
  if ndims (w) > 2
    rows = sum (sum (sum (left, 1), 2), 3);
    columns = sum (left, 4);
  else
    rows = sum (left, 2);
    columns = sum (left, 1);
  end
  n = max (sum (left(:)), 1);
  p = min (max ((rows + 0.3) .* (columns + 0.3) / n, 1e-4), 0.5);
  score = abs (w) ./ (3 + log2 ((1 - p) ./ p)) .^ rate;
  if size (w, ndims (w) - (ndims (w) == 2)) == 10
    score = 3 * score;
  end
end
