function stop = call_back (caller, model, state, options)
%CALL_BACK  Show the user's callback an epoch.
%
%   stop = octcompress.train.call_back (caller, model, state, options)
%
%   model    as the training got it
%   state    of octcompress.train.loop
%   options  epochs, callback: a handle stop = callback (seen), as in nn_train
%   stop     what it returned; the random generator is as before
%
%   Errors: octcompress:CALLER:badValue where that is no flag; those of the callback.
%
%   See also octcompress.train.loop.

  history = state.history;
  model.layers(1:numel (state.layers)) = state.layers;
  seen = struct ('epoch', state.epoch, 'epochs', options.epochs, 'loss', history.loss(end), ...
                 'validation_loss', NaN, 'validation_accuracy', NaN, ...
                 'learning_rate', history.learning_rate(end), 'seconds', history.seconds(end), ...
                 'model', model);
  if ~isempty (history.validation_loss)
    seen.validation_loss = history.validation_loss(end);
    seen.validation_accuracy = history.validation_accuracy(end);
  end
  before = octcompress.train.random ('state');
  stop = options.callback (seen);
  octcompress.train.random ('restore', before);
  octcompress.internal.check (caller, 'what CALLBACK returns', stop, 'flag');
end

%!shared state
%! state = struct ('layers', {{2}}, 'epoch', 3, 'history', struct ('loss', [4 5], ...
%!                 'learning_rate', [1 1], 'seconds', [6 7], 'validation_loss', []));
%!test
%! look = @(seen) isequal ({seen.epoch, seen.epochs, seen.loss, seen.seconds}, {3, 9, 5, 7}) ...
%!                && isequal (seen.model.layers, {2, 1});
%! options = struct ('epochs', 9, 'callback', look);
%! assert (octcompress.train.call_back ('f', struct ('layers', {{1, 1}}), state, options));
%!error <f: WHAT CALLBACK RETURNS must be true or false, but is 3>
%! options = struct ('epochs', 9, 'callback', @(seen) 3);
%! octcompress.train.call_back ('f', struct ('layers', {{1, 1}}), state, options);
