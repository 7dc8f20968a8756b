function x = decode_float (codes, name)
%DECODE_FLOAT  The numbers that bit patterns of a small floating point format stand for.
%
%   x = octcompress.quant.decode_float (codes, name)
%
%   codes  any numeric class, as octcompress.quant.encode_float gives them
%   x      double, the size of codes
%
%   See also octcompress.quant.encode_float.

  format = octcompress.quant.float_format (name);
  codes = double (codes);
  half = 2 ^ (format.bits - 1);
  negative = codes >= half;
  codes = codes - negative * half;
  exponent = floor (codes / 2 ^ format.mantissa);
  mantissa = codes - exponent * 2 ^ format.mantissa + (exponent > 0) * 2 ^ format.mantissa;
  x = mantissa .* 2 .^ (max (exponent, 1) - format.bias - format.mantissa);
  x(negative) = -x(negative);
end

%!test % every finite pattern comes back
%! for name = {'bf16', 'fp16', 'fp8_e4m3', 'fp8_e5m2'}
%!   format = octcompress.quant.float_format (name{1});
%!   top = double (octcompress.quant.encode_float (format.largest, name{1}));
%!   codes = [0:top, 2^(format.bits-1) + (1:top)];
%!   x = octcompress.quant.decode_float (codes, name{1});
%!   assert (double (octcompress.quant.encode_float (x, name{1})), codes);
%! end
%!assert (octcompress.quant.decode_float (hex2dec ({'3C00', 'C000', '0001'})', 'fp16'), ...
%!        [1 -2 2^-24])
%!assert (octcompress.quant.decode_float (hex2dec ({'7E', '01'})', 'fp8_e4m3'), [448 2^-9])
