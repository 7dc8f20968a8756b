function [up, down, info] = low_rank (w, rule, covariance)
%LOW_RANK  A matrix as the product of two thin ones.
%
%   [up, down, info] = octcompress.prune.low_rank (W, rule)
%   [up, down, info] = octcompress.prune.low_rank (W, rule, covariance)
%
%   W           out x in
%   rule        struct with one of: rank, a whole number from 1; energy, 0 to 1: the least rank that
%               keeps this share of the squares; budget, 0 to 1: the greatest rank at which up and
%               down together have no more than this share of W's numbers
%   covariance  in x in double: of the inputs, for a projection of the outputs
%   up, down    out x r and r x in, double; up * down is nearest to W: in the sum of squares of the
%               weights (singular value decomposition), or with a covariance of the outputs (their
%               principal components: up has orthonormal columns)
%   info.rank, info.energy   r, and the share of the squares that is kept
%
%   The largest entry of each column of up is positive.
%
%   See also nn_lowrank.

  w = double (w);
  if nargin < 3
    [u, s, v] = svd (w, 'econ');
    values = diag (s) .^ 2;
  else
    [u, values] = eig (w * covariance * w');
    [values, order] = sort (max (diag (values), 0), 'descend');
    u = u(:, order);
  end
  most = min (size (w));
  values = values(1:most);
  total = max (sum (values), realmin);
  if isfield (rule, 'rank')
    r = min (rule.rank, most);
  elseif isfield (rule, 'energy')
    r = find (cumsum (values) >= rule.energy * total * (1 - 1e-12), 1);
    if isempty (r)
      r = most;
    end
  else
    r = min (max (floor (rule.budget * numel (w) / sum (size (w))), 1), most);
  end
  [~, place] = max (abs (u(:, 1:r)), [], 1);
  signs = sign (u(place + (0:r-1) * size (u, 1)));
  signs(signs == 0) = 1;
  up = u(:, 1:r) .* signs;
  if nargin < 3
    root = sqrt (sqrt (values(1:r)))';
    up = up .* root;
    down = (v(:, 1:r) .* signs .* root)';
  else
    down = up' * w;
  end
  info = struct ('rank', r, 'energy', sum (values(1:r)) / total);
end

%!shared w
%! w = reshape (sin ((1:35) .^ 2), 5, 7);
%!test % the best in squares
%! [a, b, info] = octcompress.prune.low_rank (w, struct ('rank', 2));
%! s = svd (w);
%! assert (norm (w - a * b, 'fro') ^ 2, sum (s(3:end) .^ 2), 1e-10);
%! assert (info.energy, sum (s(1:2) .^ 2) / sum (s .^ 2), 1e-12);
%!test % full rank is exact; energy; budget
%! [a, b] = octcompress.prune.low_rank (w, struct ('rank', 9));
%! assert (a * b, w, 1e-12);
%! [a, b, info] = octcompress.prune.low_rank (w, struct ('energy', 0.9));
%! s = svd (w) .^ 2;
%! assert (info.rank, find (cumsum (s) >= 0.9 * sum (s), 1));
%! [~, ~, info] = octcompress.prune.low_rank (w, struct ('budget', 0.7));
%! assert (info.rank, 2);
%!test % a projection is better on the data, and exact where the data have low rank
%! x = sin ((1:7)' * (1:50)) .* [10 1 1 0.1 1 5 1]';
%! [a, b] = octcompress.prune.low_rank (w, struct ('rank', 2), x * x');
%! [c, d] = octcompress.prune.low_rank (w, struct ('rank', 2));
%! assert (norm (w * x - a * b * x, 'fro') < norm (w * x - c * d * x, 'fro'));
%! assert (a' * a, eye (2), 1e-12);
%! x = [1; 2; 0; 1; 0; 0; 3] * (1:4);
%! [a, b] = octcompress.prune.low_rank (w, struct ('rank', 1), x * x');
%! assert (a * b * x, w * x, 1e-9);
