function result = interrupted (action, base, state)
%INTERRUPTED  The model of a training that was interrupted.
%
%   model = octcompress.train.interrupted ()
%
%   model  the network as the last finished batch left it, with a field training (the state of
%          the optimiser and more), so that nn_train (model, X, Y, ..., 'resume', model) goes on
%          from there bit for bit
%
%   Ctrl-C, or an error in a callback, ends nn_train and nn_distill before they can return. What
%   they had is kept here until the next training.
%
%   The loop itself calls
%     octcompress.train.interrupted ('keep', base, state)   after each batch
%     octcompress.train.interrupted ('end')                 at a normal end: nothing is kept
%     yes = octcompress.train.interrupted ('is_kept')
%
%   Errors: octcompress:interrupted:nothing.
%
%   See also nn_train, octcompress.train.to_checkpoint.

  persistent kept_base kept_state
  if nargin == 0
    if isempty (kept_base)
      octcompress.internal.fail ('interrupted', 'nothing', ...
                                 'no training was interrupted in this session');
    end
    result = octcompress.train.to_checkpoint (kept_base, kept_state);
    return
  end
  switch action
    case 'keep'
      kept_base = base;
      kept_state = state;
    case 'end'
      kept_base = [];
      kept_state = [];
    case 'is_kept'
      result = ~isempty (kept_base);
  end
end

%!error <interrupted: no training was interrupted in this session>
%! octcompress.train.interrupted ('end');
%! octcompress.train.interrupted ();
%!test
%! octcompress.train.interrupted ('end');
%! assert (~ octcompress.train.interrupted ('is_kept'));
