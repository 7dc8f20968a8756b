function order = input_order (gram)
%INPUT_ORDER  The inputs of a layer by falling energy: the order in which GPTQ takes them.
%
%   order = octcompress.quant.input_order (gram)
%
%   gram   in x in, the sum of u * u' over the inputs u
%   order  1 x in: by falling gram(i,i), what differs by less than a 2^-30th of the greatest in its
%          natural order. So the rounding of a sum decides nothing.
%
%   See also octcompress.quant.gptq, octcompress.quant.rdoq.

  energy = diag (gram)';
  [~, order] = sort (-round (energy / max ([energy, realmin]) * 2 ^ 30));
end

%!assert (octcompress.quant.input_order (diag ([1 3, 3 + 1e-15, 0])), [2 3 1 4])
%!assert (octcompress.quant.input_order (zeros (3)), 1:3)
