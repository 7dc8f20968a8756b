function engine_times (name, batch, repetitions, processor)
%ENGINE_TIMES  Time training steps and inference of one network of engine.py.
%
%   engine_times (name, batch, repetitions)
%   engine_times (name, batch, repetitions, true)   of the processor
%
%   Prints milliseconds: train_ms, of a step of nn_train in a run of as many steps; predict_ms, of
%   one batch by a network made ready once (predict = nn_predict (model)), the least of as many
%   calls, and single_ms, of one observation so; ready_ms, of making it ready; and results_mb, the
%   results of all layers for one batch, which training holds.

  clock = @() double (tic ()) / 1e6;
  if nargin > 3 && processor
    clock = @cputime;
  end
  model = engine_models (name);
  rand ('twister', 1);
  x = rand ([model.input_size, batch], 'single');
  one = rand ([model.input_size, 1], 'single');
  predict = nn_predict (model);
  calls = {'predict', @() predict(x); 'single', @() predict(one); 'ready', @() nn_predict(model)};
  for k = 1:3
    calls{k, 2} ();
    fprintf ('%s_ms %.3f\n', calls{k, 1}, 1e3 * engine_least (calls{k, 2}, repetitions, clock));
  end

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
