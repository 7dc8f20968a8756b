function [gradient, w] = gradient_at (gradients, model, place)
%GRADIENT_AT  The gradient by one array of a network, zero where nothing depends on it.
%
%   [gradient, w] = octcompress.prune.gradient_at (gradients, model, place)
%
%   gradients  of octcompress.model.backward, of all layers or the first ones
%   place      struct with the fields layer (number) and field ('weights')
%   gradient   of the array w's size and class
%
%   A layer that no output reads, such as that of an auxiliary classifier, has no gradient.
%
%   See also octcompress.prune.loss_gradients, octcompress.prune.loss_curvature.

  w = model.layers{place.layer}.(place.field);
  gradient = zeros (size (w), class (w));
  if place.layer <= numel (gradients) && isfield (gradients{place.layer}, place.field)
    gradient = reshape (gradients{place.layer}.(place.field), size (w));
  end
end

%!test
%! model.layers = {struct('weights', single ([1 2])), struct('weights', [3; 4]), ...
%!                 struct('weights', 5)};
%! gradients = {struct('weights', single ([6; 7])), struct()};
%! at = @(k) octcompress.prune.gradient_at (gradients, model, struct ('layer', k, 'field', ...
%!                                                                    'weights'));
%! assert (at (1), single ([6 7]));
%! assert (at (2), [0; 0]);
%! assert (at (3), 0);
