function codes = encode_stochastic (w, grid, seed)
%ENCODE_STOCHASTIC  Codes rounded down or up at random, so that they are right on average.
%
%   codes = octcompress.quant.encode_stochastic (w, grid)
%   codes = octcompress.quant.encode_stochastic (w, grid, seed)
%
%   grid   uniform (octcompress.quant.choose_grid)
%   seed   of rand's twister (0); the state of the generator comes back as it was
%   codes  int32, the size of w: floor (w / scale + u) + zero_point, u uniform in (0, 1), clipped
%
%   The numbers u are rand (size (w)) in double [1].
%
%   [1] Gupta et al., Deep learning with limited numerical precision, ICML 2015, arXiv:1502.02551.
%
%   See also octcompress.quant.encode_grid, nn_quantize.

  if nargin < 3
    seed = 0;
  end
  octcompress.internal.check ('encode_stochastic', 'w', w, 'finite');
  [first, last] = octcompress.quant.code_range (grid);
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (w), size (w));
  before = rand ('twister');
  rand ('twister', seed);
  u = rand (size (w));
  rand ('twister', before);
  codes = int32 (min (max (floor (double (w ./ scale) + u) + double (zero_point), first), last));
end

%!test % right on average; the same numbers for the same seed
%! grid = struct ('bits', 8, 'scheme', 'symmetric', 'scale', 1, 'zero_point', 0, 'axis', 0);
%! codes = octcompress.quant.encode_stochastic (repmat (2.3, 100, 100), grid, 7);
%! assert (unique (codes), int32 ([2; 3]));
%! assert (mean (double (codes(:))), 2.3, 0.02);
%! assert (octcompress.quant.encode_stochastic (repmat (2.3, 100, 100), grid, 7), codes);
%!test % whole numbers stay, zero too
%! grid = struct ('bits', 3, 'scheme', 'affine', 'scale', 0.5, 'zero_point', -2, 'axis', 0);
%! assert (octcompress.quant.encode_stochastic ([0 0.5 -1 9], grid), int32 ([-2 -1 -4 3]));
