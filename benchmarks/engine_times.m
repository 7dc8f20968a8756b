function engine_times (name, batch, repetitions, processor)
%ENGINE_TIMES  Time training steps and inference of one network of engine.py.
%
%   engine_times (name, batch, repetitions)
%   engine_times (name, batch, repetitions, true)   of the processor
%
%   Prints milliseconds: train_ms, of a step of nn_train in a run of as many steps, and predict_ms,
%   of nn_predict on one batch, the least of as many calls; and results_mb, the results of all
%   layers for one batch, which training holds.

  clock = @() double (tic ()) / 1e6;
  if nargin > 3 && processor
    clock = @cputime;
  end
  model = engine_models (name);
  rand ('twister', 1);
  x = rand ([model.input_size, batch], 'single');
  nn_predict (model, x, 'batch_size', batch);
  least = Inf;
  for i = 1:repetitions
    started = clock ();
    nn_predict (model, x, 'batch_size', batch);
    least = min (least, clock () - started);
  end
  fprintf ('predict_ms %.3f\n', 1e3 * least);

  labels = mod (0:batch - 1, 10) + 1;
  least_step ([]);
  nn_train (model, x, labels, 'epochs', repetitions + 2, 'batch_size', batch, 'verbose', false, ...
            'callback', @(seen) least_step (clock) < 0);
  fprintf ('train_ms %.3f\n', 1e3 * least_step ());

  plan = octcompress.model.plan ('engine_times', octcompress.model.tidy ('engine_times', model));
  fprintf ('results_mb %.1f\n', 4e-6 * batch * sum (cellfun (@prod, plan.sizes)));
end

function least = least_step (clock)
  % The least time between two calls; [] begins anew, and no argument tells it.
  persistent last shortest
  if nargin > 0 && isempty (clock)
    last = Inf;
    shortest = Inf;
  elseif nargin > 0
    now = clock ();
    if now > last
      shortest = min (shortest, now - last);
    end
    last = now;
  end
  least = shortest;
end
