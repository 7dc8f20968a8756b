function [q, figures] = quantize_tensor (w, grid)
%QUANTIZE_TENSOR  Put an array on a grid, piece by piece, and measure what that costs.
%
%   q = octcompress.quant.quantize_tensor (w, grid)
%   [q, figures] = octcompress.quant.quantize_tensor (w, grid)
%
%   w        single or double, any size, finite
%   grid     as in octcompress.quant.encode_grid
%   q        the values of the codes, in the class and size of w
%   figures  struct: levels (distinct codes used), max_error, sqnr (signal to quantization
%            noise, dB; Inf without noise)
%
%   The figures take as long as all else, and are left out where nobody asks for them.
%   Pieces of about 2^15 entries stay in the processor's cache; beyond q, memory does not grow
%   with w (except with groups).
%
%   See also octcompress.quant.snap_to_grid, nn_quantize.

  if isfield (grid, 'group')
    [q, codes] = octcompress.quant.snap_to_grid (w, grid);
    if nargout > 1
      figures = octcompress.quant.rounding_figures (w, q, codes);
    end
    return
  end
  [first, last] = octcompress.quant.code_range (grid);
  used = false (last - first + 1, 1);
  core = [Inf, -Inf];
  max_error = 0;
  noise = 0;
  signal = 0;
  if numel (w) > 2 ^ 20
    octcompress.internal.keep_pages ();
  end
  m = as_matrix (w, grid.axis);
  q = zeros (size (m), class (m));
  each = max (1, floor (2 ^ 15 / max (size (m, 1), 1)));
  part = grid;
  part.axis = min (grid.axis, 2);
  is_plain = ~isfield (grid, 'codebook') ...
             && isempty (octcompress.quant.float_format (grid.scheme)) ...
             && ~(grid.bits == 1 && strcmp (grid.scheme, 'symmetric'));
  if is_plain
    [scale, zero_point] = octcompress.quant.along_axis (part, class (w));
    scales = scale;
    zero_points = zero_point;
    is_centred = all (1 ./ zero_point(:) == Inf);  % not -0: its sign shows in the zeros
  end
  for start = 1:each:size (q, 2) * (numel (q) > 0)
    columns = start:min (start + each - 1, size (q, 2));
    piece = m(:, columns);
    if is_plain   % snap_to_grid, without what its calls cost a piece
      if part.axis == 2
        scale = scales(columns);
        zero_point = zero_points(columns);
      end
      codes = round (piece ./ scale) + zero_point;
      ends = [min(codes(:)), max(codes(:))];
      if ends(1) < first || ends(2) > last
        codes = min (max (codes, first), last);
      end
      if is_centred
        values = codes .* scale;
      else
        values = (codes - zero_point) .* scale;
      end
    else
      if part.axis == 2
        part.scale = grid.scale(columns);
        part.zero_point = grid.zero_point(columns);
      end
      [values, codes] = octcompress.quant.snap_to_grid (piece, part);
      ends = [first, last];
    end
    q(:, columns) = values;
    if nargout < 2
      continue
    end
    if max (ends(1), first) < core(1) || min (ends(2), last) > core(2)
      rare = codes(codes < core(1) | codes > core(2));
      used(rare - (first - 1)) = true;
      core = used_core (used, first);
    end
    difference = values(:) - piece(:);
    max_error = max (max_error, double (norm (difference, Inf)));
    difference = double (difference);
    noise = noise + dot (difference, difference);
    piece = double (piece(:));
    signal = signal + dot (piece, piece);
  end
  q = from_matrix (q, w, grid.axis);
  if nargout < 2
    return
  end
  figures = struct ('levels', nnz (used), 'max_error', max_error, 'sqnr', ...
                    10 * log10 (signal / noise));
end

function core = used_core (used, first)
  % The least and the greatest of the used levels that lie together around the middle.
  middle = ceil (numel (used) / 2);
  core = [Inf, -Inf];
  if used(middle)
    unused = [0; find(~used); numel(used) + 1];
    core = [max(unused(unused < middle)) + 1, min(unused(unused > middle)) - 1] + (first - 1);
  end
end

function m = as_matrix (w, axis)
  % A row; rows that each have a scale (axis 1); or columns that each have one (axis 2 and above).
  if axis == 0
    m = reshape (w, 1, numel (w));
  elseif axis == 1
    m = reshape (w, size (w, 1), numel (w) / max (size (w, 1), 1));
  else
    m = octcompress.quant.slices (w, axis);
  end
end

function q = from_matrix (m, w, axis)
  if axis > 1 && axis < ndims (w)
    order = [1:axis-1, axis+1:ndims(w), axis];
    shape = size (w);
    q = ipermute (reshape (m, shape(order)), order);
  else
    q = reshape (m, size (w));
  end
end

%!test % the same as in one go, for every axis, over several pieces
%! w = single (reshape (sin (1:360000) * 3, 300, 40, 30));
%! for bits = [1 4 8]
%!   for scheme = {'symmetric', 'affine'}
%!     for axis = 0:4
%!       grid = octcompress.quant.choose_grid (w, bits, scheme{1}, axis);
%!       [q, figures] = octcompress.quant.quantize_tensor (w, grid);
%!       codes = octcompress.quant.encode_grid (w, grid);
%!       assert (q, octcompress.quant.decode_grid (codes, grid));
%!       assert (figures.levels, numel (unique (codes)));
%!       noise = double (q(:) - w(:));
%!       assert (figures.max_error, max (abs (noise)));
%!       assert (figures.sqnr, 10 * log10 (sum (double (w(:)) .^ 2) / sum (noise .^ 2)), 1e-9);
%!     end
%!   end
%! end
%!test % nothing
%! grid = octcompress.quant.choose_grid (zeros (0, 3), 8);
%! [q, figures] = octcompress.quant.quantize_tensor (zeros (0, 3), grid);
%! assert (q, zeros (0, 3));
%! assert ({figures.levels, figures.max_error}, {0, 0});
