function format = float_format (name)
%FLOAT_FORMAT  What the small floating point formats are made of.
%
%   format = octcompress.quant.float_format (name)
%
%   name    'bf16', 'fp16', 'fp8_e4m3' or 'fp8_e5m2' [1]
%   format  struct: bits, mantissa (bits of it), bias (of the exponent), largest (greatest finite
%           value); empty for any other name
%
%   'fp8_e4m3' is the form without infinities, whose greatest value is 448.
%
%   [1] Micikevicius et al., FP8 formats for deep learning, 2022, arXiv:2209.05433.
%
%   See also octcompress.quant.encode_float, octcompress.quant.decode_float.

  switch name
    case 'bf16'
      format = struct ('bits', 16, 'mantissa', 7, 'bias', 127, 'largest', (2 - 2 ^ -7) * 2 ^ 127);
    case 'fp16'
      format = struct ('bits', 16, 'mantissa', 10, 'bias', 15, 'largest', 65504);
    case 'fp8_e4m3'
      format = struct ('bits', 8, 'mantissa', 3, 'bias', 7, 'largest', 448);
    case 'fp8_e5m2'
      format = struct ('bits', 8, 'mantissa', 2, 'bias', 15, 'largest', 57344);
    otherwise
      format = [];
  end
end

%!assert (isempty (octcompress.quant.float_format ('symmetric')))
%!assert (getfield (octcompress.quant.float_format ('fp16'), 'largest'), 65504)
