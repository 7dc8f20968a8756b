function s = live_sensitivity (s)
%LIVE_SENSITIVITY  A layer's sensitivity with none of it zero, so that weights can be priced by it.
%
%   s = octcompress.quant.live_sensitivity (s)
%
%   s  channels x 1, of octcompress.quant.output_sensitivity; on return at least a thousandth of the
%      mean, for units that seemed dead on the data may live on others, and 1 where all is zero, as
%      in a layer that no output reads
%
%   See also nn_rdoq, octcompress.search.layer_curves.

  s = max (s, 1e-3 * mean (s));
  if ~any (s)
    s = ones (size (s));
  end
end

%!assert (octcompress.quant.live_sensitivity ([4; 0; 2]), [4; 0.002; 2], 1e-12)
%!assert (octcompress.quant.live_sensitivity ([0; 0]), [1; 1])
