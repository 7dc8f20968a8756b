function part = stats_of_group (stats, g)
%STATS_OF_GROUP  The sums of products of one group of a layer's inputs.
%
%   part = octcompress.model.stats_of_group (stats, g)
%
%   stats  of octcompress.model.input_gram
%   part   the same fields, of group g alone: d x d and d x 1
%
%   See also octcompress.model.input_gram.

  part = struct ('gram', stats.gram(:, :, g), 'total', stats.total(:, g), 'count', stats.count);
  if isfield (stats, 'cross')
    part.cross = stats.cross(:, :, g);
    part.total_reference = stats.total_reference(:, g);
  end
end

%!test
%! stats = struct ('gram', cat (3, [1 2; 3 4], [5 6; 7 8]), 'total', [1 2; 3 4], 'count', 9);
%! part = octcompress.model.stats_of_group (stats, 2);
%! assert (part, struct ('gram', [5 6; 7 8], 'total', [2; 4], 'count', 9));
