function area = area_under_curve (scores, positive)
%AREA_UNDER_CURVE  Area under the receiver operating characteristic.
%
%   area = octcompress.train.area_under_curve (scores, positive)
%
%   scores    N numbers, higher for what is taken to be positive
%   positive  N logical
%   area      0 to 1: the chance that a positive scores higher than a negative, equal scores
%             counting half [1]; NaN where there are no positives or no negatives
%
%   With r the ranks of the scores (equal ones share their mean rank), P positives and M negatives:
%   area = (sum of r over the positives - P * (P + 1) / 2) / (P * M).
%
%   [1] Hanley and McNeil, The meaning and use of the area under a receiver operating characteristic
%       (ROC) curve, Radiology 143, 1982.
%
%   See also nn_evaluate, octcompress.train.top_k.

  [values, ~, group] = unique (double (scores(:)));
  members = accumarray (group, 1, [numel(values) 1]);
  last = cumsum (members);
  ranks = last - (members - 1) / 2;
  p = nnz (positive);
  m = numel (positive) - p;
  area = (sum (ranks(group(logical (positive(:))))) - p * (p + 1) / 2) / (p * m);
end

%!test % by counting pairs
%! scores = round (10 * sin (1:40)) / 10;
%! positive = cos (3 * (1:40)) > 0.3;
%! higher = scores(positive)' - scores(~positive);
%! pairs = mean ((sign (higher(:)) + 1) / 2);
%! assert (octcompress.train.area_under_curve (scores, positive), pairs, 1e-14);
%!test % scikit-learn's example of roc_auc_score, and the ends
%! assert (octcompress.train.area_under_curve ([0.1 0.4 0.35 0.8], [0 0 1 1]), 0.75);
%! assert (octcompress.train.area_under_curve ([1 2 3], [0 0 1] > 0), 1);
%! assert (octcompress.train.area_under_curve ([1 1 1], [0 0 1] > 0), 0.5);
%! assert (octcompress.train.area_under_curve ([1 2], [1 1] > 0), NaN);
