function figures = rounding_figures (w, q, codes)
%ROUNDING_FIGURES  What putting an array on a grid has cost.
%
%   figures = octcompress.quant.rounding_figures (w, q, codes)
%
%   w, q     the array before and after
%   codes    of q
%   figures  struct: levels (distinct codes used), max_error, sqnr (signal to quantization noise,
%            dB; Inf without noise)
%
%   See also octcompress.quant.quantize_tensor, nn_quantize.

  difference = double (q(:)) - double (w(:));
  signal = sum (double (w(:)) .^ 2);
  figures = struct ('levels', numel (unique (codes(:))), 'max_error', ...
                    max ([0; abs(difference)]), ...
                    'sqnr', 10 * log10 (signal / sum (difference .^ 2)));
end

%!test
%! figures = octcompress.quant.rounding_figures ([1 2], [1 2.2], [3 5]);
%! assert (figures, struct ('levels', 2, 'max_error', 0.2, 'sqnr', 10 * log10 (5 / 0.04)), 1e-12);
