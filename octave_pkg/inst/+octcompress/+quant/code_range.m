function [first, last] = code_range (grid)
%CODE_RANGE  The least and the greatest code of a grid.
%
%   [first, last] = octcompress.quant.code_range (grid)
%
%   symmetric  -(2^(bits-1) - 1) to 2^(bits-1) - 1, the narrow range; -1 to 1 with one bit
%   signed     -2^(bits-1) to 2^(bits-1) - 1
%   affine     -2^(bits-1) to 2^(bits-1) - 1
%   unsigned   0 to 2^bits - 1
%   codebook   0 to numel (grid.codebook) - 1
%   bf16, fp16, fp8_e4m3, fp8_e5m2   0 to 2^bits - 1, the bit patterns
%
%   See also octcompress.quant.choose_grid.

  bits = double (grid.bits);
  switch grid.scheme
    case 'symmetric'
      last = max (2 ^ (bits - 1) - 1, 1);
      first = -last;
    case {'affine', 'signed'}
      first = -2 ^ (bits - 1);
      last = -first - 1;
    case 'codebook'
      first = 0;
      last = numel (grid.codebook) - 1;
    otherwise
      first = 0;
      last = 2 ^ bits - 1;
  end
end

%!function assert_range (bits, scheme, expected)
%!  grid = struct ('bits', bits, 'scheme', scheme, 'codebook', [1; 2; 3]);
%!  [first, last] = octcompress.quant.code_range (grid);
%!  assert ([first last], expected);
%!endfunction
%!test assert_range (8, 'symmetric', [-127 127]);
%!test assert_range (1, 'symmetric', [-1 1]);
%!test assert_range (8, 'affine', [-128 127]);
%!test assert_range (1, 'affine', [-1 0]);
%!test assert_range (4, 'signed', [-8 7]);
%!test assert_range (4, 'unsigned', [0 15]);
%!test assert_range (2, 'codebook', [0 2]);
%!test assert_range (8, 'fp8_e4m3', [0 255]);
