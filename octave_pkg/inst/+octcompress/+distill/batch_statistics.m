function [loss, gradient] = batch_statistics (features, means, variances)
%BATCH_STATISTICS  How far the mean and variance of a batch are from those that are remembered.
%
%   [loss, gradient] = octcompress.distill.batch_statistics (features, means, variances)
%
%   features  C x M, or C x P x N: channels, and all that their statistics go over
%   means, variances  C x 1
%   loss      double: mean over the channels of (m - mean)^2 / variance +
%             (sqrt (v / variance) - 1)^2, where m and v are the mean and the variance (divided by
%             M) of the channel; scaled by the variance, so that all channels count alike, unlike
%             [1]
%   gradient  by features
%
%   [1] Yin et al., Dreaming to distill: data-free knowledge transfer via DeepInversion, CVPR 2020,
%       arXiv:1912.08795.
%
%   See also octcompress.distill.draw_inputs.

  f = reshape (features, size (features, 1), []);
  [channels, count] = size (f);
  variances = max (cast (variances, class (f)), cast (1e-12, class (f)));
  m = sum (f, 2) / count;
  centred = f - m;
  v = sum (centred .^ 2, 2) / count;
  off = m - means;
  ratio = sqrt (v ./ variances);
  loss = sum (double (off .^ 2 ./ variances + (ratio - 1) .^ 2)) / channels;
  slope = (ratio - 1) ./ (max (ratio, cast (1e-6, class (f))) .* variances);
  gradient = (2 / (channels * count)) * (off ./ variances + slope .* centred);
  gradient = reshape (cast (gradient, class (features)), size (features));
end

%!test % by its definition
%! f = reshape (sin ((1:24) .^ 2), 2, 12);
%! loss = octcompress.distill.batch_statistics (f, [0.1; 0.2], [2; 0.5]);
%! m = mean (f, 2);
%! v = var (f, 1, 2);
%! expected = (m - [0.1; 0.2]) .^ 2 ./ [2; 0.5] + (sqrt (v ./ [2; 0.5]) - 1) .^ 2;
%! assert (loss, mean (expected), 1e-14);
%! assert (octcompress.distill.batch_statistics (f, m, v), 0, 1e-14);
%!test % central differences
%! f = reshape (sin ((1:24) .^ 2), 2, 3, 4);
%! octcompress.internal.check_derivative ( ...
%!   @(f) octcompress.distill.batch_statistics (f, [0.1; 0.2], [2; 0.5]), f);
%!test % a channel that does not change
%! [~, gradient] = octcompress.distill.batch_statistics (single ([1 1; 0 2]), [1; 1], [0; 1]);
%! assert (gradient(1, :), single ([0 0]));
