function bytes = pack_bits (values, widths)
%PACK_BITS  Write unsigned integers one after the other, without gaps between their bits.
%
%   bytes = octcompress.coding.pack_bits (values, widths)
%
%   values  n x 1, integers from 0 to 2^width - 1
%   widths  scalar, 1 to 16; or n x 1, 0 to 16: the bits that each value takes
%   bytes   uint8 column, ceil (sum of widths / 8) long; the highest bit comes first, and zeros
%           fill the last byte
%
%   See also octcompress.coding.unpack_bits.

  values = double (values(:));
  if isscalar (widths)
    bytes = pack_equal (values, widths);
    return
  end
  widths = double (widths(:));
  stop = cumsum (widths);
  if isempty (stop) || stop(end) == 0
    bytes = zeros (0, 1, 'uint8');
    return
  end
  start = stop - widths;
  count = ceil (stop(end) / 8);
  first = floor (start / 8);
  values = values .* 2 .^ (24 - widths - (start - 8 * first));
  high = floor (values / 65536);
  middle = floor (values / 256) - 256 * high;
  low = values - 65536 * high - 256 * middle;
  total = accumarray (first + 1, high, [count + 3, 1]) ...
          + accumarray (first + 2, middle, [count + 3, 1]) ...
          + accumarray (first + 3, low, [count + 3, 1]);
  bytes = uint8 (total(1:count));
end

function bytes = pack_equal (values, width)
  count = ceil (numel (values) * width / 8);
  groups = ceil (numel (values) / 8);
  values(end+1:8*groups) = 0;
  values = reshape (values, 8, groups);
  table = zeros (width, groups);
  for k = 1:8
    left = width;
    while left > 0
      position = k * width - left;
      byte = floor (position / 8);
      taken = min (left, 8 * (byte + 1) - position);
      part = floor (values(k, :) / 2 ^ (left - taken));
      values(k, :) = values(k, :) - part * 2 ^ (left - taken);
      table(byte + 1, :) = table(byte + 1, :) + part * 2 ^ (8 * (byte + 1) - position - taken);
      left = left - taken;
    end
  end
  bytes = uint8 (table(:));
  bytes = bytes(1:count);
end

%!assert (octcompress.coding.pack_bits ([1 2 3 0 1], 2), uint8 ([108; 64]))
%!assert (octcompress.coding.pack_bits ([5 0 300], [3 0 9]), uint8 ([178; 192]))
%!assert (octcompress.coding.pack_bits ([], 4), zeros (0, 1, 'uint8'))
%!assert (octcompress.coding.pack_bits (zeros (0, 1), zeros (0, 1)), zeros (0, 1, 'uint8'))
%!test % one width for all gives what equal widths give
%! for width = 1:16
%!   values = mod ((1:37)' * 7919, 2 ^ width);
%!   assert (octcompress.coding.pack_bits (values, width), ...
%!           octcompress.coding.pack_bits (values, repmat (width, 37, 1)));
%! end
