function model = only_what_counts (model)
%ONLY_WHAT_COUNTS  The network without the notes of how it was made.
%
%   model = only_what_counts (model)
%
%   What stays are the layers and the grids of their weights, which the coder reads.

  for field = {'meta', 'classes'}
    if isfield (model, field{1})
      model = rmfield (model, field{1});
    end
  end
  for k = 1:numel (model.layers)
    if isfield (model.layers{k}, 'pruning')
      model.layers{k} = rmfield (model.layers{k}, 'pruning');
    end
  end
end
