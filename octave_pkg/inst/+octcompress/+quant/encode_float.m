function codes = encode_float (x, name)
%ENCODE_FLOAT  Bit patterns of numbers in a small floating point format.
%
%   codes = octcompress.quant.encode_float (x, name)
%
%   x      single or double, any size, finite
%   name   as octcompress.quant.float_format knows it
%   codes  int32, the size of x: sign, exponent and mantissa as one unsigned number
%
%   Rounded to the nearest, ties to even as the hardware does; values beyond the greatest finite
%   one become it.
%
%   See also octcompress.quant.decode_float, octcompress.quant.encode_grid.

  format = octcompress.quant.float_format (name);
  magnitude = min (abs (double (x)), format.largest);
  [~, exponent] = log2 (magnitude);
  exponent = max (exponent - 1 + format.bias, 1);   % subnormal numbers have the exponent of 1
  exponent(magnitude == 0) = 1;
  mantissa = magnitude .* 2 .^ (format.mantissa + format.bias - exponent);
  rounded = round (mantissa);
  odd_tie = abs (mantissa - fix (mantissa)) == 0.5 & mod (rounded, 2) == 1;
  rounded(odd_tie) = rounded(odd_tie) - 1;
  % The hidden bit adds one to the exponent; so does a mantissa that rounds up to the next power.
  codes = rounded + (exponent - 1) * 2 ^ format.mantissa;
  codes = int32 (codes + (x < 0) * 2 ^ (format.bits - 1));
end

%!assert (octcompress.quant.encode_float ([0 1 -1 65504 1e9 2^-24], 'fp16'), ...
%!        int32 (hex2dec ({'0000', '3C00', 'BC00', '7BFF', '7BFF', '0001'}))')
%!assert (octcompress.quant.encode_float ([1 448 1000 2^-9 -2], 'fp8_e4m3'), ...
%!        int32 (hex2dec ({'38', '7E', '7E', '01', 'C0'}))')
%!test % bf16 is the upper half of a single, rounded to even
%! x = single (mod ((1:999) * 0.377, 2) - 0.8) .* single (10) .^ single (mod (1:999, 60) - 30);
%! bits = double (typecast (x, 'uint32'));
%! low = mod (bits, 65536);
%! high = floor (bits / 65536);
%! up = low > 32768 | (low == 32768 & mod (high, 2) == 1);
%! assert (octcompress.quant.encode_float (x, 'bf16'), int32 (high + up));
%!assert (octcompress.quant.encode_float (1 + 2 ^ -8, 'bf16'), int32 (hex2dec ('3F80')))
%!assert (octcompress.quant.encode_float (1 + 3 * 2 ^ -8, 'bf16'), int32 (hex2dec ('3F82')))
