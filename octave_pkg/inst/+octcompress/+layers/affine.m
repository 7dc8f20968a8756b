function y = affine (x, factor, shift)
%AFFINE  y = factor .* x + shift, with one factor and one shift for each channel.
%
%   y = octcompress.layers.affine (x, factor, shift)
%
%   x              C x anything
%   factor, shift  C x 1, or [] for none
%
%   A column that meets a matrix of few rows is slow. So several columns of x are taken as one, and
%   factor and shift as often below each other. Octave has diagonal matrices, whose product is one
%   pass at the speed of memory.
%
%   See also octcompress.layers.batchnorm.

  persistent has_diagonal
  if isempty (has_diagonal)
    has_diagonal = exist ('OCTAVE_VERSION', 'builtin') > 0;
  end
  c = size (x, 1);
  times = 1;
  if c > 0 && c < 64
    times = gcd (numel (x) / c, 2 ^ floor (log2 (128 / c)));
  end
  if ~isempty (factor) && has_diagonal
    y = reshape (diag (factor) * reshape (x, c, []), c * times, []);
  elseif ~isempty (factor)
    y = repeat (factor, times) .* reshape (x, c * times, []);
  else
    y = reshape (x, c * times, []);
  end
  if ~isempty (shift)
    y = y + repeat (shift, times);
  end
  y = reshape (y, size (x));
end

function column = repeat (column, times)
  column = reshape (column(:, ones (1, times)), [], 1);
end

%!test
%! x = rand (3, 4, 5, 7);
%! y = octcompress.layers.affine (x, [1; 2; 3], [4; 5; 6]);
%! assert (y, [1; 2; 3] .* x + [4; 5; 6]);
%! assert (octcompress.layers.affine (x, [], [4; 5; 6]), x + [4; 5; 6]);
%! assert (octcompress.layers.affine (x, [1; 2; 3], []), [1; 2; 3] .* x);
%!assert (octcompress.layers.affine (rand (300, 3), zeros (300, 1), ones (300, 1)), ones (300, 3))
%!assert (octcompress.layers.affine (zeros (3, 0), [1; 2; 3], []), zeros (3, 0))
