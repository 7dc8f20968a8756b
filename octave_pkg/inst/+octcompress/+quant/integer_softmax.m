function codes = integer_softmax (codes, scale, rounding)
%INTEGER_SOFTMAX  Softmax or its logarithm of 8-bit codes in fixed-point arithmetic.
%
%   codes = octcompress.quant.integer_softmax (codes, scale)
%   codes = octcompress.quant.integer_softmax (codes, scale, rounding)
%
%   codes  double, whole numbers from -128 to 127; over the first dimension
%   scale  of the input's grid
%   codes  of the grid with scale 1/256 and zero point -128
%
%   With ROUNDING (of octcompress.quant.fixed_multiply) it is the logarithm, and the grid has the
%   scale 1/16 and the zero point 127.
%
%   TensorFlow Lite's reference kernel for int8: differences from the greatest code, times the
%   scale, in Q5.26; gemmlowp's exp_on_negative_values; their sum in Q12.19; its reciprocal by
%   three steps of Newton's [1]. The logarithm of the sum: its power of two, and a rational
%   approximation of what is left, between sqrt (1/2) and 1 [2].
%
%   [1] github.com/tensorflow/tensorflow, lite/kernels/internal/reference/softmax.h.
%   [2] the same, reference/integer_ops/log_softmax.h and common.h.
%
%   See also octcompress.quant.integer_forward.

  [multiplier, shift] = octcompress.quant.fixed_multiplier (min (double (scale) * 2 ^ 26, ...
                                                                 2 ^ 31 - 1));
  least = -floor (31 * 2 ^ 26 / 2 ^ shift);
  difference = codes - max (codes, [], 1);
  counted = difference >= least;
  scaled = octcompress.quant.high_multiply (max (difference, least) * 2 ^ shift, multiplier);
  exponentials = exp_of_negative (scaled);
  exponentials(~counted) = 0;
  total = sum (round (exponentials / 2 ^ 12), 1);
  if nargin > 2
    log_total = log_of (total);
    [back, back_shift] = octcompress.quant.fixed_multiplier (2 ^ (31 - shift) / multiplier);
    limit = max (least - 1, octcompress.quant.fixed_multiply (log_total - 2 ^ 31, back, ...
                                                              back_shift, rounding));
    counted = difference > limit;
    codes = min (max (round ((scaled - log_total) / 2 ^ 22) + 127, -128), 127);
    codes(~counted) = -128;
    return
  end
  [reciprocal, over_unit] = reciprocal_of (total);
  codes = round (octcompress.quant.high_multiply (reciprocal, ...
                                                  exponentials) ./ 2 .^ (over_unit + 23)) - 128;
  codes = min (codes, 127);
  codes(~counted) = -128;
end

function y = exp_of_negative (a)
  % a in Q5.26, not positive; y in Q0.31
  quarter = 2 ^ 24;
  within = mod (a, quarter) - quarter;
  x = within * 32 + 2 ^ 28;
  mul = @octcompress.quant.high_multiply;
  x2 = mul (x, x);
  x3 = mul (x2, x);
  x4 = mul (x2, x2);
  third = mul (round (x4 / 4) + x3, 715827883);
  y = 1895147668 + mul (1895147668, x + round ((third + x2) / 2));
  rest = within - a;
  % exp (-1/4), exp (-1/2), ...
  factors = [1672461947 1302514674 790015084 290630308 39332535 720401 242];
  for k = 1:7
    bit = mod (floor (rest / 2 ^ (23 + k)), 2) == 1;
    product = mul (y, factors(k));
    y(bit) = product(bit);
  end
  y(a == 0) = 2 ^ 31 - 1;
end

function [reciprocal, over_unit] = reciprocal_of (total)
  % total in Q12.19, at least 1; reciprocal in Q0.31 of total / 2^over_unit in [1, 2)
  [~, bits] = log2 (total);
  headroom = 32 - bits;
  over_unit = 12 - headroom;
  reciprocal = one_over_one_plus (total .* 2 .^ headroom - 2 ^ 31);
end

function reciprocal = one_over_one_plus (a)
  % Q0.31, a from 0 to 1
  mul = @octcompress.quant.high_multiply;
  half_denominator = floor ((a + 2 ^ 31 - 1 + 1) / 2);
  x = 1515870810 + mul (half_denominator, -1010580540);
  for k = 1:3
    x = x + 4 * mul (x, 2 ^ 29 - mul (half_denominator, x));
  end
  reciprocal = min (2 * x, 2 ^ 31 - 1);
end

function y = log_of (total)
  % total in Q12.19, at least 1; y in Q5.26. The rest r is total / 2^k or that over sqrt (2).
  mul = @octcompress.quant.high_multiply;
  most = 2 ^ 31 - 1;
  sqrt_half = 1518500250;
  centre = 1805811301;                                     % 2^(-1/4)
  [~, bits] = log2 (total);
  rest = min (2 * mul (total .* 2 .^ (31 - bits), sqrt_half), most);
  power = (bits - 20) * 2 ^ 25 + 2 ^ 23;                   % Q6.25
  [~, bits] = log2 (mul (total, sqrt_half));
  rest = min (rest, min (total .* 2 .^ (31 - bits), most));
  power = max (power, (bits - 19) * 2 ^ 25 - 2 ^ 23);
  p = floor ((rest + centre + 1) / 2);
  q = 2 * (rest - centre);
  square = mul (q, q);
  numerator = mul (q, rest) + mul (mul (q, square), 117049297);
  denominator = mul (p, 1057819769 + q + mul (127690142, square)) + mul (638450708, q);
  y = mul (power, 1488522236) + mul (round (numerator / 64), one_over_one_plus (denominator));
  y = min (2 * y, most);
end

%!test % near the true softmax
%! codes = [-128 0 127 5; 100 3 -20 5; 90 0 0 5];
%! for scale = [0.01 0.1 1]
%!   e = exp (scale * (codes - max (codes)));
%!   expected = e ./ sum (e);
%!   y = (octcompress.quant.integer_softmax (codes, scale) + 128) / 256;
%!   assert (max (abs (y(:) - expected(:))) <= 1 / 256 + 1e-6);
%! end
%!assert (octcompress.quant.integer_softmax ([5; 5], 0.1), [0; 0])
%!test % near the true logarithm
%! codes = [-128 0 127 5; 100 3 -20 5; 90 0 0 5];
%! for scale = [0.01 0.1 1]
%!   expected = scale * (codes - max (codes));
%!   expected = max (expected - log (sum (exp (expected))), -255 / 16);
%!   y = (octcompress.quant.integer_softmax (codes, scale, 'double') - 127) / 16;
%!   assert (max (abs (y(:) - expected(:))) <= 1 / 32 + 1e-6);
%! end
