function [plan, layers] = fold_norms (plan, layers)
%FOLD_NORMS  Batch normalisations computed with the products before them, for inference.
%
%   [plan, layers] = octcompress.model.fold_norms (plan, layers)
%
%   plan    of octcompress.model.plan; on return the normalisations pass on what they read
%   layers  cell of layers, all of the plan's or its first ones; on return the factors are in the
%           weights, and the normalisations are identities
%
%   A convolution or dense layer is taken where nobody but the normalisation behind it reads it, and
%   where it has no grid of its own. octcompress.model.forward does this itself; who computes many
%   batches does it before them.
%
%   See also octcompress.model.plan, octcompress.layers.with_norm, nn_fold.

  count = numel (layers);
  for k = find (plan.last_use(1:count - 1) == 2:count)
    if strcmp (layers{k + 1}.type, 'batchnorm') ...
       && any (strcmp (layers{k}.type, {'conv2d', 'dense'})) && ~has_grid (layers{k})
      layers{k} = octcompress.layers.with_norm (layers{k}, layers{k + 1});
      layers{k + 1}.type = 'identity';
      plan.run{k + 1} = @(form, layer, x, training) x;
    end
  end
end

function yes = has_grid (layer)
  yes = isfield (layer, 'quantization') && isfield (layer.quantization, 'output');
end

%!test % once or in every batch is the same, to the bit
%! norm = struct ('type', 'batchnorm', 'scale', [2; -3], 'offset', [0.5; 3], 'mean', [1; 2], ...
%!                'variance', [4; 0.25], 'epsilon', 0);
%! model.input_size = 3;
%! model.layers = {struct('type', 'dense', 'weights', [1 0 -1; 1 1 1] / 3), norm, ...
%!                 struct('type', 'relu')};
%! model = octcompress.model.tidy ('f', model);
%! plan = octcompress.model.plan ('f', model);
%! x = [1 2; 1 2; 5 1] / 7;
%! y = octcompress.model.forward (plan, model.layers, x);
%! [folded, layers] = octcompress.model.fold_norms (plan, model.layers);
%! assert (layers{1}.bias, [-0.5; 15], 1e-12);
%! assert (octcompress.model.forward (folded, layers, x), y);
%! assert (y{1}, max (norm.scale .* (model.layers{1}.weights * x - norm.mean) ...
%!                    ./ sqrt (norm.variance) + norm.offset, 0), 1e-12);
%! [~, again] = octcompress.model.fold_norms (folded, layers);
%! assert (again, layers);
%!test % some of the layers; a grid between the two
%! norm = struct ('type', 'batchnorm', 'scale', 2, 'offset', 1, 'mean', 0, 'variance', 1);
%! model.input_size = 1;
%! model.layers = {struct('type', 'dense', 'weights', 2), norm};
%! model = octcompress.model.tidy ('f', model);
%! plan = octcompress.model.plan ('f', model);
%! [~, layers] = octcompress.model.fold_norms (plan, model.layers(1));
%! assert (layers, model.layers(1));
%! model.layers{1}.quantization.output = octcompress.quant.choose_grid ([0 1], 4);
%! [~, layers] = octcompress.model.fold_norms (plan, model.layers);
%! assert (layers, model.layers);
