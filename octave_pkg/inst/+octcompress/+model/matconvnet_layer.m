function [layer, fine] = matconvnet_layer (kind, given, arrays, places)
%MATCONVNET_LAYER  The layer of ours for one that simplenn and DagNN have in common.
%
%   [layer, fine] = octcompress.model.matconvnet_layer (kind, given, arrays, places)
%
%   kind    conv, convt, pool, relu, sigmoid, softmax, dropout, bnorm
%   given   struct, its fields
%   arrays  cell, its arrays
%   places  cellstr, where each stands in the file
%   layer   struct without a name; the groups of a conv follow from what it reads
%   fine    logical, false where no layer of ours computes it
%
%   See also octcompress.model.from_simplenn, octcompress.model.from_dagnn.

  get = @(name, default) octcompress.layers.option (given, name, default);
  fine = true;
  layer = [];
  switch kind
    case 'conv'
      layer = octcompress.model.filters ('conv2d', arrays, places, get ('stride', 1), ...
                                         get ('pad', 0), get ('dilate', 1));
    case 'convt'
      layer = octcompress.model.filters ('transposedconv2d', arrays, places, ...
                                         get ('upsample', 1), get ('crop', 0), 1);
      if get ('numGroups', 1) ~= 1
        layer.groups = double (given.numGroups);
      end
    case 'pool'
      types = {'maxpool', 'averagepool'};
      layer = struct ('type', types{1 + strcmp(get ('method', 'max'), 'avg')}, ...
                      'pool_size', double (get ('pool', 1)));
      layer = octcompress.model.windows (layer, get ('stride', 1), get ('pad', 0));
    case 'relu'
      layer = struct ('type', 'relu');
      if get ('leak', 0) ~= 0
        layer = struct ('type', 'leakyrelu', 'slope', double (given.leak));
      end
    case {'sigmoid', 'softmax'}
      layer = struct ('type', kind);
    case 'dropout'
      layer = struct ('type', 'dropout', 'rate', double (get ('rate', 0.5)));
    case 'bnorm'
      fine = numel (arrays) == 3;
      if fine
        layer = octcompress.model.normalization (arrays, places, get ('epsilon', 1e-4));
      end
    otherwise
      fine = false;
  end
end

%!test
%! given = struct ('method', 'avg', 'pad', 1);
%! [layer, fine] = octcompress.model.matconvnet_layer ('pool', given, {}, {});
%! assert (fine);
%! assert (layer, struct ('type', 'averagepool', 'pool_size', 1, 'stride', 1, 'padding', 1));
%!test
%! layer = octcompress.model.matconvnet_layer ('relu', struct ('leak', single (0.5)), {}, {});
%! assert (layer, struct ('type', 'leakyrelu', 'slope', 0.5));
%!test
%! [layer, fine] = octcompress.model.matconvnet_layer ('lrn', struct (), {}, {});
%! assert (~fine && isempty (layer));
