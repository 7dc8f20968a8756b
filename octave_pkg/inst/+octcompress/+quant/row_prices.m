function price = row_prices (share, sensitivity, power)
%ROW_PRICES  How much error in each row of a layer's weights one bit is worth.
%
%   price = octcompress.quant.row_prices (share, sensitivity, power)
%
%   share        of the outputs' power that may become error to save one bit
%   sensitivity  channels x 1, the layer's, of octcompress.quant.output_sensitivity
%   power        of octcompress.quant.output_sensitivity
%   price        channels x 1, for octcompress.quant.rdoq
%
%   Each row gets a price, too, where the data say that none of its errors is seen: a sensitivity is
%   taken for a thousandth of the layer's mean at least, for units that seemed dead on the data may
%   live on others, and for 1 where all are zero, as in a layer that no output reads; so is a power
%   of zero.
%
%   See also nn_rdoq, octcompress.search.layer_curves.

  sensitivity = max (sensitivity, 1e-3 * mean (sensitivity));
  if ~any (sensitivity)
    sensitivity = ones (size (sensitivity));
  end
  if power == 0
    power = 1;
  end
  price = share * power ./ sensitivity;
end

%!assert (octcompress.quant.row_prices (0.5, [4; 0; 2], 3), [0.375; 750; 0.75], 1e-12)
%!assert (octcompress.quant.row_prices (0.5, [0; 0], 3), [1.5; 1.5])
%!assert (octcompress.quant.row_prices (0.5, 2, 0), 0.25)
