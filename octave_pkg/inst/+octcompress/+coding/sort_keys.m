function keys = sort_keys (values)
%SORT_KEYS  Whole numbers that order floating point values to the bit: -0 before 0, NaN outside.
%
%   keys = octcompress.coding.sort_keys (values)
%
%   values  single or double
%   keys    uint32 or uint64 column: equal keys mean equal bits. A value whose sign bit is not set
%           has a key of at least half the range
%
%   See also octcompress.coding.encode_array.

  if isa (values, 'single')
    keys = octcompress.coding.byte_values (octcompress.coding.value_bytes (values), 'uint32');
  else
    keys = octcompress.coding.byte_values (octcompress.coding.value_bytes (values), 'uint64');
  end
  most = intmax (class (keys));
  half = bitshift (most, -1) + 1;
  negative = keys >= half;
  keys(negative) = most - keys(negative);
  keys(~negative) = keys(~negative) + half;
end

%!test
%! for name = {'single', 'double'}
%!   values = cast ([-Inf; -1; -1e-40; -0; 0; 1e-40; 2; Inf; NaN], name{1});
%!   keys = octcompress.coding.sort_keys (values);
%!   assert (all (keys(2:end) > keys(1:end-1)));
%! end
