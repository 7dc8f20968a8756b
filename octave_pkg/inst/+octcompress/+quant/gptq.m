function [codes, info] = gptq (w, gram, grid, varargin)
%GPTQ  Round a layer's weights one input after the other, each making good for those before.
%
%   [codes, info] = octcompress.quant.gptq (w, gram, grid, ...)
%
%   w      out x in, single or double: the layer as a matrix (octcompress.model.weights_matrix)
%   gram   in x in double: the sum of u * u' over the layer's inputs u on calibration data
%   grid   as octcompress.quant.choose_grid gives it for w, axis 0 or 1; or with a codebook
%   codes  out x in double; octcompress.quant.decode_grid makes weights of them
%
%   Options, as name-value pairs or a struct:
%     order ('activation')  'activation': inputs in order of falling gram(i,i); 'natural'
%     block (128)           inputs at a time; the result does not depend on it
%     damping (0.01)        added to the diagonal of gram, in shares of its mean; grows by itself
%                           until the factor exists
%     zeros ([])            logical out x in: weights that stay zero
%     sparsity (0)          prune this share of each block's weights in the same pass: those that
%                           cost least
%
%   info.loss     out x 1, the error it leaves in each row, e * gram * e' with e = w - q
%                 (damping included)
%   info.q        out x in, the weights as the codes stand for them
%   info.damping  as it was used
%
%   The error e * gram * e' is the square of e * v, v being upper triangular (gram = v * v'). From
%   input 1 on, each code makes its term of e * v least, given those before:
%     q(:,j) = nearest (w(:,j) + sum (e(:,i) * v(i,j), i < j) / v(j,j)).
%   This is GPTQ [1] without the inverse, and the nearest plane of lattice decoding [2]. Pruning in
%   the same pass is SparseGPT's [3]: the cost of a zero is the square of its term.
%
%   [1] Frantar et al., GPTQ, ICLR 2023, arXiv:2210.17323.
%   [2] Chee et al., QuIP: 2-bit quantization of large language models with guarantees, NeurIPS
%       2023, arXiv:2307.13304 (LDLQ, and its equality with [1]).
%   [3] Frantar and Alistarh, SparseGPT, ICML 2023, arXiv:2301.00774.
%
%   See also nn_quantize, octcompress.quant.gram_factor, octcompress.quant.obq.

  defaults = struct ('order', 'activation', 'block', 128, 'damping', 0.01, 'zeros', [], ...
                     'sparsity', 0);
  options = octcompress.internal.parse_options ('gptq', defaults, varargin);
  octcompress.internal.check ('gptq', 'order', options.order, 'choice', {'activation', 'natural'});
  octcompress.internal.check ('gptq', 'block', options.block, 'integer', [1 Inf]);
  octcompress.internal.check ('gptq', 'damping', options.damping, 'number', [0 Inf]);
  octcompress.internal.check ('gptq', 'sparsity', options.sparsity, 'number', [0 1]);
  [out, in] = size (w);
  order = 1:in;
  if strcmp (options.order, 'activation')
    order = octcompress.quant.input_order (gram);
  end
  [v, info.damping] = octcompress.quant.gram_factor (gram(order, order), options.damping);
  spread = diag (v)';
  v = cast (v ./ spread, class (w));
  w = w(:, order);
  zero = false (out, in);
  if ~isempty (options.zeros)
    zero = options.zeros(:, order);
  end

  codes = zeros (out, in);
  e = zeros (out, in, class (w));
  loss = zeros (out, 1);
  for first = 1:options.block:in
    last = min (first + options.block - 1, in);
    target = w(:, first:last);
    if first > 1
      target = target + e(:, 1:first-1) * v(1:first-1, first:last);
    end
    if options.sparsity > 0
      cost = (double (target) .* spread(first:last)) .^ 2;
      cost(zero(:, first:last)) = -1;
      count = floor (options.sparsity * numel (cost));
      [~, cheapest] = sort (cost(:));
      block_zero = zero(:, first:last);
      block_zero(cheapest(1:count)) = true;
      zero(:, first:last) = block_zero;
    end
    for j = first:last
      t = target(:, j - first + 1);
      if j > first
        t = t + e(:, first:j-1) * v(first:j-1, j);
      end
      [code, q] = octcompress.quant.round_column (t, grid, order(j), zero(:, j));
      codes(:, order(j)) = code;
      e(:, j) = w(:, j) - q;
      loss = loss + double (spread(j) * (t - q)) .^ 2;
    end
  end
  info.loss = loss;
  info.q = w;
  info.q(:, order) = w - e;
end

%!shared w, gram, grid
%! in = reshape (mod ((1:4000) * 0.7548776662, 1) - 0.5, 8, 500);
%! in = tril (ones (8)) * in;
%! gram = in * in';
%! w = reshape (mod ((1:40) * 0.5698402910, 1) - 0.5, 5, 8);
%! grid = octcompress.quant.choose_grid (w, 3, 'symmetric', 1);
%!function err = output_error (w, codes, grid, gram)
%!  e = octcompress.quant.decode_grid (codes, grid) - w;
%!  err = sum ((e * gram) .* e, 2);
%!endfunction
%!test % much better than rounding to nearest, and the loss is the truth
%! nearest = output_error (w, octcompress.quant.encode_grid (w, grid), grid, gram);
%! [codes, info] = octcompress.quant.gptq (w, gram, grid, 'damping', 0);
%! assert (info.loss, output_error (w, codes, grid, gram), 1e-6);
%! assert (sum (info.loss) < 0.5 * sum (nearest));
%! assert (info.q, octcompress.quant.decode_grid (codes, grid), 1e-12);
%!test % the block does not matter
%! expected = octcompress.quant.gptq (w, gram, grid, 'block', 1);
%! for block = [2 3 8 100]
%!   assert (octcompress.quant.gptq (w, gram, grid, 'block', block), expected);
%! end
%!test % against the textbook form: the inverse's Cholesky factor and rank-one updates
%! u = chol (inv (gram + 0.01 * mean (diag (gram)) * eye (8)));
%! rest = w;
%! expected = zeros (5, 8);
%! for j = 1:8
%!   expected(:, j) = min (max (round (rest(:, j) ./ grid.scale), -3), 3);
%!   rest(:, j:8) = rest(:, j:8) - (rest(:, j) - expected(:, j) .* grid.scale) / u(j, j) * u(j, ...
%!                                                                                           j:8);
%! end
%! assert (octcompress.quant.gptq (w, gram, grid, 'order', 'natural'), expected);
%!test % independent inputs: rounding to nearest
%! assert (octcompress.quant.gptq (w, diag (1:8), grid), ...
%!         double (octcompress.quant.encode_grid (w, grid)));
%!test % dead inputs are no trouble
%! dead = gram;
%! dead(3, :) = 0;
%! dead(:, 3) = 0;
%! codes = octcompress.quant.gptq (w, dead, grid);
%! assert (codes(:, 3), double (octcompress.quant.encode_grid (w(:, 3), grid)));
%!test % zeros stay, and sparsity adds to them
%! z = false (5, 8);
%! z([3 17 22]) = true;
%! codes = octcompress.quant.gptq (w, gram, octcompress.quant.choose_grid (w, 4, 'affine', 1), ...
%!                                 'zeros', z, 'sparsity', 0.5);
%! grid4 = octcompress.quant.choose_grid (w, 4, 'affine', 1);
%! q = octcompress.quant.decode_grid (codes, grid4);
%! assert (all (q(z) == 0));
%! assert (nnz (q == 0) >= 20);
%!test % groups and codebooks
%! g = octcompress.quant.choose_grid (w, 2, 'symmetric', 1, 'group', 3, 'fit', 'mse');
%! [codes, info] = octcompress.quant.gptq (w, gram, g, 'damping', 0);
%! assert (info.loss, output_error (w, codes, g, gram), 1e-6);
%! book = struct ('bits', 2, 'scheme', 'codebook', 'codebook', [-0.4; -0.1; 0.1; 0.4], 'axis', 0);
%! [codes, info] = octcompress.quant.gptq (w, gram, book, 'damping', 0);
%! assert (info.loss, output_error (w, codes, book, gram), 1e-6);
%!error <gptq: there is no option 'blocks'> octcompress.quant.gptq (w, gram, grid, 'blocks', 3)
