function [w, mean, root] = adam_step (w, mean, root, gradient, count, rate, beta1, beta2, epsilon)
%ADAM_STEP  One step of Adam.
%
%   [w, mean, root] = octcompress.train.adam_step (w, mean, root, gradient, count, rate, beta1, ...
%                                                  beta2, epsilon)
%
%   w         single or double, any size; or a cell of arrays, which are stepped one by one
%   mean      the same size, zeros at first: sum of the gradients, each times beta1^age
%   root      the same size, zeros at first: root of the sum of their squares, each times beta2^age
%   gradient  the same size
%   count     1 at the first step, then 2, ...
%   rate      learning rate
%   epsilon   above 0
%
%   In the terms of [1], m = (1 - beta1) * mean and sqrt (v) = sqrt (1 - beta2) * root, and with
%   their corrections for the start at zero
%
%     w = w - rate * (m / (1 - beta1^count)) / (sqrt (v / (1 - beta2^count)) + epsilon)
%
%   The root is carried along by hypot, not the square: a square root of a single array is three
%   times slower in Octave, and squares of small gradients underflow. AdamW [2] is this step
%   after w = (1 - rate * weight_decay) * w.
%
%   [1] Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, arXiv:1412.6980.
%   [2] Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, arXiv:1711.05101.
%
%   See also octcompress.train.sgd_step, nn_train.

  if ~iscell (w)
    [w, mean, root] = octcompress.train.adam_step ({w}, {mean}, {root}, {gradient}, count, rate, ...
                                                   beta1, beta2, epsilon);
    w = w{1};
    mean = mean{1};
    root = root{1};
    return
  end
  % The constants gathered, so that the arrays are passed over as seldom as possible.
  numerator = rate * (1 - beta1) / (1 - beta1 ^ count);
  denominator = sqrt ((1 - beta2) / (1 - beta2 ^ count));
  for k = 1:numel (w)
    m = beta1 * mean{k} + gradient{k};
    r = hypot (sqrt (beta2) * root{k}, gradient{k});
    if rate > 0
      w{k} = w{k} - m ./ ((denominator / numerator) * r + epsilon / numerator);
    end
    mean{k} = m;
    root{k} = r;
  end
end

%!test % the paper's own form, ten steps
%! w = [1 -2 0.5];
%! mean = zeros (1, 3);
%! root = zeros (1, 3);
%! expected = w;
%! m = 0;
%! v = 0;
%! for t = 1:10
%!   g = sin (t * [1 2 3]);
%!   rate = 0.1 / t;
%!   [w, mean, root] = octcompress.train.adam_step (w, mean, root, g, t, rate, 0.9, 0.99, 1e-3);
%!   m = 0.9 * m + 0.1 * g;
%!   v = 0.99 * v + 0.01 * g .^ 2;
%!   expected = expected - rate * (m / (1 - 0.9 ^ t)) ./ (sqrt (v / (1 - 0.99 ^ t)) + 1e-3);
%!   assert (w, expected, 1e-14);
%! end
%!test % the first step is the sign of the gradient, times the rate
%! w = octcompress.train.adam_step (zeros (1, 3), zeros (1, 3), zeros (1, 3), [1e-3 -5 200], 1, ...
%!                                  0.1, 0.9, 0.999, 1e-12);
%! assert (w, [-0.1 0.1 -0.1], 1e-9);
%!test % no gradient, no step
%! w = octcompress.train.adam_step (single (3), single (0), single (0), single (0), 1, 0.1, ...
%!                                  0.9, 0.999, 1e-8);
%! assert (w, single (3));
%!test % a rate of 0 leaves w
%! [w, mean] = octcompress.train.adam_step (3, 0, 0, 2, 1, 0, 0.9, 0.999, 1e-8);
%! assert ({w, mean}, {3, 2});
%!test % several arrays at once
%! none = {0, [0 0]};
%! [w, mean, root] = octcompress.train.adam_step ({1, [2 3]}, none, none, {5, [-1 1]}, 1, 0.1, ...
%!                                                0.9, 0.999, 1e-12);
%! assert (w, {0.9, [2.1 2.9]}, 1e-9);
%! assert ({mean, root}, {{5, [-1 1]}, {5, [1 1]}});
