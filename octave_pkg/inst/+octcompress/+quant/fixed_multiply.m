function y = fixed_multiply (x, multiplier, shift, rounding)
%FIXED_MULTIPLY  Multiply integers by multiplier * 2^(shift - 31) in integer arithmetic.
%
%   y = octcompress.quant.fixed_multiply (x, multiplier, shift)
%   y = octcompress.quant.fixed_multiply (x, multiplier, shift, rounding)
%
%   x                  double array of whole numbers of 32 bits
%   multiplier, shift  of octcompress.quant.fixed_multiplier (with implicit expansion)
%   rounding           'double' (default): round (round (x * 2^left * multiplier / 2^31) / 2^right),
%                      first to the nearest, ties up, then ties away from zero: TensorFlow Lite's
%                      MultiplyByQuantizedMultiplier as it is built by default;
%                      'single': floor (x * multiplier / 2^(31 - shift) + 1/2), as with
%                      TFLITE_SINGLE_ROUNDING
%
%   See also octcompress.quant.high_multiply, nn_predict.

  if nargin > 3 && strcmp (rounding, 'single')
    total = 31 - shift;
    upper = floor (multiplier / 32768);
    lower = multiplier - upper * 32768;
    half = 2 .^ (total - 1);
    % total is at least 1; below 15 the whole product is below 2^53 wherever the result fits
    y = floor ((x .* upper + floor ((x .* lower + half) / 32768)) ./ 2 .^ (total - 15));
    y = min (max (y, -2 ^ 31), 2 ^ 31 - 1);
    return
  end
  y = octcompress.quant.high_multiply (x .* 2 .^ max (shift, 0), multiplier);
  y = round (y ./ 2 .^ max (-shift, 0));
end

%!test % close to the real product, and ties as they should be
%! x = (-5000:7:5000)';
%! for real = [0.0003 0.017 0.5 0.99 3.7]
%!   [m, s] = octcompress.quant.fixed_multiplier (real);
%!   assert (max (abs (octcompress.quant.fixed_multiply (x, m, s) - x * real)) <= 0.75 + 1e-4);
%!   assert (max (abs (octcompress.quant.fixed_multiply (x, m, s, ...
%!                                                       'single') - x * real)) <= 0.5 + 1e-4);
%! end
%! [m, s] = octcompress.quant.fixed_multiplier (0.25);
%! assert (octcompress.quant.fixed_multiply ([2 -2 6 -6], m, s), [1 -1 2 -2]);
%! assert (octcompress.quant.fixed_multiply ([2 -2 6 -6], m, s, 'single'), [1 0 2 -1]);
%!test % the two roundings differ where the first carries
%! [m, s] = octcompress.quant.fixed_multiplier (0.4999999 / 4);
%! assert (octcompress.quant.fixed_multiply (4 * (1:3), m, s, 'single'), [0 1 1]);
