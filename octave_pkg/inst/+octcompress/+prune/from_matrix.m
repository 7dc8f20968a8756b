function w = from_matrix (matrix, shape, sizes)
%FROM_MATRIX  From a matrix with a row for each output back to the weights' own shape.
%
%   w = octcompress.prune.from_matrix (matrix, shape, sizes)
%
%   shape  of octcompress.prune.matrix_shape
%   sizes  of the weights, as size gives them
%
%   See also octcompress.prune.to_matrix.

  w = matrix;
  if ~shape.by_rows
    w = reshape (matrix', sizes);
  end
end

%!assert (octcompress.prune.from_matrix ([1 2; 3 4], struct ('by_rows', true), [2 2]), [1 2; 3 4])
