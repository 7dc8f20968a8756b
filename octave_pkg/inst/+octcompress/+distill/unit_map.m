function [units, sets] = unit_map (model, plan)
%UNIT_MAP  Which channels of a network's layers are the same unit.
%
%   [units, sets] = octcompress.distill.unit_map (model, plan)
%
%   model, plan  a tidy network, and of octcompress.model.plan
%   units  cell, for each layer a column: the number of the unit that each channel of its output
%          belongs to. 1 is what must stay: inputs and outputs of the network, and what softmax,
%          reshape, permute, recurrent layers and grouped convolutions touch
%   sets   column, for each unit number the first layer that makes units of its set (0 for unit 1,
%          and for numbers that are not used). The layers of a set share units: a residual
%          connection adds them
%
%   See also octcompress.distill.thinner, octcompress.prune.channel_kind.

  count = numel (model.layers);
  units = cell (1, count);
  same_as = 1;     % for each unit a smaller one that it is the same as, or itself
  maker = 0;
  for k = 1:count
    own = octcompress.model.channels (plan.sizes{k});
    reads = plan.inputs{k};
    in = cell (1, numel (reads));
    for i = 1:numel (reads)
      if reads(i) > 0
        in{i} = units{reads(i)};
      else
        in{i} = ones (octcompress.model.channels (model.input_size), 1);
      end
    end
    switch octcompress.prune.channel_kind (model, plan, k)
      case 'linear'
        units{k} = numel (same_as) + (1:own)';
        same_as = [same_as; units{k}];
        maker = [maker; repmat(k, own, 1)];
      case 'same'
        units{k} = in{1};
      case 'alike'
        for i = 2:numel (in)
          same_as = merge (same_as, in{1}, in{i});
        end
        units{k} = in{1};
      case 'concat'
        units{k} = vertcat (in{:});
      case 'flatten'
        units{k} = in{1}(octcompress.prune.flatten_owners (model, plan, k));
      otherwise
        same_as = merge (same_as, vertcat (in{:}), 1);
        units{k} = ones (own, 1);
    end
  end
  for k = plan.outputs
    same_as = merge (same_as, units{k}, 1);
  end
  roots = root (same_as, (1:numel (same_as))');
  units = cellfun (@(own) roots(own), units, 'UniformOutput', false);
  used = roots > 1;
  layers = merge ((1:count)', maker(used), maker(roots(used)));
  sets = zeros (size (roots));
  tops = find (used & roots == (1:numel (roots))');
  sets(tops) = root (layers, maker(tops));
end

function same_as = merge (same_as, a, b)
  b = b + zeros (size (a));
  while true
    a = root (same_as, a);
    b = root (same_as, b);
    if isequal (a, b)
      return
    end
    same_as = min (same_as, accumarray (max (a, b), min (a, b), size (same_as), @min, Inf));
  end
end

function a = root (same_as, a)
  while any (same_as(a) ~= a)
    a = same_as(a);
  end
end

%!test % a chain: each layer has its own, the outputs stay
%! model = nn_new ('input', 3, 'dense', 4, 'relu', 'dense', 2, 'dense', 5);
%! [units, sets] = octcompress.distill.unit_map (model, octcompress.model.plan ('f', model));
%! assert (units, {(2:5)', (2:5)', [6; 7], ones(5, 1)});
%! assert (sets(1:7)', [0 1 1 1 1 3 3]);
%!test % a residual connection: both branches have the same units; flatten repeats them
%! model = nn_new ('input', [2 2 1], 'conv2d', {3, 1, 'name', 'a'}, 'relu', ...
%!                 'conv2d', {3, 1, 'name', 'b'}, 'add', {'inputs', {'a', 'b'}}, 'flatten', ...
%!                 'dense', 2);
%! [units, sets] = octcompress.distill.unit_map (model, octcompress.model.plan ('f', model));
%! assert (units{3}, [2; 3; 4]);
%! assert (units{5}', [2 2 2 2 3 3 3 3 4 4 4 4]);
%! assert (sets([2 3 4])', [1 1 1]);
%!test % what softmax reads stays
%! model = nn_new ('input', 3, 'dense', 4, 'softmax', 'dense', 2);
%! units = octcompress.distill.unit_map (model, octcompress.model.plan ('f', model));
%! assert (units{1}, ones (4, 1));
