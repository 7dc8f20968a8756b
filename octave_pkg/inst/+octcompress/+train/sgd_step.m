function [w, velocity] = sgd_step (w, velocity, step, momentum, nesterov)
%SGD_STEP  One step of gradient descent with momentum.
%
%   [w, velocity] = octcompress.train.sgd_step (w, velocity, step, momentum)
%   [w, velocity] = octcompress.train.sgd_step (w, velocity, step, momentum, nesterov)
%
%   w         single or double, any size; or a cell of arrays, which are stepped one by one
%   velocity  the same size, zeros at first; not used where momentum is 0
%   step      learning rate * gradient
%   momentum  0 to 1
%   nesterov  true: look ahead (false)
%
%   velocity = momentum * velocity + step
%   w = w - velocity                           [1]
%   w = w - (momentum * velocity + step)       with nesterov [2]
%
%   The learning rate is inside the velocity, as in [2]: where it changes from step to step, old
%   gradients keep the rate they came with.
%
%   [1] Polyak, Some methods of speeding up the convergence of iteration methods, 1964.
%   [2] Sutskever et al., On the importance of initialization and momentum in deep learning, ICML
%   2013.
%
%   See also octcompress.train.adam_step, nn_train.

  if nargin < 5
    nesterov = false;
  end
  if ~iscell (w)
    [w, velocity] = octcompress.train.sgd_step ({w}, {velocity}, {step}, momentum, nesterov);
    w = w{1};
    velocity = velocity{1};
    return
  end
  for k = 1:numel (w)
    v = step{k};
    if momentum > 0
      v = momentum * velocity{k} + v;
      velocity{k} = v;
    end
    if nesterov
      v = momentum * v + step{k};
    end
    w{k} = w{k} - v;
  end
end

%!test % by hand
%! [w, v] = octcompress.train.sgd_step ([1 2], [0.5 -1], [0.25 0.5], 0.5);
%! assert (v, [0.5 0]);
%! assert (w, [0.5 2]);
%!test % by hand, with nesterov
%! [w, v] = octcompress.train.sgd_step ([1 2], [0.5 -1], [0.25 0.5], 0.5, true);
%! assert (v, [0.5 0]);
%! assert (w, [0.5 1.5]);
%!test % without momentum
%! [w, v] = octcompress.train.sgd_step (1, [], 0.25, 0);
%! assert ({w, v}, {0.75, []});
%!test % the class stays
%! [w, v] = octcompress.train.sgd_step (single (1), single (0), single (0.1), 0.9);
%! assert ({class(w), class(v)}, {'single', 'single'});
%!test % several arrays at once
%! [w, v] = octcompress.train.sgd_step ({1, [2 3]}, {0, [1 1]}, {0.5, [0 1]}, 0.5);
%! assert (w, {0.5, [1.5 1.5]});
%! assert (v, {0.5, [0.5 1.5]});
