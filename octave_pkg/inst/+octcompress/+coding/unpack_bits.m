function values = unpack_bits (bytes, widths, count)
%UNPACK_BITS  Read unsigned integers that stand without gaps: the inverse of pack_bits.
%
%   values = octcompress.coding.unpack_bits (bytes, width, count)
%   values = octcompress.coding.unpack_bits (bytes, widths)
%
%   bytes   uint8 column
%   width   scalar, 1 to 16; widths: n x 1, 0 to 16
%   values  double column, count or n long
%
%   Errors: octcompress:nn_unpack:damaged if there are too few bytes.
%
%   See also octcompress.coding.pack_bits.

  bytes = double (bytes(:));
  if nargin > 2
    needed = count * widths;
  else
    needed = sum (widths(:));
  end
  if needed > 8 * numel (bytes)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'a stream of packed bits ends too early');
  end
  if nargin > 2
    values = unpack_equal (bytes, widths, count);
    return
  end
  widths = widths(:);
  start = cumsum (widths) - widths;
  first = floor (start / 8);
  bytes = [bytes; 0; 0; 0];
  window = 65536 * bytes(first + 1) + 256 * bytes(first + 2) + bytes(first + 3);
  values = floor (window ./ 2 .^ (24 - widths - (start - 8 * first)));
  values = values - floor (values ./ 2 .^ widths) .* 2 .^ widths;
end

function values = unpack_equal (bytes, width, count)
  groups = ceil (count / 8);
  bytes(end+1:groups*width) = 0;
  bytes = reshape (bytes(1:groups*width), width, groups);
  values = zeros (8, groups);
  for k = 1:8
    left = width;
    while left > 0
      position = k * width - left;
      byte = floor (position / 8);
      taken = min (left, 8 * (byte + 1) - position);
      part = floor (bytes(byte + 1, :) / 2 ^ (8 * (byte + 1) - position - taken));
      part = part - floor (part / 2 ^ taken) * 2 ^ taken;
      values(k, :) = values(k, :) * 2 ^ taken + part;
      left = left - taken;
    end
  end
  values = reshape (values(1:count), [], 1);
end

%!test % every width, both forms
%! for width = 1:16
%!   values = mod ((1:37)' * 7919, 2 ^ width);
%!   bytes = octcompress.coding.pack_bits (values, width);
%!   assert (octcompress.coding.unpack_bits (bytes, width, 37), values);
%!   assert (octcompress.coding.unpack_bits (bytes, repmat (width, 37, 1)), values);
%! end
%!test % widths that change, zero among them
%! widths = mod ((1:200)', 17);
%! values = mod ((1:200)' * 7919, 2 .^ widths);
%! bytes = octcompress.coding.pack_bits (values, widths);
%! assert (numel (bytes), ceil (sum (widths) / 8));
%! assert (octcompress.coding.unpack_bits (bytes, widths), values);
%!assert (octcompress.coding.unpack_bits (zeros (0, 1, 'uint8'), 4, 0), zeros (0, 1))
%!assert (octcompress.coding.unpack_bits (zeros (0, 1, 'uint8'), [0; 0]), [0; 0])
%!assert (octcompress.coding.unpack_bits (uint8 (82), 4, 2), [5; 2])
%!error <nn_unpack: a stream of packed bits ends too early> octcompress.coding.unpack_bits (uint8 (1), 4, 3)
