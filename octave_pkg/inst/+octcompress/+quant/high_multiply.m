function y = high_multiply (a, b)
%HIGH_MULTIPLY  The upper half of a product of 32-bit integers, rounded: round (a * b / 2^31).
%
%   y = octcompress.quant.high_multiply (a, b)
%
%   a, b  double arrays of whole numbers of 32 bits (with implicit expansion)
%   y     double, floor ((a * b + 2^30) / 2^31): ties go up; saturates at 2^31 - 1
%
%   gemmlowp's SaturatingRoundingDoublingHighMul [1]. The product has up to 62 bits, more than a
%   double holds, so b is cut in two and every step stays below 2^53.
%
%   [1] github.com/google/gemmlowp, fixedpoint/fixedpoint.h.
%
%   See also octcompress.quant.fixed_multiply.

  upper = floor (b / 32768);
  lower = b - upper * 32768;
  y = floor ((a .* upper + floor ((a .* lower + 2 ^ 30) / 32768)) / 65536);
  y = min (y, 2 ^ 31 - 1);
end

%!test % against 64-bit integers, where they are exact
%! a = int64 ([1 -1 7 -12345 2147483647 -2147483648 1073741824 -1073741825 0]);
%! b = int64 ([2147483647 1073741824 1073741825 1717986918 -5 -2147483648 1 -1]);
%! for k = 1:numel (a)
%!   for j = 1:numel (b)
%!     product = a(k) * b(j);
%!     expected = double (idivide (product + int64 (2 ^ 30), int64 (2 ^ 31), 'floor'));
%!     assert (octcompress.quant.high_multiply (double (a(k)), double (b(j))), ...
%!             min (expected, 2 ^ 31 - 1));
%!   end
%! end
