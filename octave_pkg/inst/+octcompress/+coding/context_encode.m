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
%   chosen by its estimated size, on a part of the matrix if that is large.
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

  n = numel (matrix);
  [~, digits] = log2 (n);
  frame.chunk = 2 ^ (4 + 2 * (n > 32768));
  if n > 2 ^ 19
    frame.chunk = 2 ^ min (12, digits - 14);
  end

  best = Inf;
  for turned = 0:1
    lines = buckets;
    if turned
      lines = buckets';
    end
    part = middle (lines, 2 ^ 19);
    for stride = [0, picture(lines)]
      trial = frame_of (part, frame, stride);
      trial.chunk = max (frame.chunk, min (256, 2 ^ digits / 256));
      [~, bits, frequencies] = octcompress.coding.context_pass (part, trial);
      price = cost (bits, frequencies, t);
      if price < best
        best = price;
        chosen = frame_of (lines, frame, stride);
        chosen.turned = turned;
      end
    end
  end

  if chosen.turned
    buckets = buckets';
  end
  [~, bits, frequencies, groups] = octcompress.coding.context_pass (buckets, chosen);
  [~, chunk] = log2 (frame.chunk);
  [~, lanes] = log2 (cost (bits, frequencies, t) / (8 * 4096 * 2048));
  lanes = min (lanes, chunk) - 1;
  if lanes < 3
    lanes = 0;   % each lane costs two bytes and a half
  end
  bytes = [uint8([16 * lanes + chunk - 1; 32 * chosen.turned + frame.top]); ...
           octcompress.coding.write_varint(chosen.stride)];
  if frame.top > 4
    packed = octcompress.coding.pack_bits (places, widths);
    bytes = [bytes; octcompress.coding.write_varint(numel (packed)); packed];
  end
  bytes = [bytes; octcompress.coding.encode_bits(bits, frequencies, groups, 2 ^ lanes)];
end

function frame = frame_of (lines, frame, stride)
  frame.lanes = size (lines, 1);
  frame.lines = size (lines, 2);
  frame.stride = stride;
end

function price = cost (bits, frequencies, t)
%  In 1/4096 bit.
  zero = bits == 0;
  frequencies(zero) = 32768 - frequencies(zero);
  price = sum (t.price(frequencies));
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
