function [loss, gradient] = binary_cross_entropy (logits, target)
%BINARY_CROSS_ENTROPY  Sigmoid and cross-entropy together, with the gradient by the logits.
%
%   [loss, gradient] = octcompress.train.binary_cross_entropy (logits, target)
%
%   logits    any size, what goes into the sigmoid
%   target    the same size, 0 to 1
%   loss      double: mean over all entries of -target * log (p) - (1 - target) * log (1 - p)
%   gradient  (p - target) / number of entries
%
%   with p = 1 / (1 + exp (-logits)). It is computed as max (z, 0) - z * target + log (1 + exp (-abs
%   (z))), so that large logits do not overflow.
%
%   See also nn_train, octcompress.train.cross_entropy.

  small = exp (-abs (logits));
  each = max (logits, 0) - logits .* target + log1p (small);
  loss = sum (double (each(:))) / numel (logits);
  gradient = (1 ./ (1 + exp (-logits)) - target) / numel (logits);
end

%!test % by its definition
%! z = [0.3 -1 2];
%! t = [1 0 0.25];
%! p = 1 ./ (1 + exp (-z));
%! [loss, gradient] = octcompress.train.binary_cross_entropy (z, t);
%! assert (loss, mean (-t .* log (p) - (1 - t) .* log (1 - p)), 1e-15);
%! assert (gradient, (p - t) / 3, 1e-15);
%!test % large logits
%! [loss, gradient] = octcompress.train.binary_cross_entropy (single ([1e30 -1e30]), ...
%!                                                            single ([1 0]));
%! assert (loss, 0);
%! assert (gradient, single ([0 0]));
%!test % central differences
%! z = [0.3 -1 2];
%! f = @(z) octcompress.train.binary_cross_entropy (z, [1 0 0.25]);
%! [~, gradient] = f (z);
%! for k = 1:3
%!   step = 1e-5 * ((1:3) == k);
%!   assert (gradient(k), (f (z + step) - f (z - step)) / 2e-5, 1e-9);
%! end
