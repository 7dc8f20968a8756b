function [codes, info] = rdoq (w, gram, price, varargin)
%RDOQ  Round a layer's weights so that error and bits together are least.
%
%   [codes, info] = octcompress.quant.rdoq (w, gram, price, ...)
%
%   w      out x in: the layer as a matrix (octcompress.model.weights_matrix)
%   gram   in x in x groups double: the mean of u * u' over the layer's inputs u; rows 1 to
%          out / groups of w read the first group, and so on
%   price  positive, scalar or out x 1: how much squared error of a row's output, e * gram * e' with
%          e = w - q, one bit is worth
%   codes  out x in double, whole numbers; the weights are info.step * codes
%
%   Options, as name-value pairs or a struct:
%     step ([])       of the grid, to begin with; [] takes COARSENESS times the best one at high
%                     rates, sqrt (6 / log (2) / d), d being the mean over the weights of their
%                     conditional curvature in bits
%     coarseness (1)  steps at low rates, of few weights that are not zero, are better coarser
%     feed (3)        passes with error feedback
%     sweeps (4)      passes of descent at most
%     context (true)  bits as octcompress.quant.code_bits has them by row and column
%     damping (0.01)  added to the diagonals of gram, in shares of their mean; grows by itself
%     zeros ([])      logical out x in: weights that stay zero
%
%   info.step  as it was refined: after each pass the best one for its codes
%   info.bits  estimate of what the codes cost
%   info.loss  out x 1: e * gram * e' (damping included)
%
%   Each weight takes the level among the nearest, the one nearer to zero, and zero that makes
%   error / price + bits least. The first passes go through the inputs in order of falling
%   gram(i,i), each weight making good for the errors before it (octcompress.quant.gptq); the others
%   descend: each weight in turn is chosen given all others. Prices of levels come from the codes of
%   the pass before. Rate and distortion of one weight this way: [1, 2]; error feedback: [3].
%
%   [1] Sullivan and Wiegand, Rate-distortion optimization for video compression, IEEE Signal
%       Processing Magazine 15, 1998.
%   [2] Wiedemann et al., DeepCABAC, IEEE J. Selected Topics in Signal Processing 14, 2020,
%       arXiv:1907.11900.
%   [3] Frantar et al., GPTQ, ICLR 2023, arXiv:2210.17323.
%
%   See also nn_rdoq, octcompress.quant.code_bits, octcompress.quant.gptq.

  defaults = struct ('step', [], 'coarseness', 1, 'feed', 3, 'sweeps', 4, 'context', true, ...
                     'damping', 0.01, 'zeros', []);
  options = octcompress.internal.parse_options ('rdoq', defaults, varargin);
  w = double (w);
  [out, in] = size (w);
  price = price .* ones (out, 1);
  rows = reshape (1:out, [], size (gram, 3));
  parts = cell (1, size (rows, 2));
  curvature = 0;
  for g = 1:numel (parts)
    parts{g} = ready (gram(:, :, g), options.damping);
    curvature = curvature + parts{g}.mean * sum (1 ./ price(rows(:, g)));
  end
  step = options.step;
  if isempty (step)
    step = options.coarseness * sqrt (6 / log (2) / (curvature / out));
  end
  zero = false (out, in);
  if ~isempty (options.zeros)
    zero = options.zeros;
  end

  most = min (2 + ceil (max ([abs(w(:)); 0]) / step), 32767);
  codes = min (max (round (w / step), -most), most);
  codes(zero) = 0;
  for pass = 1:options.feed + options.sweeps
    [bits.zero, bits.other, bits.sizes] = octcompress.quant.code_bits (codes, most, ...
                                                options.context && pass > 1);
    bits.other(zero) = Inf;
    before = codes;
    for g = 1:numel (parts)
      r = rows(:, g);
      codes(r, :) = choose (w(r, :), codes(r, :), step, price(r), parts{g}, ...
                            struct ('zero', bits.zero(r, :), 'other', bits.other(r, :), ...
                                    'sizes', bits.sizes), pass <= options.feed);
    end
    [step, loss] = best_step (w, codes, step, price, parts, rows);
    if pass > options.feed && nnz (codes ~= before) <= 1e-4 * numel (codes)
      break
    end
  end
  [bits.zero, bits.other, bits.sizes] = octcompress.quant.code_bits (codes, most, options.context);
  used = codes ~= 0;
  info.step = step;
  info.bits = sum (bits.zero(~used)) + sum (bits.other(used)) + sum (bits.sizes(abs (codes(used))));
  info.loss = loss;
end

function part = ready (gram, damping)
  n = size (gram, 1);
  live = diag (gram) > 0;
  part.order = octcompress.quant.input_order (gram);
  [v, damping] = octcompress.quant.gram_factor (gram(part.order, part.order), damping);
  spread = diag (v)';
  part.feed = v ./ spread;
  part.feed(1:n+1:end) = 0;
  part.feed_curvature = spread .^ 2;
  part.gram = v * v';
  diagonal = diag (part.gram)';
  part.descend = part.gram ./ diagonal;
  part.descend(1:n+1:end) = 0;
  part.curvature = diagonal;
  live = live(part.order);
  part.mean = mean (part.feed_curvature(live | ~any (live)));
end

function codes = choose (w, codes, step, price, part, bits, feeding)
  in = size (w, 2);
  w = w(:, part.order);
  now = codes(:, part.order);
  zero = bits.zero(:, part.order);
  other = bits.other(:, part.order);
  if feeding
    e = zeros (size (w));
    mix = part.feed;
    curvature = part.feed_curvature;
  else
    e = w - step * now;
    mix = part.descend;
    curvature = part.curvature;
  end
  for first = 1:64:in
    block = first:min (first + 63, in);
    rest = [1:first-1, block(end)+1:in];
    if feeding
      rest = 1:first-1;
    end
    target = w(:, block) + e(:, rest) * mix(rest, block);
    for j = block
      t = (target(:, j - first + 1) + e(:, block) * mix(block, j)) / step;
      d = (step ^ 2 * curvature(j)) ./ price;
      a = abs (t);
      best = zero(:, j) + d .* a .^ 2;
      level = zeros (size (a));
      nearest = min (round (a), numel (bits.sizes));
      for near = [nearest, nearest - 1]
        cost = d .* (a - near) .^ 2 + other(:, j) + bits.sizes(max (near, 1));
        better = near > 0 & cost < best;
        best(better) = cost(better);
        level(better) = near(better);
      end
      now(:, j) = sign (t) .* level + 0;   % no negative zeros
      e(:, j) = w(:, j) - step * now(:, j);
    end
  end
  codes(:, part.order) = now;
end

function [step, loss] = best_step (w, codes, step, price, parts, rows)
  along = 0;
  square = 0;
  loss = zeros (size (price));
  for g = 1:numel (parts)
    r = rows(:, g);
    order = parts{g}.order;
    weighted = (codes(r, order) * parts{g}.gram) ./ price(r);
    along = along + sum (sum (weighted .* w(r, order)));
    square = square + sum (sum (weighted .* codes(r, order)));
  end
  if along > 0
    step = along / square;
  end
  for g = 1:numel (parts)
    r = rows(:, g);
    e = w(r, parts{g}.order) - step * codes(r, parts{g}.order);
    loss(r) = sum ((e * parts{g}.gram) .* e, 2);
  end
end

%!shared w, gram
%! in = tril (ones (12)) * reshape (mod ((1:6000) * 0.7548776662, 1) - 0.5, 12, 500);
%! gram = in * in' / 500;
%! w = reshape (mod ((1:240) * 0.5698402910, 1) - 0.5, 20, 12) .^ 3;
%!function [cost, bits] = cost_of (w, gram, price, codes, step)
%!  e = w - step * codes;
%!  [zero, other, sizes] = octcompress.quant.code_bits (codes, 99, true);
%!  used = codes ~= 0;
%!  bits = sum (zero(~used)) + sum (other(used)) + sum (sizes(abs (codes(used))));
%!  cost = sum (sum ((e * gram) .* e, 2) ./ price) + bits;
%!endfunction
%!test % far less error and bits together than rounding to nearest on any grid
%! [codes, info] = octcompress.quant.rdoq (w, gram, 1e-5, 'damping', 0);
%! ours = cost_of (w, gram, 1e-5, codes, info.step);
%! for step = 0.01:0.01:0.2
%!   assert (ours < 0.95 * cost_of (w, gram, 1e-5, round (w / step), step));
%! end
%! e = w - info.step * codes;
%! assert (info.loss, sum ((e * gram) .* e, 2), 1e-6);
%!test % descent goes on from error feedback
%! [a, ia] = octcompress.quant.rdoq (w, gram, 1e-5, 'damping', 0, 'sweeps', 0);
%! [b, ib] = octcompress.quant.rdoq (w, gram, 1e-5, 'damping', 0);
%! assert (cost_of (w, gram, 1e-5, b, ib.step) < cost_of (w, gram, 1e-5, a, ia.step));
%!test % the dearer the bits, the fewer; rows of no price go
%! last = Inf;
%! for price = 10 .^ (-8:-4)
%!   [~, info] = octcompress.quant.rdoq (w, gram, price);
%!   assert (info.bits < last);
%!   last = info.bits;
%! end
%! price = repmat (1e-4, 20, 1);
%! price(7) = 1e9;
%! codes = octcompress.quant.rdoq (w, gram, price);
%! assert (codes(7, :), zeros (1, 12));
%! assert (any (codes(8, :)));
%!test % bits worth nothing: GPTQ on a fine grid
%! [codes, info] = octcompress.quant.rdoq (w, gram, 1e-12, 'step', 0.02, 'sweeps', 0);
%! grid = struct ('bits', 8, 'scheme', 'symmetric', 'scale', 0.02, 'zero_point', 0, 'axis', 0);
%! other = octcompress.quant.gptq (w, gram, grid);
%! assert (mean (codes(:) == other(:)) > 0.8);
%!test % groups of inputs, pruned weights, dead inputs
%! both = cat (3, gram(1:6, 1:6), gram(7:12, 7:12));
%! both(2, :, 1) = 0;
%! both(:, 2, 1) = 0;
%! z = false (20, 6);
%! z(4:7) = true;
%! [codes, info] = octcompress.quant.rdoq (w(:, 1:6), both, 1e-4, 'zeros', z);
%! assert (all (codes(z) == 0));
%! assert (isfinite (info.step));
%! assert (nnz (codes(1:10, 2)), 0);
%! [second, alone] = octcompress.quant.rdoq (w(11:20, 1:6), both(:, :, 2), 1e-4);
%! assert (info.step, alone.step, 0.5 * alone.step);
%!test % nothing to keep
%! [codes, info] = octcompress.quant.rdoq (zeros (2, 3), zeros (3), 1);
%! assert (codes, zeros (2, 3));
%! assert (info.loss, [0; 0]);
%!error <rdoq: there is no option 'stp'> octcompress.quant.rdoq (w, gram, 1, 'stp', 3)
