function grid = step_of_grid (grid, w, move, q, rule)
%STEP_OF_GRID  Move a grid's scales, or a codebook's entries, as its weights move.
%
%   grid = octcompress.quant.step_of_grid (grid, w, move, q)
%   grid = octcompress.quant.step_of_grid (grid, w, move, q, rule)
%
%   w     the full-precision weights before a step of training
%   move  what the optimiser added to them
%   q     the weights on the grid, the size of w
%   rule  'step' (default); or 'gradient': move is minus the learning rate times the gradient,
%         the sum over the n weights of a scale is divided by sqrt (n * greatest code) [1] instead
%         of n, and that of a codebook's entry not at all
%
%   Uniform grids: scale + mean (move * dq/ds) over the weights of a scale, with dq/ds = code - w /
%   s inside the grid and the code (less the zero point) at its ends [1, eq. 3]. With one bit the
%   scale so stays the mean magnitude. A scale keeps at least a hundredth of itself. Codebooks: each
%   entry moves by the mean of its weights' moves; an entry that is 0 stays. Floating point formats
%   have nothing to learn.
%
%   [1] Esser et al., Learned step size quantization, ICLR 2020, arXiv:1902.08153.
%
%   See also nn_quantize_train.

  by_gradient = nargin > 4 && strcmp (rule, 'gradient');
  if isfield (grid, 'codebook')
    place = octcompress.quant.nearest_entry (q, grid.codebook);
    count = numel (grid.codebook);
    total = accumarray (place(:), double (move(:)), [count 1]);
    share = total;
    if ~by_gradient
      share = total ./ max (accumarray (place(:), 1, [count 1]), 1);
    end
    fixed = grid.codebook(:) == 0;
    share(fixed) = 0;
    grid.codebook = cast (double (grid.codebook(:)) + share, class (grid.codebook));
    return
  end
  if ~isempty (octcompress.quant.float_format (grid.scheme))
    return
  end
  [first, last] = octcompress.quant.code_range (grid);
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (w), size (w));
  v = w ./ scale;
  codes = round (v) + zero_point;
  if grid.bits == 1 && strcmp (grid.scheme, 'symmetric')
    slope = sign (w);
  else
    inside = codes >= first & codes <= last;
    slope = min (max (codes, first), last) - zero_point;
    slope(inside) = slope(inside) - v(inside);
  end
  cut = {};
  if isfield (grid, 'group')
    cut = {grid.group};
  end
  n = size (octcompress.quant.slices (w, grid.axis, cut{:}), 1);
  if by_gradient
    n = sqrt (n * last);
  end
  change = sum (octcompress.quant.slices (double (move) .* double (slope), grid.axis, cut{:}), ...
                1)' / max (n, 1);
  before = double (grid.scale(:));
  grid.scale = cast (reshape (max (before + change, before / 100), size (grid.scale)), ...
                     class (grid.scale));
end

%!test % a uniform grid, by hand
%! grid = struct ('bits', 2, 'scheme', 'symmetric', 'scale', [1; 2], 'zero_point', [0; 0], ...
%!                'axis', 1);
%! w = [0.8 3; 0.4 -9];
%! move = [0.1 0.2; -0.1 0.3];
%! g = octcompress.quant.step_of_grid (grid, w, move, []);
%! assert (g.scale, [1 + (0.1 * 0.2 + 0.2 * 1) / 2; 2 + (-0.1 * -0.2 + 0.3 * -1) / 2], 1e-12);
%!test % one bit: the scale stays the mean magnitude of the weights
%! w = [0.5 -1.5 2; 1 1 -1];
%! move = [0.1 0.1 -0.2; 0.3 0 0.3];
%! grid = octcompress.quant.choose_grid (w, 1, 'symmetric', 1);
%! g = octcompress.quant.step_of_grid (grid, w, move, []);
%! assert (g.scale, mean (abs (w + move), 2), 1e-12);
%!test % a codebook: means of the moves, zero stays
%! grid = struct ('bits', 2, 'scheme', 'codebook', 'codebook', [-1; 0; 2], 'axis', 0);
%! g = octcompress.quant.step_of_grid (grid, [], [0.1 0.2 0.5 7], [2 2 -1 0]);
%! assert (g.codebook, [-0.5; 0; 2.15], 1e-12);
