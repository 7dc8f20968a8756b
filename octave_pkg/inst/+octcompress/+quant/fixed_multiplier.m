function [multiplier, shift] = fixed_multiplier (real_multiplier)
%FIXED_MULTIPLIER  A positive number as a 32-bit integer and a power of two.
%
%   [multiplier, shift] = octcompress.quant.fixed_multiplier (real_multiplier)
%
%   real_multiplier  double, any size, not negative
%   multiplier       double, whole numbers from 2^30 to 2^31 - 1, or 0
%   shift            double: real_multiplier is about multiplier * 2^(shift - 31)
%
%   TensorFlow Lite's QuantizeMultiplier: below 2^-32 it is 0; from 2^30 on the greatest.
%
%   See also octcompress.quant.fixed_multiply.

  [fraction, shift] = log2 (real_multiplier);
  multiplier = round (fraction * 2 ^ 31);
  carried = multiplier == 2 ^ 31;
  multiplier(carried) = 2 ^ 30;
  shift(carried) = shift(carried) + 1;
  tiny = shift < -31;
  multiplier(tiny) = 0;
  shift(tiny) = 0;
  huge = shift > 30;
  multiplier(huge) = 2 ^ 31 - 1;
  shift(huge) = 30;
end

%!test
%! [m, s] = octcompress.quant.fixed_multiplier ([0.5 1 0.3 1 - 2^-40 0 2^-40 2^40]);
%! assert (m, [2^30 2^30 round(0.6 * 2^31) 2^30 0 0 2^31-1]);
%! assert (s, [0 1 -1 1 0 0 30]);
