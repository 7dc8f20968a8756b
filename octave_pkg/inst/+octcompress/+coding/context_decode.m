function matrix = context_decode (bytes, rows, columns)
%CONTEXT_DECODE  The inverse of context_encode.
%
%   matrix = octcompress.coding.context_decode (bytes, rows, columns)
%
%   bytes   uint8 column, the whole stream
%   matrix  rows x columns double
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.context_encode.

  bytes = bytes(:);
  [head, position] = byte (bytes, 1);
  top = mod (head, 4);
  turned = mod (floor (head / 4), 2);
  strided = mod (floor (head / 8), 2);
  lanes = floor (head / 16);
  if top == 0
    [top, position] = byte (bytes, position);
  end
  frame = struct ('lanes', rows, 'lines', columns, 'stride', 0, 'top', top, 'alone', lanes == 0);
  if strided
    [frame.stride, position] = octcompress.coding.read_varint (bytes, position);
  end
  if turned
    frame.lanes = columns;
    frame.lines = rows;
  end
  if (lanes > 0 && lanes < 7) || lanes > 12 || top == 0 || top > 31 ...
        || (strided && (frame.stride < 2 || frame.stride > frame.lines))
    octcompress.internal.fail ('nn_unpack', 'damaged', 'the head of a coded stream cannot be');
  end
  packed = zeros (0, 1, 'uint8');
  if frame.top > 4
    [count, position] = octcompress.coding.read_varint (bytes, position);
    if position + count - 1 > numel (bytes)
      octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream ends too early');
    end
    packed = bytes(position:position+count-1);
    position = position + count;
  end
  coder = octcompress.coding.open_stream (bytes(position:end), 2 ^ lanes);
  buckets = octcompress.coding.context_pass ([], frame, coder);
  if turned
    buckets = buckets';
  end

  t = octcompress.coding.context_tables ();
  sizes = abs (buckets(:));
  values = t.floor(sizes + 1)';
  coded = sizes > 0;
  widths = t.extra(sizes(coded) + 1)';
  values(coded) = values(coded) + octcompress.coding.unpack_bits (packed, widths);
  matrix = reshape (values .* sign (buckets(:)), rows, columns);
end

function [value, position] = byte (bytes, position)
  if position > numel (bytes)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'a coded stream ends too early');
  end
  value = double (bytes(position));
  position = position + 1;
end

%!test % what was coded comes back: sparse, dense, a picture in the lines, large values, one entry
%! s = mod ((1:40)' * (1:60) * 0.754877666, 1);
%! for matrix = {double(s > 0.9), round(4 * s - 2), round(300 * (s - 0.5) .^ 3), ...
%!               round(3 * sin ((1:20)' / 3) * cos (floor ((0:195) / 14) + mod (0:195, ...
%!                                                                              14) / 3)), ...
%!               7, -49152, [0 0 1], 1:40, (-20:20)'}
%!   bytes = octcompress.coding.context_encode (matrix{1});
%!   [rows, columns] = size (matrix{1});
%!   assert (octcompress.coding.context_decode (bytes, rows, columns), matrix{1});
%! end
%!test % contexts pay: far below the entropy of single symbols where neighbours are alike
%! matrix = round (3 * sin ((1:20)' / 3) * cos (floor ((0:195) / 14) + mod (0:195, 14) / 3));
%! counts = accumarray (matrix(:) + 4, 1);
%! entropy = -sum (counts .* log2 (counts / sum (counts))) / 8;
%! assert (numel (octcompress.coding.context_encode (matrix)) < 0.5 * entropy);
%!error <nn_unpack: a coded stream ends too early> octcompress.coding.context_decode (uint8 (0), 3, 3)
%!error <nn_unpack: the head of a coded stream cannot be> octcompress.coding.context_decode (uint8 ([0; 0; 1]), 3, 3)
