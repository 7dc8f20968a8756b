function codes = integer_softmax (codes, scale, rounding)
%INTEGER_SOFTMAX  Softmax of 8-bit codes in fixed-point arithmetic.
%
%   codes = octcompress.quant.integer_softmax (codes, scale)
%
%   codes  double, whole numbers from -128 to 127; over the first dimension
%   scale  of the input's grid
%   codes  of the grid with scale 1/256 and zero point -128
%
%   TensorFlow Lite's reference kernel for int8: differences from the greatest code, times the
%   scale, in Q5.26; gemmlowp's exp_on_negative_values; their sum in Q12.19; its reciprocal by
%   three steps of Newton's [1].
%
%   [1] github.com/tensorflow/tensorflow, lite/kernels/internal/reference/softmax.h.
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
  a = total .* 2 .^ headroom - 2 ^ 31;
  mul = @octcompress.quant.high_multiply;
  half_denominator = floor ((a + 2 ^ 31 - 1 + 1) / 2);
  x = 1515870810 + mul (half_denominator, -1010580540);
  for k = 1:3
    x = x + 4 * mul (x, 2 ^ 29 - mul (half_denominator, x));
  end
  reciprocal = min (2 * x, 2 ^ 31 - 1);
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
