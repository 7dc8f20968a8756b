function [loss, gradient] = cross_entropy (logits, labels, smoothing, class_weights)
%CROSS_ENTROPY  Softmax and cross-entropy together, with the gradient by the logits.
%
%   [loss, gradient] = octcompress.train.cross_entropy (logits, labels)
%   [loss, gradient] = octcompress.train.cross_entropy (logits, labels, smoothing, class_weights)
%
%   logits         K x N, what goes into the softmax
%   labels         1 x N class numbers
%   smoothing      0 to 1: the target is (1 - smoothing) * one-hot + smoothing / K [1] (0)
%   class_weights  K numbers; observation n counts class_weights(labels(n)) ([]: each counts 1)
%   loss           double: the weighted mean over n of -sum over k of target .* log (p)
%   gradient       K x N: weight of n / sum of weights * (p - target)
%
%   with p = softmax (logits). Large logits do not overflow.
%
%   [1] Szegedy et al., Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567.
%
%   See also nn_train, octcompress.train.binary_cross_entropy.

  [classes, count] = size (logits);
  z = logits - max (logits, [], 1);
  p = exp (z);
  total = sum (p, 1);
  p = p ./ total;
  chosen = labels + (0:count - 1) * classes;
  each = log (total) - z(chosen);
  gradient = p;
  gradient(chosen) = gradient(chosen) - 1;
  if nargin > 2 && smoothing > 0
    % -sum (target .* log (p)) with the part of the even target: log (total) - mean (z).
    each = (1 - smoothing) * each + smoothing * (log (total) - sum (z, 1) / classes);
    gradient(chosen) = gradient(chosen) + smoothing;
    gradient = gradient - smoothing / classes;
  end
  if nargin > 3 && ~isempty (class_weights)
    weight = class_weights(labels);
    weight = cast (reshape (weight, 1, []) / sum (weight), class (logits));
    loss = sum (double (weight .* each));
    gradient = gradient .* weight;
  else
    loss = sum (double (each)) / count;
    gradient = gradient / count;
  end
end

%!shared z, labels
%! z = [0.3 -1 2 0.1; 1.2 0.4 -0.7 0.5; -2 0.9 0.6 3];
%! labels = [2 3 1 1];
%!function check (loss, z)
%!  [~, gradient] = loss (z);
%!  for k = 1:numel (z)
%!    step = zeros (size (z));
%!    step(k) = 1e-5;
%!    assert (gradient(k), (loss (z + step) - loss (z - step)) / 2e-5, 1e-9);
%!  end
%!endfunction
%!test % by its definition
%! p = exp (z) ./ sum (exp (z), 1);
%! loss = octcompress.train.cross_entropy (z, labels);
%! assert (loss, -mean (log (p([2 6 7 10]))), 1e-14);
%!test % smoothing and weights by their definition
%! p = exp (z) ./ sum (exp (z), 1);
%! target = 0.7 * [0 0 1 1; 1 0 0 0; 0 1 0 0] + 0.1;
%! w = [1 2 5];
%! loss = octcompress.train.cross_entropy (z, labels, 0.3, w);
%! assert (loss, -sum (w(labels) .* sum (target .* log (p), 1)) / sum (w(labels)), 1e-14);
%!test check (@(z) octcompress.train.cross_entropy (z, labels), z);
%!test check (@(z) octcompress.train.cross_entropy (z, labels, 0.3, [1 2 5]), z);
%!test % large logits
%! [loss, gradient] = octcompress.train.cross_entropy (single ([1e30; 0]), 1);
%! assert (loss, 0);
%! assert (gradient, single ([0; 0]));
