function scores = unit_scores (model, plan, units, count)
%UNIT_SCORES  How much the units of a network pass on, by its weights.
%
%   scores = octcompress.distill.unit_scores (model, plan, units, count)
%
%   model, plan  a tidy network, and of octcompress.model.plan
%   units   of octcompress.distill.unit_map; their numbers go to COUNT
%   scores  count x 1 double. Of a unit: the sum of the squares of the weights that make it, times
%           the squares of what batch normalisations and depthwise filters multiply it with, times
%           the sum of the squares of the weights that read it; summed over all that make and read
%           it
%
%   See also octcompress.distill.thinner.

  scores = zeros (count, 1);
  strength = cell (1, numel (model.layers));
  for k = 1:numel (model.layers)
    layer = model.layers{k};
    reads = plan.inputs{k};
    in = cell (1, numel (reads));
    for i = 1:numel (reads)
      if reads(i) > 0
        in{i} = strength{reads(i)};
      else
        in{i} = ones (octcompress.model.channels (model.input_size), 1);
      end
    end
    switch octcompress.prune.channel_kind (model, plan, k)
      case 'linear'
        squares = by_channel (layer);
        strength{k} = sum (squares, 2);
        if reads > 0
          passed = in{1} .* sum (squares, 1)';
          scores = scores + accumarray (units{reads}, passed, [count, 1]);
        end
      case 'same'
        strength{k} = in{1} .* gain_of (layer);
      case 'alike'
        strength{k} = in{1};
        for i = 2:numel (in)
          strength{k} = strength{k} + in{i};
        end
      case 'concat'
        strength{k} = vertcat (in{:});
      case 'flatten'
        strength{k} = in{1}(octcompress.prune.flatten_owners (model, plan, k));
      otherwise
        strength{k} = ones (octcompress.model.channels (plan.sizes{k}), 1);
    end
  end
end

function squares = by_channel (layer)
  % out x in: the sum of the squares over the places of a kernel.
  squares = double (layer.weights) .^ 2;
  if ~strcmp (layer.type, 'dense')
    sizes = octcompress.layers.weights_size (layer, 4);
    squares = reshape (sum (reshape (squares, sizes(1) * sizes(2), []), 1), sizes(3:4));
    if strcmp (layer.type, 'conv2d')
      squares = squares';
    end
  end
end

function gain = gain_of (layer)
  gain = 1;
  switch layer.type
    case 'batchnorm'
      epsilon = octcompress.layers.option (layer, 'epsilon', 1e-5);
      gain = double (layer.scale) .^ 2 ./ (double (layer.variance) + epsilon);
    case 'conv2d'
      sizes = octcompress.layers.weights_size (layer, 4);
      gain = sum (reshape (double (layer.weights) .^ 2, [], sizes(4)), 1)';
  end
end

%!test
%! model = nn_new ('input', 2, 'dense', 2, 'batchnorm', 'relu', 'dense', 2);
%! model.layers{1}.weights = single ([1 2; 3 4]);
%! model.layers{2}.scale = single ([2; 1]);
%! model.layers{2}.variance = single ([3; 1]);
%! model.layers{2}.epsilon = 1;
%! model.layers{4}.weights = single ([1 0; 1 3]);
%! plan = octcompress.model.plan ('f', model);
%! units = octcompress.distill.unit_map (model, plan);
%! scores = octcompress.distill.unit_scores (model, plan, units, 5);
%! assert (scores, [0; 5 * 1 * 2; 25 * 0.5 * 9; 0; 0]);
