function grid = hessian_scales (w, gram, grid, varargin)
%HESSIAN_SCALES  Scales that leave the least output error after GPTQ.
%
%   grid = octcompress.quant.hessian_scales (w, gram, grid, ...)
%
%   w     out x in: the layer as a matrix
%   gram  in x in: the sum of u * u' over its inputs
%   grid  uniform, axis 0 or 1, that covers w; its scales come back multiplied by one of the
%         shares for each row (for all rows the same with axis 0)
%
%   Options, as name-value pairs or a struct:
%     shares (0.15:0.025:1)  factors to try; those of 1 bit are half as large again
%     damping (0.01)         as in octcompress.quant.gptq
%     zeros ([])             as there
%
%   Every candidate is tried with octcompress.quant.gptq, all rows of all candidates side by side,
%   and its loss decides. Where that would take more than 3e11 operations, the candidates are
%   judged by rounding to nearest with the squares weighted by the diagonal of gram.
%
%   See also octcompress.quant.gptq, octcompress.quant.choose_grid.

  defaults = struct ('shares', 0.15:0.025:1, 'damping', 0.01, 'zeros', []);
  options = octcompress.internal.parse_options ('hessian_scales', defaults, varargin);
  shares = options.shares(:)';
  if grid.bits == 1
    shares = 1.5 * shares;
  end
  count = numel (shares);
  [out, in] = size (w);
  loss = zeros (out, count);
  per_row = grid;
  per_row.scale = grid.scale(:);
  per_row.zero_point = grid.zero_point(:);
  if grid.axis == 0
    per_row.axis = 1;
    per_row.scale = repmat (grid.scale(:), out, 1);
    per_row.zero_point = repmat (grid.zero_point(:), out, 1);
  end
  if 2 * count * out * in ^ 2 <= 3e11
    together = max (floor (2e6 / max (out * in, 1)), 1);   % candidates at a time: memory
    for first = 1:together:count
      part = first:min (first + together - 1, count);
      many = per_row;
      many.scale = reshape (per_row.scale * shares(part), [], 1);
      many.zero_point = repmat (per_row.zero_point, numel (part), 1);
      [~, info] = octcompress.quant.gptq (repmat (w, numel (part), 1), gram, many, 'damping', ...
                                          options.damping, ...
                                          'zeros', repmat (options.zeros, numel (part), 1));
      loss(:, part) = reshape (info.loss, out, numel (part));
    end
  else
    importance = cast (diag (gram)', class (w));
    for k = 1:count
      trial = grid;
      trial.scale = grid.scale * shares(k);
      loss(:, k) = sum ((octcompress.quant.snap_to_grid (w, trial) - w) .^ 2 .* importance, 2);
    end
  end
  if grid.axis == 0
    loss = sum (loss, 1);
  end
  [~, best] = min (loss, [], 2);
  share = shares(best)';
  if isfield (grid, 'group') && grid.axis == 1
    share = reshape (repmat (share', numel (grid.scale) / out, 1), [], 1);
  end
  grid.scale = cast (double (grid.scale) .* share, class (grid.scale));
end

%!shared w, gram, loss
%! in = tril (ones (8)) * reshape (mod ((1:4000) * 0.7548776662, 1) - 0.5, 8, 500);
%! gram = in * in';
%! w = reshape (mod ((1:80) * 0.5698402910, 1) - 0.5, 10, 8) .^ 3;
%!function total = loss_of (w, gram, grid)
%!  [~, info] = octcompress.quant.gptq (w, gram, grid);
%!  total = sum (info.loss);
%!endfunction
%!test % less loss than the covering grid, by row, by group and in all
%! for axis = 0:1
%!   for cut = {{}, {'group', 4}}
%!     if axis == 0 && ~isempty (cut{1})
%!       continue   % groups across rows are rounded, but their scales are not searched
%!     end
%!     cover = octcompress.quant.choose_grid (w, 2, 'symmetric', axis, cut{1}{:});
%!     grid = octcompress.quant.hessian_scales (w, gram, cover);
%!     assert (size (grid.scale), size (cover.scale));
%!     assert (loss_of (w, gram, grid) < 0.9 * loss_of (w, gram, cover));
%!   end
%! end
%!test % affine grids keep their zero points
%! cover = octcompress.quant.choose_grid (w + 0.05, 3, 'affine', 1);
%! grid = octcompress.quant.hessian_scales (w + 0.05, gram, cover);
%! assert (grid.zero_point, cover.zero_point);
