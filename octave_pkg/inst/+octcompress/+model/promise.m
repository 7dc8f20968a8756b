function result = promise (model, tensor, kind, value)
%PROMISE  Read or write what compression has promised of a tensor.
%
%   value = octcompress.model.promise (model, tensor, kind)
%   model = octcompress.model.promise (model, tensor, kind, value)
%
%   tensor  an element of octcompress.model.tensors
%   kind    'pruning' or 'quantization'
%   value   struct; [] where nothing is promised
%
%   See also octcompress.model.tensors, docs/model-format.md.

  if tensor.layer > 0
    if nargin == 4
      model.layers{tensor.layer}.(kind).(tensor.field) = value;
      result = model;
    else
      layer = model.layers{tensor.layer};
      result = [];
      if isfield (layer, kind) && isfield (layer.(kind), tensor.field)
        result = layer.(kind).(tensor.field);
      end
    end
    return
  end

  field = octcompress.model.promises_field ();
  kept = {};
  if isfield (model, field)
    kept = model.(field);
  end
  place = find (cellfun (@(entry) strcmp (entry.tensor, tensor.name), kept), 1);
  if nargin == 4
    if isempty (place)
      place = numel (kept) + 1;
      kept{place} = struct ('tensor', tensor.name);
    end
    kept{place}.(kind) = value;
    model.(field) = reshape (kept, 1, []);
    result = model;
  else
    result = [];
    if ~isempty (place) && isfield (kept{place}, kind)
      result = kept{place}.(kind);
    end
  end
end

%!test % in a network
%! model.layers = {struct('type', 'dense', 'name', 'fc', 'weights', ones (2, 3))};
%! list = octcompress.model.tensors (model);
%! assert (isempty (octcompress.model.promise (model, list{1}, 'pruning')));
%! model = octcompress.model.promise (model, list{1}, 'pruning', struct ('amount', 0.5));
%! assert (model.layers{1}.pruning.weights.amount, 0.5);
%! assert (octcompress.model.promise (model, list{1}, 'pruning'), struct ('amount', 0.5));
%!test % elsewhere, and it is no tensor itself
%! model = struct ('A', ones (2), 'B', ones (2));
%! list = octcompress.model.tensors (model);
%! model = octcompress.model.promise (model, list{2}, 'pruning', struct ('m', ones (2)));
%! model = octcompress.model.promise (model, list{2}, 'quantization', struct ('bits', 4));
%! assert (model.octcompress_promises, {struct('tensor', 'B', 'pruning', ...
%!       struct ('m', ones (2)), 'quantization', struct ('bits', 4))});
%! assert (isempty (octcompress.model.promise (model, list{1}, 'pruning')));
%! assert (numel (octcompress.model.tensors (model)), 2);
