function bytes = fixed_bytes (model, curves)
%FIXED_BYTES  About how many bytes of a file no choice for the layers' weights changes.
%
%   bytes = octcompress.search.fixed_bytes (model, curves)
%
%   model   a network
%   curves  of octcompress.search.layer_curves
%   bytes   of the arrays that have no curve (biases and the like) by their entropy
%           (octcompress.search.coded_bytes), and 600 for the description and the file itself
%
%   See also nn_compress, octcompress.search.find_recipe.

  rows = octcompress.search.coded_bytes (model);
  chosen = cellfun (@(row) row.tensor, curves, 'UniformOutput', false);
  fixed = cellfun (@(row) row.bytes * ~any (strcmp (row.tensor, chosen)), rows);
  bytes = sum (fixed) + 600;
end

%!test
%! layer = struct ('type', 'dense', 'name', 'a', 'weights', single ([0 0 1 1]), 'bias', 1);
%! model = struct ('layers', {{layer}});
%! rows = octcompress.search.coded_bytes (model);
%! curves = {struct('tensor', 'a.weights')};
%! assert (octcompress.search.fixed_bytes (model, curves), rows{2}.bytes + 600);
%! assert (octcompress.search.fixed_bytes (model, {}), rows{1}.bytes + rows{2}.bytes + 600);
