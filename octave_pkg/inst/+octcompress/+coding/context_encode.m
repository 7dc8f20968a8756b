function bytes = context_encode (matrix)
%CONTEXT_ENCODE  Code an integer matrix with the adaptive context model.
%
%   bytes = octcompress.coding.context_encode (matrix)
%
%   matrix  rows x columns, whole numbers with magnitudes up to 49152; not all zero, not empty
%   bytes   uint8 column
%
%   The lines of the model are the columns or the rows, and it may see a picture in them (the pixels
%   of the inputs, the places of a kernel) whose rows lie some lines apart: the combination is
%   chosen by its estimated size, on the columns in the middle if there are many.
%
%   See also octcompress.coding.context_decode, octcompress.coding.context_pass.

  t = octcompress.coding.context_tables ();
  sizes = abs (matrix(:));
  buckets = zeros (size (sizes));
  for k = 1:sum (t.floor <= max (sizes)) - 1
    buckets = buckets + (sizes >= t.floor(k + 1));
  end
  frame.top = max (buckets);
  coded = buckets(buckets > 0);
  places = sizes(buckets > 0) - t.floor(coded + 1)';
  widths = t.extra(coded + 1)';
  buckets = reshape (buckets, size (matrix)) .* sign (matrix);

  % How to walk is chosen on the columns in the middle: first the lines, then the picture in them.
  % Each line takes its time, so that many short ones are not walked.
  part = middle (buckets, 2 ^ 16);
  frame.alone = true;
  frame.stride = 0;
  [rows, columns] = size (matrix);
  best = struct ('price', Inf);
  turned = best;
  if columns <= max (1024, 16 * rows)
    best = walk (part, frame, t);
  end
  if rows <= max (1024, 16 * columns)
    turned = walk (part', frame, t);
  end
  lines = buckets;
  transposed = turned.price < best.price;
  if transposed
    best = turned;
    lines = buckets';
    part = part';
  end
  stride = picture (lines);
  if ~isempty (stride) && stride < size (part, 2)
    frame.stride = stride;
    pictured = walk (part, frame, t);
    if pictured.price < best.price
      best = pictured;
    end
  end

  % One lane is the smallest; several, which are faster, cost two bytes and a half each, and do
  % without what an entry may know of its line: where most is zero that is worth twice the time.
  [~, lanes] = log2 (best.price * numel (matrix) / numel (part) / (8 * 4096 * 256));
  lanes = min (lanes - 1, 12);
  if lanes < 7 + (best.price < 4096 * numel (part))
    lanes = 0;
  end
  if lanes > 0 || numel (part) < numel (matrix)
    best.frame.alone = lanes == 0;
    best = walk (lines, best.frame, t);
  end
  stride = best.frame.stride;
  top = frame.top * (frame.top < 4);
  bytes = uint8 (top + 4 * transposed + 8 * (stride > 0) + 16 * lanes);
  if top == 0
    bytes = [bytes; uint8(frame.top)];
  end
  if stride > 0
    bytes = [bytes; octcompress.coding.write_varint(stride)];
  end
  if frame.top > 4
    packed = octcompress.coding.pack_bits (places, widths);
    bytes = [bytes; octcompress.coding.write_varint(numel (packed)); packed];
  end
  if lanes == 0
    bytes = [bytes; octcompress.coding.encode_runs(best.bits, best.frequencies, best.groups)];
  else
    bytes = [bytes; octcompress.coding.encode_bits(best.bits, best.frequencies, ...
                                                   best.groups(:, 1), 2 ^ lanes)];
  end
end

function found = walk (lines, frame, t)
%  What context_pass gives, and the price of it in 1/4096 bit.
  [frame.lanes, frame.lines] = size (lines);
  [~, bits, frequencies, groups] = octcompress.coding.context_pass (lines, frame);
  price = sum (t.price(abs (32768 * (1 - bits) - frequencies)));
  found = struct ('price', price, 'frame', frame, 'bits', bits, 'frequencies', frequencies, ...
                  'groups', groups);
end

function part = middle (lines, most)
%  The lines in the middle, about so many entries.
  count = max (1, ceil (most / size (lines, 1)));
  first = max (0, floor ((size (lines, 2) - count) / 2));
  part = lines(:, first+1:min (end, first + count));
end

function stride = picture (lines)
%  The distance of two lines, above 1, at which the signs agree more than at the distances beside
%  it.
  signs = sign (middle (lines, 2 ^ 19));
  count = min (66, floor (size (signs, 2) / 2));
  agree = zeros (1, count);
  for k = 1:count
    agree(k) = sum (sum (signs(:, 1:end-k) .* signs(:, 1+k:end)));
  end
  [peak, stride] = max (2 * agree(2:end-1) - agree(1:end-2) - agree(3:end));
  stride = stride + 1;
  if isempty (peak) || peak <= 0
    stride = [];
  end
end

%!test % far smaller than packed bits where most is zero
%! matrix = double (mod ((1:40)' * (1:60) * 0.754877666, 1) > 0.97);
%! bytes = octcompress.coding.context_encode (matrix);
%! assert (class (bytes), 'uint8');
%! assert (numel (bytes) < numel (matrix) / 8 / 2);
%! assert (octcompress.coding.context_decode (bytes, 40, 60), matrix);
