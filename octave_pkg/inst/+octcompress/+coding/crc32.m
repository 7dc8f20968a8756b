function value = crc32 (bytes)
%CRC32  The CRC-32 checksum of bytes, as in zip, PNG and Ethernet.
%
%   value = octcompress.coding.crc32 (bytes)
%
%   bytes  uint8, any size
%   value  double, 0 to 2^32 - 1
%
%   The bytes are cut into lanes of equal length that are folded side by side, a table look-up a
%   byte [1]. Two neighbours merge by passing the left one over as many zero bytes as the right one
%   has, a linear map of 32 bits that is squared as the lanes get longer.
%
%   [1] ISO 3309; RFC 1952, section 8.

  persistent table
  if isempty (table)
    table = uint32 (0:255)';
    for k = 1:8
      odd = bitand (table, 1) > 0;
      table = bitshift (table, -1);
      table(odd) = bitxor (table(odd), uint32 (3988292384));
    end
  end
  bytes = bytes(:);
  lanes = 2 ^ max (0, min (12, floor (log2 (max (numel (bytes), 1) / 32))));
  rows = ceil (numel (bytes) / lanes);
  % zeros in front change nothing while the register is zero
  data = [zeros(rows * lanes - numel (bytes), 1, 'uint8'); bytes];
  data = reshape (data, rows, lanes)';
  state = zeros (lanes, 1, 'uint32');
  for k = 1:rows
    state = bitxor (table(1 + double (bitand (bitxor (state, uint32 (data(:, k))), 255))), ...
                    bitshift (state, -8));
  end
  image = bitshift (uint32 (1), (0:31)');
  image = zero_bytes (image, rows, table);
  while numel (state) > 1
    state = bitxor (apply (image, state(1:2:end)), state(2:2:end));
    image = apply (image, image);
  end
  % the register begins as all ones: that is the image of the ones over all the bytes
  ones_of = uint32 (4294967295);
  image = bitshift (uint32 (1), (0:31)');
  left = numel (bytes);
  step = zero_bytes (image, 1, table);
  while left > 0
    if mod (left, 2)
      ones_of = apply (step, ones_of);
    end
    step = apply (step, step);
    left = floor (left / 2);
  end
  value = double (bitxor (bitxor (state, ones_of), uint32 (4294967295)));
end

function states = zero_bytes (states, count, table)
  for k = 1:count
    states = bitxor (table(1 + double (bitand (states, 255))), bitshift (states, -8));
  end
end

function result = apply (image, states)
  result = zeros (size (states), 'uint32');
  for k = 1:32
    set = bitand (states, bitshift (uint32 (1), k - 1)) > 0;
    result(set) = bitxor (result(set), image(k));
  end
end

%!assert (octcompress.coding.crc32 (uint8 ('123456789')), hex2dec ('CBF43926'))
%!assert (octcompress.coding.crc32 (zeros (0, 1, 'uint8')), 0)
%!test % lanes give what a plain loop gives
%! bytes = uint8 (mod ((1:5001)' .^ 2, 251));
%! state = uint32 (4294967295);
%! for k = 1:numel (bytes)
%!   state = bitxor (state, uint32 (bytes(k)));
%!   for bit = 1:8
%!     state = bitxor (bitshift (state, -1), bitand (state, 1) * uint32 (3988292384));
%!   end
%! end
%! assert (octcompress.coding.crc32 (bytes), double (bitxor (state, uint32 (4294967295))));
