function model = thinner (caller, model, width)
%THINNER  A network with a share of the units of each hidden layer: the most important ones.
%
%   model = octcompress.distill.thinner (caller, model, width)
%
%   model  a tidy network
%   width  0 to 1: the share of the units (neurons, filters) of each set that stay, rounded; at
%          least one stays
%
%   Units that must be the same in several layers are chosen together
%   (octcompress.distill.unit_map), by octcompress.distill.unit_scores; of equal ones the first. The
%   weights that read a unit that goes are set to zero, and octcompress.prune.shrink removes it.
%
%   See also nn_student, octcompress.distill.shallower.

  plan = octcompress.model.plan (caller, model);
  [units, sets] = octcompress.distill.unit_map (model, plan);
  scores = octcompress.distill.unit_scores (model, plan, units, numel (sets));
  gone = false (size (sets));
  for set = reshape (unique (sets(sets > 0)), 1, [])
    members = find (sets == set);
    [~, order] = sort (-scores(members));
    stay = max (1, round (width * numel (members)));
    gone(members(order(stay + 1:end))) = true;
  end
  for k = 1:numel (model.layers)
    reads = plan.inputs{k};
    if strcmp (octcompress.prune.channel_kind (model, plan, k), 'linear') && reads > 0
      model.layers{k} = without_inputs (model.layers{k}, gone(units{reads}));
    end
  end
  model = octcompress.prune.shrink (caller, model);
end

function layer = without_inputs (layer, gone)
  if strcmp (layer.type, 'dense')
    layer.weights(:, gone) = 0;
    return
  end
  w = reshape (layer.weights, octcompress.layers.weights_size (layer, 4));
  if strcmp (layer.type, 'conv2d')
    w(:, :, gone, :) = 0;
  else
    w(:, :, :, gone) = 0;
  end
  layer.weights = w;
end

%!test % the most important neurons stay, with their weights
%! model = nn_new ('input', 2, 'dense', 3, 'relu', 'dense', 2);
%! model.layers{1}.weights = single ([1 1; 5 5; 3 3]);
%! model.layers{1}.bias = single ([1; 2; 3]);
%! model.layers{3}.weights = single ([1 1 1; 1 1 2]);
%! small = octcompress.distill.thinner ('f', model, 0.6);
%! assert (small.layers{1}.weights, single ([5 5; 3 3]));
%! assert (small.layers{1}.bias, single ([2; 3]));
%! assert (small.layers{3}.weights, single ([1 1; 1 2]));
%! small = octcompress.distill.thinner ('f', model, 0);
%! assert (size (small.layers{1}.weights), [1 2]);
%!test % residual, depthwise, concat, batch norm, flatten, transposed: all widths are halved
%! model = nn_new ('input', [8 8 3], 'conv2d', {8, 3, 'name', 'a', 'padding', 'same'}, ...
%!   'batchnorm', 'relu', {'name', 'r'}, 'conv2d', {8, 3, 'padding', 'same'}, 'batchnorm', ...
%!   {'name', 'n'}, 'add', {'name', 's', 'inputs', {'r', 'n'}}, 'depthwise', {3, 'padding', ...
%!   'same', 'name', 'd'}, 'concat', {'inputs', {'s', 'd'}}, 'transposedconv2d', {6, 2, ...
%!   'stride', 2}, 'conv2d', {4, 3}, 'flatten', 'dense', 10, 'relu', 'dense', 5);
%! small = octcompress.distill.thinner ('f', model, 0.5);
%! sizes = cellfun (@(layer) layer.weights_size, small.layers(cellfun (@(layer) isfield (layer, ...
%!                  'weights'), small.layers)), 'UniformOutput', false);
%! assert (sizes(1:4), {[3 3 3 4], [3 3 4 4], [3 3 1 4], [2 2 3 8]});
%! assert (sizes{5}, [3 3 3 2]);
%! assert ({sizes{6}(1), sizes{7}}, {5, [5 5]});
%! assert (size (nn_predict (small, rand (8, 8, 3, 2, 'single'))), [5 2]);
