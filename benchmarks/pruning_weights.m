function [count, left] = pruning_weights (model)
%PRUNING_WEIGHTS  The number of weights of a network, and of those that are not zero; no biases.

  count = 0;
  left = 0;
  for k = 1:numel (model.layers)
    if isfield (model.layers{k}, 'weights')
      count = count + numel (model.layers{k}.weights);
      left = left + nnz (model.layers{k}.weights);
    end
  end
end
