function bias = corrected_bias (stats, w, bias, q)
%CORRECTED_BIAS  The bias that keeps a layer's mean output when its weights change.
%
%   bias = octcompress.quant.corrected_bias (stats, w, bias, q)
%
%   stats  of octcompress.model.input_gram, of one group; with a reference, the old mean is that
%          of the original network
%   w, q   out x in: the weights before and after
%   bias   out x 1 double
%
%   bias + w * mean (u_before) - q * mean (u) [1, section 4.2].
%
%   [1] Nagel et al., Data-free quantization through weight equalization and bias correction,
%       ICCV 2019, arXiv:1906.04721.
%
%   See also octcompress.quant.refit.

  before = stats.total;
  if isfield (stats, 'total_reference')
    before = stats.total_reference;
  end
  bias = double (bias) + (double (w) * before - double (q) * stats.total) / stats.count;
end

%!test
%! stats = struct ('total', [6; 3], 'count', 3);
%! assert (octcompress.quant.corrected_bias (stats, [1 2], 0.5, [1 1]), 1.5);
