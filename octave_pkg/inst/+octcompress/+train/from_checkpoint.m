function [model, state] = from_checkpoint (base)
%FROM_CHECKPOINT  Take up a training where a checkpoint left it.
%
%   [model, state] = octcompress.train.from_checkpoint (base)
%
%   base   struct: caller, model (as the user gave it), options, data; options.resume is the name
%          of a checkpoint file or what octcompress.train.interrupted returned
%   model  the network of the checkpoint
%   state  of octcompress.train.loop, without values
%
%   Errors: octcompress:CALLER:resumeMismatch where the network, the data or an option that
%   changes the numbers is another, or the file is no checkpoint; those of nn_load.
%
%   See also octcompress.train.to_checkpoint, nn_train.

  caller = base.caller;
  model = base.options.resume;
  if ~isstruct (model)
    octcompress.internal.check (caller, 'resume', model, 'text');
    model = nn_load (model);
  end
  if ~isfield (model, 'training')
    octcompress.internal.fail (caller, 'resumeMismatch', ...
      'RESUME must be a checkpoint, but has no state of a training; options.checkpoint writes one');
  end
  state = model.training;
  model = rmfield (model, 'training');
  if ~strcmp (state.caller, caller)
    octcompress.internal.fail (caller, 'resumeMismatch', ...
                               'RESUME is a checkpoint of %s; go on with that', ...
                               state.caller);
  end
  if ~isequal (shape (model), shape (base.model))
    octcompress.internal.fail (caller, 'resumeMismatch', ...
      'RESUME is a checkpoint of another network: its layers differ from those of MODEL');
  end
  if ~isequal (state.data, base.data)
    octcompress.internal.fail (caller, 'resumeMismatch', ...
      'RESUME is a checkpoint of a training on other data (%d observations; now %d)', ...
      state.data(1), base.data(1));
  end
  names = fieldnames (state.options);
  for k = 1:numel (names)
    now = [];
    if isfield (base.options, names{k})
      now = base.options.(names{k});
    end
    if ~isequal (state.options.(names{k}), now)
      octcompress.internal.fail (caller, 'resumeMismatch', ...
        '%s was %s in the checkpoint, but is %s; give the same options to go on', ...
        upper (names{k}), ...
        octcompress.internal.describe (state.options.(names{k})), ...
        octcompress.internal.describe (now));
    end
  end
  state.layers = model.layers(1:state.depth);
  state = rmfield (state, {'caller', 'data', 'options', 'depth'});
end

function list = shape (model)
  list = cell (2, numel (model.layers));
  for k = 1:numel (model.layers)
    list{1, k} = model.layers{k}.type;
    if isfield (model.layers{k}, 'weights')
      list{2, k} = size (model.layers{k}.weights);
    end
  end
end

%!function model = two_layers ()
%!  model = octcompress.model.tidy ('f', struct ('layers', ...
%!        {{struct('type', 'dense', 'weights', 1), struct('type', 'relu')}}));
%!endfunction
%!function base = some_base (model)
%!  base = struct ('caller', 'f', 'model', model, 'data', [5 7], 'places', {{}}, ...
%!                 'options', octcompress.train.training_options ('f', struct (), {}));
%!endfunction
%!test % there and back, in memory and through a file
%! base = some_base (two_layers ());
%! state = struct ('layers', {{setfield(base.model.layers{1}, 'weights', 3)}}, 'step', 7, ...
%!                 'kept', {{[], true}}, 'values', {{}});
%! part = octcompress.train.to_checkpoint (base, state);
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_save (file, part);
%! for resume = {part, file}
%!   base.options.resume = resume{1};
%!   [model, again] = octcompress.train.from_checkpoint (base);
%!   assert (again, orderfields (rmfield (state, 'values'), again));
%!   assert (model.layers, [state.layers, base.model.layers(2)]);
%!   assert (~ isfield (model, 'training'));
%! end
%!error <f: RESUME is a checkpoint of nn_distill; go on with that>
%! base = some_base (two_layers ());
%! base.options.resume = octcompress.train.to_checkpoint (setfield (base, 'caller', ...
%!       'nn_distill'), struct ('layers', {{}}, 'values', {{}}));
%! octcompress.train.from_checkpoint (base);
%!error <f: RESUME must be text, but is 3>
%! base = some_base (two_layers ());
%! base.options.resume = 3;
%! octcompress.train.from_checkpoint (base);
