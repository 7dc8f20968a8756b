function [scores, sizes] = group_score (score, groups)
%GROUP_SCORE  One score for each group of weights: the mean of its weights' scores.
%
%   [scores, sizes] = octcompress.prune.group_score (score, groups)
%
%   score   array
%   groups  array of the same size, from octcompress.prune.group_map
%   scores  a column, double: the mean over each group, added in linear order
%   sizes   a column: the number of weights in each group
%
%   See also nn_prune.

  sizes = accumarray (groups(:), 1);
  scores = accumarray (groups(:), double (score(:))) ./ max (sizes, 1);
end

%!test
%! [scores, sizes] = octcompress.prune.group_score (single ([1 2 6; 4 5 7]), [1 1 2; 1 1 2]);
%! assert (scores, [3; 6.5]);
%! assert (sizes, [4; 2]);
