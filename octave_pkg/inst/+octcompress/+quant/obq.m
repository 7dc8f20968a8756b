function [codes, info] = obq (w, gram, grid, varargin)
%OBQ  Round a layer's weights in the order of least harm, each row in its own.
%
%   [codes, info] = octcompress.quant.obq (w, gram, grid, ...)
%
%   Arguments and results as in octcompress.quant.gptq; grid.axis 0 or 1, or a codebook.
%
%   Options, as name-value pairs or a struct:
%     damping (0.01)  as in octcompress.quant.gptq
%     sparsity (0)    share of each row that is pruned first, with optimal brain surgeon's steps;
%                     what is left is then rounded: pruning and quantization in one pass [1]
%     zeros ([])      logical out x in: weights that stay zero
%
%   Optimal brain quantization [1]: of the weights that are left, take the p with the least
%   (w_p - nearest (w_p))^2 / h(p,p), h being the inverse of gram over the weights that are left;
%   round it, move the others by -(w_p - q_p) / h(p,p) * h(:,p), and take p out of h. A weight
%   whose error exceeds half a step is rounded at once, before it gets worse.
%   The time grows as out * in^3: for layers of up to some hundred inputs.
%
%   [1] Frantar and Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
%
%   See also octcompress.quant.gptq.

  defaults = struct ('damping', 0.01, 'sparsity', 0, 'zeros', []);
  options = octcompress.internal.parse_options ('obq', defaults, varargin);
  octcompress.internal.check ('obq', 'damping', options.damping, 'number', [0 Inf]);
  octcompress.internal.check ('obq', 'sparsity', options.sparsity, 'number', [0 1]);
  [out, in] = size (w);
  [v, info.damping] = octcompress.quant.gram_factor (gram, options.damping);
  inverse = inv (v);
  inverse = inverse' * inverse;
  w = double (w);
  zero = false (out, in);
  if ~isempty (options.zeros)
    zero = options.zeros;
  end
  half_step = Inf (out, in);
  if ~isfield (grid, 'codebook')
    [scale, zero_point] = octcompress.quant.along_axis (grid, 'double', [out in]);
    half_step = scale / 2 .* ones (out, in);
    zero_point = zero_point .* ones (out, in);
  end
  codes = zeros (out, in);
  info.q = zeros (out, in);
  for r = 1:out
    row_grid = grid;
    if ~isfield (grid, 'codebook')
      row_grid = struct ('bits', grid.bits, 'scheme', grid.scheme, 'scale', ...
                         2 * half_step(r, :)', ...
                         'zero_point', zero_point(r, :)', 'axis', 1);
    end
    pruned = max (floor (options.sparsity * in), nnz (zero(r, :)));
    row = w(r, :)';
    h = inverse;
    left = true (in, 1);
    for step = 1:in
      to_zero = repmat (step <= pruned, in, 1);
      [code, q] = octcompress.quant.round_column (row, row_grid, 1, to_zero);
      cost = (row - q) .^ 2 ./ diag (h);
      if step <= pruned
        cost(zero(r, :)) = -1;
      else
        far = left & abs (row - q) > half_step(r, :)';
        if any (far)
          cost(~far) = Inf;
        end
      end
      cost(~left) = Inf;
      [~, p] = min (cost);
      codes(r, p) = code(p);
      info.q(r, p) = q(p);
      left(p) = false;
      row(left) = row(left) - (row(p) - q(p)) / h(p, p) * h(left, p);
      h(left, left) = h(left, left) - h(left, p) * (h(p, left) / h(p, p));
    end
  end
  info.loss = sum (((w - info.q) * v) .^ 2, 2);
end

%!shared w, gram, grid
%! in = tril (ones (8)) * reshape (mod ((1:4000) * 0.7548776662, 1) - 0.5, 8, 500);
%! gram = in * in';
%! w = reshape (mod ((1:40) * 0.5698402910, 1) - 0.5, 5, 8);
%! grid = octcompress.quant.choose_grid (w, 3, 'symmetric', 1);
%!test % less error than rounding to nearest
%! [codes, info] = octcompress.quant.obq (w, gram, grid, 'damping', 0);
%! q = octcompress.quant.decode_grid (codes, grid);
%! assert (q, info.q, 1e-12);
%! assert (info.loss, sum (((q - w) * gram) .* (q - w), 2), 1e-6);
%! e = octcompress.quant.snap_to_grid (w, grid) - w;
%! assert (sum (info.loss) < 0.5 * sum (sum ((e * gram) .* e)));
%!test % independent inputs: rounding to nearest
%! assert (octcompress.quant.obq (w, diag (1:8), grid), ...
%!         double (octcompress.quant.encode_grid (w, grid)));
%!test % two inputs by hand: the first costs less and is rounded, the second makes good for it
%! one = struct ('bits', 8, 'scheme', 'symmetric', 'scale', 1, 'zero_point', 0, 'axis', 0);
%! assert (octcompress.quant.obq ([0.1 0.45], [2 1.9; 1.9 2], one, 'damping', 0), [0 1]);
%!test % pruned first, then rounded
%! [~, info] = octcompress.quant.obq (w, gram, grid, 'sparsity', 0.5);
%! assert (all (sum (info.q == 0, 2) >= 4));
%! z = w > 0.2;
%! [~, info] = octcompress.quant.obq (w, gram, octcompress.quant.choose_grid (w, 4, 'affine'), ...
%!                                    'zeros', z);
%! assert (all (info.q(z) == 0));
%!test % a codebook, and groups
%! book = struct ('bits', 2, 'scheme', 'codebook', 'codebook', [-0.4; -0.1; 0.1; 0.4], 'axis', 0);
%! [codes, info] = octcompress.quant.obq (w, gram, book);
%! assert (info.q, octcompress.quant.decode_grid (codes, book));
%! g = octcompress.quant.choose_grid (w, 2, 'symmetric', 1, 'group', 3, 'fit', 'mse');
%! [codes, info] = octcompress.quant.obq (w, gram, g);
%! assert (info.q, octcompress.quant.decode_grid (codes, g), 1e-12);
