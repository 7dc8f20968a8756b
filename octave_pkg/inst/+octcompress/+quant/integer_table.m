function table = integer_table (layer, codes, in_grid, out_grid, rounding)
%INTEGER_TABLE  Leaky relu and hard swish in integers, as TensorFlow Lite computes them.
%
%   table = octcompress.quant.integer_table (layer, codes, in_grid, out_grid, rounding)
%
%   layer      'leakyrelu' or 'hardswish'
%   codes      double array of whole numbers, codes of in_grid
%   rounding   'double' or 'single', of leaky relu (octcompress.quant.fixed_multiply)
%   table      double, codes of out_grid
%
%   Leaky relu: the code less its zero point, times a fixed-point s_in / s_out from 0 on and
%   s_in * slope / s_out below. Hard swish: in 16-bit integers, x / 128 times
%   relu6 (x + 3) / 6 as (clip (x * 2^15 / 3) + 2^15) / 2.
%
%   See also octcompress.quant.integer_forward, octcompress.quant.fixed_multiplier.

  in_scale = single (in_grid.scale);
  out_scale = single (out_grid.scale);
  x = codes - double (in_grid.zero_point);
  if strcmp (layer.type, 'leakyrelu')
    slope = single (octcompress.layers.option (layer, 'slope', 0.01));
    [m, s] = octcompress.quant.fixed_multiplier (double (in_scale / out_scale));
    table = octcompress.quant.fixed_multiply (x, m, s, rounding);
    [m, s] = octcompress.quant.fixed_multiplier (double (in_scale * slope / out_scale));
    below = octcompress.quant.fixed_multiply (x, m, s, rounding);
    table(x < 0) = below(x < 0);
  else
    fine = in_scale / 128;
    [to_out, out_shift] = half_multiplier (double (fine / out_scale));
    [to_gate, gate_shift] = half_multiplier (double (fine / single (3 / 32768)));
    x = x * 128;
    gate = x;
    if gate_shift > 0
      gate = clip (gate * 2 ^ (gate_shift - 1));
    end
    gate = high_half (gate, to_gate);
    if gate_shift > 0
      gate = clip (gate * 2);
    end
    gate = round (gate / 2 ^ max (-gate_shift, 0));
    gate = floor ((gate + 32768) / 2);
    table = fix (gate .* high_half (x, to_out) / 32768);
    table = round (table / 2 ^ max (-out_shift, 0));
  end
  [first, last] = octcompress.quant.code_range (out_grid);
  table = min (max (table + double (out_grid.zero_point), first), last);
end

function [m, shift] = half_multiplier (ratio)
  % Of 16 bits.
  [m, shift] = octcompress.quant.fixed_multiplier (ratio);
  m = min (floor ((m + 32768) / 65536), 32767);
end

function y = high_half (a, b)
  % round (a * b / 2^15), halves away from zero but for the exact negative ones, as gemmlowp does.
  product = a * b;
  y = clip (fix ((product + 16384 - 32767 * (product < 0)) / 32768));
end

function y = clip (x)
  y = min (max (x, -32768), 32767);
end

%!shared grid
%! grid = @(scale, zero) struct ('bits', 8, 'scheme', 'affine', 'scale', scale, 'zero_point', ...
%!                               zero, 'axis', 0);
%!test % near to what they are in floating point
%! codes = -128:127;
%! in = grid (0.05, 12);
%! x = (codes - 12) * 0.05;
%! out = grid (0.0331, -100);
%! y = octcompress.quant.integer_table (struct ('type', 'hardswish'), codes, in, out, 'double');
%! exact = min (max (x .* min (max (x + 3, 0), 6) / 6 / 0.0331 - 100, -128), 127);
%! assert (max (abs (y - exact)) < 1);
%! layer = struct ('type', 'leakyrelu', 'slope', 0.3);
%! y = octcompress.quant.integer_table (layer, codes, in, out, 'double');
%! exact = min (max (max (x, 0.3 * x) / 0.0331 - 100, -128), 127);
%! assert (max (abs (y - exact)) < 0.76);   % rounded twice
%! single_rounding = octcompress.quant.integer_table (layer, codes, in, out, 'single');
%! assert (max (abs (single_rounding - exact)) < 0.76);   % rounded twice
%!test % large and small scales
%! for scale = [0.001 3]
%!   x = (-128:127) * scale;
%!   exact = x .* min (max (x + 3, 0), 6) / 6;
%!   out = grid (max (abs (exact)) / 120, 0);
%!   y = octcompress.quant.integer_table (struct ('type', 'hardswish'), -128:127, ...
%!                                        grid (scale, 0), out, 'double');
%!   assert (max (abs (y * out.scale - exact)) < 1.1 * out.scale);
%! end
