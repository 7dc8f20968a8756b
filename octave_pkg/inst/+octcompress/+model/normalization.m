function layer = normalization (arrays, names, epsilon)
%NORMALIZATION  A batchnorm layer of MatConvNet's multipliers, offsets and moments.
%
%   layer = octcompress.model.normalization (arrays, names, epsilon)
%
%   arrays   cell: multipliers C x 1, offsets C x 1, moments C x 2 (mean, standard deviation)
%   names    cellstr, where they stand in the file
%   epsilon  added to the variance in training
%   layer    struct; variance = sigma^2 - epsilon
%
%   See also octcompress.model.from_simplenn, octcompress.model.from_dagnn.

  [scale, offset, moments] = arrays{:};
  epsilon = double (epsilon);
  variance = moments(:, 2) .^ 2 - epsilon;
  variance(variance < 0) = 0;
  layer = struct ('type', 'batchnorm', 'scale', reshape (scale, [], 1), ...
                  'offset', reshape (offset, [], 1), 'mean', moments(:, 1), ...
                  'variance', variance, 'epsilon', epsilon);
  place = @octcompress.model.origin;
  layer.source.scale = place (names{1}, size (scale), [1 2]);
  layer.source.offset = place (names{2}, size (offset), [1 2]);
  layer.source.mean = place (names{3}, size (moments), [1 2], 'part', [1 1]);
  layer.source.variance = place (names{3}, size (moments), [1 2], 'part', [2 2], 'rule', 'sigma');
end

%!test
%! arrays = {[1 2], [3 4], [5 0.5; 6 0.001]};
%! layer = octcompress.model.normalization (arrays, {'a', 'b', 'm'}, 1e-2);
%! assert ({layer.scale, layer.offset, layer.mean}, {[1; 2], [3; 4], [5; 6]});
%! assert (layer.variance, [0.24; 0], 1e-15);
%! assert (layer.source.mean.part, [1 1]);
