function p = next_power2 (s)
%NEXT_POWER2  The least power of two that is not below a scale; 0 stays 0.
%
%   p = octcompress.quant.next_power2 (s)
%
%   s  double, not negative
%
%   A multiplication by such a scale is a shift of the exponent.
%
%   See also octcompress.quant.grid_of_range.

  [fraction, exponent] = log2 (s);
  p = 2 .^ (exponent - (fraction == 0.5));
  p(s == 0) = 0;
end

%!assert (octcompress.quant.next_power2 ([0 1 1.01 2 0.25 0.26 3]), [0 1 2 2 0.25 0.5 4])
