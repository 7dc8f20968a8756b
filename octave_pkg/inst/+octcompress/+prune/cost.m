function value = cost (model, kind)
%COST  What a pruned model costs: multiply-accumulates, or bytes.
%
%   macs = octcompress.prune.cost (model, 'macs')
%   bytes = octcompress.prune.cost (model, 'bytes')
%
%   macs   of one observation: of the layers with weights only those of nonzero weights, counted
%          after octcompress.prune.shrink has removed what is dead. MODEL must be a network
%   bytes  of the weights, coded: for each tensor the nonzeros at their bits (32 for single, 64 for
%          double, those of the grid where it has one) and their places at the entropy of the mask,
%          n * (-s * log2 (s) - (1-s) * log2 (1-s)) bits for a share s of zeros; other arrays whole.
%          The file is a little larger: it has the structure too
%
%   See also nn_prune.

  if octcompress.model.is_network (model)
    model = octcompress.prune.shrink ('nn_prune', octcompress.model.tidy ('nn_prune', model));
  end
  if strcmp (kind, 'macs')
    plan = octcompress.model.plan ('nn_prune', model);
    value = 0;
    for k = 1:numel (model.layers)
      share = 1;
      if isfield (model.layers{k}, 'weights')
        w = model.layers{k}.weights;
        share = nnz (w) / max (numel (w), 1);
      end
      value = value + plan.macs(k) * share;
    end
    return
  end
  if ~isstruct (model)
    model = struct ('w', model);
  end
  tensors = octcompress.model.tensors (model, true);
  bits = 0;
  for k = 1:numel (tensors)
    w = subsref (model, tensors{k}.path);
    each = 32;
    if isa (w, 'double')
      each = 64;
    end
    grid = octcompress.model.promise (model, tensors{k}, 'quantization');
    if isstruct (grid) && isfield (grid, 'bits')
      each = grid.bits;
    end
    s = 1 - nnz (w) / max (numel (w), 1);
    places = 0;
    if s > 0 && s < 1
      places = -s * log2 (s) - (1 - s) * log2 (1 - s);
    end
    bits = bits + nnz (w) * each + numel (w) * places;
  end
  value = bits / 8;
end

%!shared model
%! model.layers = {struct('type', 'dense', 'weights', single ([1 2; 0 4]), 'bias', ...
%!                        single ([0; 1])), struct('type', 'dense', 'weights', single ([1 1]))};
%!assert (octcompress.prune.cost (model, 'macs'), 5)
%!assert (octcompress.prune.cost (model, 'bytes'), ...
%!        (5 * 32 + 4 * 0.8112781244591328 + 1 * 32 + 2 * 1) / 8, 1e-9)
%!assert (octcompress.prune.cost (single ([1 0 0 0]), 'bytes'), ...
%!        (32 + 4 * 0.8112781244591328) / 8, 1e-9)
