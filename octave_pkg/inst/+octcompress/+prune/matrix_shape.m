function shape = matrix_shape (w, layer)
%MATRIX_SHAPE  How weights of any layer are seen as a matrix with a row for each output.
%
%   shape = octcompress.prune.matrix_shape (w, layer)
%
%   w      the weights
%   layer  their layer; [] for an array outside of a network
%   shape  struct: rows, columns, taps (places of the kernel), parts (groups of the convolution),
%          by_rows: true where w is that matrix; false where its last dimension is the outputs, so
%          that reshape (w, columns, rows)' is
%
%   Convolutions, and arrays of more than two dimensions, have their outputs last, all else first.
%
%   See also octcompress.prune.to_matrix, octcompress.prune.from_matrix.

  sizes = size (w);
  is_convolution = ~isempty (layer) && any (strcmp (layer.type, {'conv2d', 'transposedconv2d'}));
  if is_convolution
    sizes = octcompress.layers.weights_size (layer, 4);
  end
  shape = struct ('rows', sizes(1), 'columns', prod (sizes(2:end)), 'taps', 1, 'parts', 1, ...
                  'by_rows', true);
  if numel (sizes) > 2
    shape.rows = sizes(end);
    shape.columns = prod (sizes(1:end-1));
    shape.taps = max (prod (sizes(1:end-2)), 1);
    shape.by_rows = false;
  end
  if is_convolution && isfield (layer, 'groups') && ~isempty (layer.groups)
    shape.parts = layer.groups;
  end
end

%!assert (octcompress.prune.matrix_shape (ones (2, 3), []), ...
%!        struct ('rows', 2, 'columns', 3, 'taps', 1, 'parts', 1, 'by_rows', true))
%!test % a convolution with one output channel, whose trailing dimension Octave drops
%! layer = struct ('type', 'conv2d', 'weights', ones (3, 3), 'weights_size', [3 3 1 1], ...
%!                 'groups', 1);
%! s = octcompress.prune.matrix_shape (layer.weights, layer);
%! assert ({s.rows, s.columns, s.taps, s.by_rows}, {1, 9, 9, false});
