function matrix = to_matrix (w, shape)
%TO_MATRIX  Weights as a matrix with a row for each output.
%
%   matrix = octcompress.prune.to_matrix (w, shape)
%
%   shape  of octcompress.prune.matrix_shape
%
%   See also octcompress.prune.from_matrix.

  matrix = w;
  if ~shape.by_rows
    matrix = reshape (w, shape.columns, shape.rows)';
  end
end

%!test
%! w = rand (2, 3, 2, 4);
%! shape = octcompress.prune.matrix_shape (w, []);
%! m = octcompress.prune.to_matrix (w, shape);
%! assert (m(3, :), reshape (w(:, :, :, 3), 1, []));
%! assert (octcompress.prune.from_matrix (m, shape, size (w)), w);
