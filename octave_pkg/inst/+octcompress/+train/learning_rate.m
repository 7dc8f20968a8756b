function rate = learning_rate (options, step, steps_per_epoch)
%LEARNING_RATE  The learning rate of a step.
%
%   rate = octcompress.train.learning_rate (options, step, steps_per_epoch)
%
%   options  struct: learning_rate, schedule, epochs, warmup, decay, decay_epochs, final_rate, as
%            nn_train has them
%   step     0 for the first batch, then 1, ...
%
%   With e = step / steps_per_epoch and t = (step - warm) / (total - warm), where warm and total
%   are the steps of warm-up and of the whole training:
%
%   constant     learning_rate
%   step         learning_rate * decay ^ floor (e / decay_epochs)
%   exponential  learning_rate * decay ^ (e / decay_epochs)
%   cosine       from learning_rate to final_rate: final + (start - final) * (1 + cos (pi * t)) / 2
%                [1]
%   onecycle     up from learning_rate / 25 along a half cosine for the first 0.3 of the steps, then
%                down to final_rate [2]
%
%   In the first warm = warmup * steps_per_epoch steps it is learning_rate * (step + 1) / warm, for
%   every schedule but onecycle, which has its own.
%
%   [1] Loshchilov and Hutter, SGDR, ICLR 2017, arXiv:1608.03983.
%   [2] Smith and Topin, Super-convergence, 2018, arXiv:1708.07120.
%
%   See also nn_train.

  start = options.learning_rate;
  if strcmp (options.schedule, 'onecycle')
    total = options.epochs * steps_per_epoch;
    top = 0.3 * total;
    if step < top
      rate = half_cosine (start / 25, start, step / top);
    else
      rate = half_cosine (start, options.final_rate, (step - top) / (total - top));
    end
    return
  end
  warm = 0;
  if options.warmup > 0
    warm = round (options.warmup * steps_per_epoch);
    if step < warm
      rate = start * (step + 1) / warm;
      return
    end
  end
  switch options.schedule
    case 'constant'
      rate = start;
    case 'step'
      rate = start * options.decay ^ floor (step / (steps_per_epoch * options.decay_epochs));
    case 'exponential'
      rate = start * options.decay ^ (step / (steps_per_epoch * options.decay_epochs));
    case 'cosine'
      rate = half_cosine (start, options.final_rate, ...
                          (step - warm) / (options.epochs * steps_per_epoch - warm));
  end
end

function value = half_cosine (from, to, t)
  value = to + (from - to) * (1 + cos (pi * t)) / 2;
end

%!function r = rates (schedule, steps, varargin)
%!  options = struct ('learning_rate', 0.8, 'schedule', schedule, 'epochs', 10, 'warmup', 0, ...
%!                    'decay', 0.5, 'decay_epochs', 2, 'final_rate', 0);
%!  for k = 1:2:numel (varargin)
%!    options.(varargin{k}) = varargin{k + 1};
%!  end
%!  r = arrayfun (@(step) octcompress.train.learning_rate (options, step, 4), steps);
%!endfunction
%!assert (rates ('constant', [0 39]), [0.8 0.8])
%!assert (rates ('step', [0 7 8 16 39]), [0.8 0.8 0.4 0.2 0.05])
%!assert (rates ('exponential', [0 4 8 16]), [0.8 0.8*sqrt(0.5) 0.4 0.2], 1e-15)
%!assert (rates ('cosine', [0 20 40]), [0.8 0.4 0], 1e-15)
%!assert (rates ('cosine', [0 20 40], 'final_rate', 0.2), [0.8 0.5 0.2], 1e-15)
%!assert (rates ('onecycle', [0 6 12 26 40]), [0.032 0.416 0.8 0.4 0], 1e-15)
%!assert (rates ('constant', 0:4, 'warmup', 1), [0.2 0.4 0.6 0.8 0.8], 1e-15)
%!assert (rates ('cosine', [3 4 22 40], 'warmup', 1), [0.8 0.8 0.4 0], 1e-15)
