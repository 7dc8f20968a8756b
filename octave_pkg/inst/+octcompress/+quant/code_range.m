function [first, last] = code_range (grid)
%CODE_RANGE  The least and the greatest code of a grid.
%
%   [first, last] = octcompress.quant.code_range (grid)
%
%   Symmetric: -(2^(bits-1) - 1) to 2^(bits-1) - 1, and -1 to 1 with one bit.
%   Affine: -2^(bits-1) to 2^(bits-1) - 1.
%
%   See also octcompress.quant.choose_grid.

  last = 2 ^ (double (grid.bits) - 1) - 1;
  first = -last - 1;
  if strcmp (grid.scheme, 'symmetric')
    last = max (last, 1);
    first = -last;
  end
end

%!function assert_range (bits, scheme, expected)
%!  [first, last] = octcompress.quant.code_range (struct ('bits', bits, 'scheme', scheme));
%!  assert ([first last], expected);
%!endfunction
%!test assert_range (8, 'symmetric', [-127 127]);
%!test assert_range (1, 'symmetric', [-1 1]);
%!test assert_range (8, 'affine', [-128 127]);
%!test assert_range (1, 'affine', [-1 0]);
