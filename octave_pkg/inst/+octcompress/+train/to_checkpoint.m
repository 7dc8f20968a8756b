function model = to_checkpoint (base, state)
%TO_CHECKPOINT  A training's state as a model that nn_save can write and nn_load can read.
%
%   model = octcompress.train.to_checkpoint (base, state)
%
%   base   struct: caller, model, options, data (numbers that change with the data), places (of
%          octcompress.train.parameters)
%   state  of octcompress.train.loop
%   model  the network as it is in this moment, with a field training: caller, options, data, depth
%          (how many layers are trained) and the state without its layers
%
%   See also octcompress.train.from_checkpoint, nn_train.

  model = base.model;
  model.layers(1:numel (state.layers)) = state.layers;
  for p = 1:numel (base.places)
    model.layers{base.places{p}.layer}.(base.places{p}.field) = state.values{p};
  end
  training = rmfield (state, {'layers', 'values'});
  training.depth = numel (state.layers);
  training.caller = base.caller;
  training.data = base.data;
  training.options = rmfield (base.options, octcompress.train.free_options ());
  model.training = training;
end

%!test
%! base = struct ('caller', 'nn_train', 'model', struct ('layers', {{1, 2}}), 'data', 5, ...
%!                'places', {{struct('layer', 1, 'field', 'weights')}}, ...
%!                'options', octcompress.train.training_options ('f', struct (), {}));
%! state = struct ('layers', {{struct('weights', 3)}}, 'values', {{4}}, 'step', 7);
%! model = octcompress.train.to_checkpoint (base, state);
%! assert (model.layers, {struct('weights', 4), 2});
%! assert ({model.training.step, model.training.data}, {7, 5});
%! assert (model.training.options.momentum, 0.9);
%! assert (~ isfield (model.training.options, 'callback'));
