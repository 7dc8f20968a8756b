function engine_times (name, batch, repetitions)
%ENGINE_TIMES  Time training steps and inference of one network of engine.py.
%
%   engine_times (name, batch, repetitions)
%
%   Prints milliseconds: train_ms, of a step of nn_train in a run of as many steps, and predict_ms,
%   of nn_predict on one batch, the least of as many calls; and results_mb, the results of all
%   layers for one batch, which training holds.

  model = engine_models (name);
  rand ('twister', 1);
  x = rand ([model.input_size, batch], 'single');
  nn_predict (model, x, 'batch_size', batch);
  least = Inf;
  for i = 1:repetitions
    started = tic ();
    nn_predict (model, x, 'batch_size', batch);
    least = min (least, toc (started));
  end
  fprintf ('predict_ms %.3f\n', 1e3 * least);

  labels = mod (0:batch - 1, 10) + 1;
  options = {'epochs', repetitions + 2, 'batch_size', batch, 'verbose', false};
  [~, info] = nn_train (model, x, labels, options{:});
  fprintf ('train_ms %.3f\n', 1e3 * min (info.history.seconds));

  plan = octcompress.model.plan ('engine_times', octcompress.model.tidy ('engine_times', model));
  fprintf ('results_mb %.1f\n', 4e-6 * batch * sum (cellfun (@prod, plan.sizes)));
end
