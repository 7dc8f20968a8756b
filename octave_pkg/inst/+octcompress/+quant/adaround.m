function [codes, info] = adaround (w, gram, grid, varargin)
%ADAROUND  Learn for each weight whether to round it down or up.
%
%   [codes, info] = octcompress.quant.adaround (w, gram, grid, ...)
%
%   w      out x in: the layer as a matrix (octcompress.model.weights_matrix)
%   gram   in x in double: the sum of u * u' over the layer's inputs u
%   grid   uniform, axis 0 or 1
%   codes  out x in double, each the one below or the one above w / scale
%
%   Options, as name-value pairs or a struct:
%     steps (1000)    of Adam
%     rate (0.01)     its learning rate
%     lambda (0.01)   weight of the term that drives h to 0 or 1, in shares of the mean squared
%                     output of the layer
%     zeros ([])      logical out x in: weights that stay zero
%
%   info.loss  out x 1: e * gram * e' with e = w - q;  info.q  the weights of the codes
%
%   q = scale * (floor (w / scale) + h), h = clip (1.2 * sigmoid (a) - 0.1, 0, 1) [1, eq. 21 to 24];
%   e * gram * e' + lambda * sum (1 - |2 h - 1| ^ beta) falls by Adam on a, beta from 20 to 2
%   after a fifth of the steps without it. The loss needs the inputs only through gram, so a step
%   costs one product of out x in with in x in, however many calibration data there are.
%
%   [1] Nagel et al., Up or down? Adaptive rounding for post-training quantization, ICML 2020,
%       arXiv:2004.10568.
%
%   See also octcompress.quant.gptq, nn_quantize.

  defaults = struct ('steps', 1000, 'rate', 0.01, 'lambda', 0.01, 'zeros', []);
  options = octcompress.internal.parse_options ('adaround', defaults, varargin);
  octcompress.internal.check ('adaround', 'steps', options.steps, 'integer', [1 Inf]);
  octcompress.internal.check ('adaround', 'rate', options.rate, 'number', [0 Inf]);
  octcompress.internal.check ('adaround', 'lambda', options.lambda, 'number', [0 Inf]);
  w = double (w);
  [first, last] = octcompress.quant.code_range (grid);
  [scale, zero_point] = octcompress.quant.along_axis (grid, 'double', size (w));
  exact = w ./ scale + zero_point;
  below = floor (exact);
  share = min (max (exact - below, 0.01), 0.99);
  a = -log (1.2 ./ (share + 0.1) - 1);
  held = false (size (w));
  if ~isempty (options.zeros)
    held = options.zeros;
  end

  unit = sum (sum ((w * gram) .* w)) / numel (w);
  if ~(unit > 0)
    unit = 1;
  end
  pull = options.lambda * unit;
  momentum = zeros (size (w));
  power = zeros (size (w));
  warm = floor (options.steps / 5);
  for step = 1:options.steps
    s = 1 ./ (1 + exp (-a));
    h = 1.2 * s - 0.1;
    slope = 1.2 * s .* (1 - s);
    slope(h < 0 | h > 1) = 0;
    h = min (max (h, 0), 1);
    code = min (max (below + h, first), last);
    g = 2 * (((code - zero_point) .* scale - w) * gram) .* scale;
    g(below + h < first | below + h > last) = 0;
    if step > warm
      beta = 20 - 18 * (step - warm) / (options.steps - warm);
      side = 2 * h - 1;
      g = g - pull * 2 * beta * sign (side) .* abs (side) .^ (beta - 1);
    end
    g = g .* slope;
    momentum = 0.9 * momentum + 0.1 * g;
    power = 0.999 * power + 0.001 * g .^ 2;
    a = a - options.rate * (momentum / (1 - 0.9 ^ step)) ...
            ./ (sqrt (power / (1 - 0.999 ^ step)) + 1e-12);
  end
  codes = min (max (below + (a >= 0), first), last);
  centre = zero_point .* ones (size (codes));
  codes(held) = centre(held);
  info.q = (codes - zero_point) .* scale;
  e = w - info.q;
  info.loss = sum ((e * gram) .* e, 2);
end

%!test % up or down only, and less error than rounding to nearest
%! in = tril (ones (8)) * reshape (mod ((1:4000) * 0.7548776662, 1) - 0.5, 8, 500);
%! gram = in * in';
%! w = reshape (mod ((1:40) * 0.5698402910, 1) - 0.5, 5, 8);
%! grid = octcompress.quant.choose_grid (w, 3, 'symmetric', 1);
%! z = w > 0.4;
%! [codes, info] = octcompress.quant.adaround (w, gram, grid, 'steps', 600);
%! assert (all (all (abs (codes - w ./ grid.scale) < 1)));
%! assert (info.q, octcompress.quant.decode_grid (codes, grid), 1e-12);
%! e = octcompress.quant.snap_to_grid (w, grid) - w;
%! assert (sum (info.loss) < 0.6 * sum (sum ((e * gram) .* e)));
%! codes = octcompress.quant.adaround (w, gram, grid, 'steps', 10, 'zeros', z);
%! assert (all (codes(z) == 0));
%!test % independent inputs: to nearest
%! w = [0.1 0.9 -0.4; 0.6 -0.2 0.45];
%! grid = struct ('bits', 4, 'scheme', 'symmetric', 'scale', 1, 'zero_point', 0, 'axis', 0);
%! assert (octcompress.quant.adaround (w, eye (3), grid), [0 1 0; 1 0 0]);
