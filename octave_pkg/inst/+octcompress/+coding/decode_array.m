function values = decode_array (kind, bytes, dims, class_name, grid)
%DECODE_ARRAY  The inverse of encode_array.
%
%   values = octcompress.coding.decode_array (kind, bytes, dims, class_name, grid)
%
%   kind        0 to 6, or 8 to 14
%   bytes       uint8 column, the whole stream
%   dims        size of the array
%   class_name  its class
%   grid        for kind 2; else it is not used
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.encode_array.

  count = prod (dims);
  bytes = bytes(:);
  if kind >= 8 && strcmp (class_name, 'double')
    values = double (octcompress.coding.decode_array (kind - 8, bytes, dims, 'single', grid));
    return
  end
  width = octcompress.coding.class_width (class_name);
  switch kind
    case 0
      exactly (numel (bytes), count * width);
      values = octcompress.coding.byte_values (bytes, class_name);
    case 1
      values = octcompress.coding.decode_planes (bytes, count, class_name);
    case 2
      codes = octcompress.coding.decode_codes (bytes, dims);
      values = octcompress.coding.grid_values (codes, grid, class_name);
    case 3
      [distinct, position] = octcompress.coding.read_varint (bytes, 1);
      [centre, position] = octcompress.coding.read_varint (bytes, position);
      distinct = distinct + 1;
      last = position + distinct * width - 1;
      if last > numel (bytes)
        exactly (numel (bytes), last);
      end
      book = octcompress.coding.byte_values (bytes(position:last), class_name);
      place = octcompress.coding.decode_codes (bytes(last+1:end), dims) + centre + 1;
      if any (place(:) < 1) || any (place(:) > distinct)
        octcompress.internal.fail ('nn_unpack', 'damaged', ...
                                   'an entry is none of the values of its array');
      end
      values = book(place);
    case 4
      [size_of_mask, position] = octcompress.coding.read_varint (bytes, 1);
      if position + size_of_mask - 1 > numel (bytes)
        exactly (numel (bytes), position + size_of_mask - 1);
      end
      marks = octcompress.coding.decode_codes (bytes(position:position+size_of_mask-1), dims);
      there = marks > 0;
      values = zeros (dims, class_name);
      values(there) = octcompress.coding.decode_planes (bytes(position+size_of_mask:end), ...
                                                        sum (there(:)), class_name);
      values(marks < 0) = -values(marks < 0);
    case 5
      values = cast_to (octcompress.coding.decode_codes (bytes, dims), class_name);
    case 6
      exactly (numel (bytes), width);
      values = repmat (octcompress.coding.byte_values (bytes, class_name), count, 1);
    otherwise
      octcompress.internal.fail ('nn_unpack', 'damaged', 'an array is coded in an unknown way');
  end
  values = reshape (values, dims);
end

function exactly (there, needed)
  if there ~= needed
    octcompress.internal.fail ('nn_unpack', 'damaged', 'an array has %d bytes, but needs %d', ...
                               there, needed);
  end
end

function values = cast_to (values, class_name)
  switch class_name
    case 'logical'
      values = values ~= 0;
    case 'char'
      values = char (values);
    otherwise
      values = cast (values, class_name);
  end
end

%!function check_array (values, grid)
%!  for method = {'none', 'huffman', 'rans', 'auto'}
%!    [kind, bytes, parts] = octcompress.coding.encode_array (values, grid, method{1});
%!    back = octcompress.coding.decode_array (kind, bytes, size (values), class (values), grid);
%!    assert (class (back), class (values));
%!    assert (size (back), size (values));
%!    assert (octcompress.coding.value_bytes (back), octcompress.coding.value_bytes (values));
%!    assert (parts.codes + parts.codebooks + parts.indices + parts.values, numel (bytes));
%!  end
%!endfunction
%!test % all classes and all kinds of content
%! s = mod ((1:20)' * (1:15) * 0.754877666, 1);
%! for name = {'double', 'single', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', ...
%!             'int64', 'uint64'}
%!   for values = {100 * s, round(5 * s), round(5 * s) .* (s > 0.7), 1e9 * s, zeros(3), 7, ...
%!                 zeros(0, 3), ...
%!                 reshape(9 * s, 4, 5, 15)}
%!     check_array (cast (values{1}, name{1}), []);
%!   end
%! end
%! check_array (s > 0.3, []);
%! check_array (char (65 + round (9 * s)), []);
%! check_array (intmin ('int64') + int64 ([1 2; 3 4]), []);
%!test % floating point: special values, few values, zeros of both signs, singles in doubles
%! s = sin ((1:200)' .^ 2);
%! for name = {'double', 'single'}
%!   x = cast (s, name{1});
%!   check_array ([x; NaN; Inf; -Inf; -0; 0], []);
%!   check_array (round (2 * x) / 7, []);
%!   check_array (x .* (x > 0.5), []);
%!   check_array (-0 * ones (3, name{1}), []);
%! end
%! check_array (double (single (s)), []);
%!test % on a grid
%! s = single (reshape (sin ((1:600) .^ 2), 20, 30));
%! for scheme = {'symmetric', 'affine', 'fp8_e4m3'}
%!   for axis = 0:2
%!     grid = octcompress.quant.choose_grid (s, 4, scheme{1}, axis);
%!     w = octcompress.quant.decode_grid (octcompress.quant.encode_grid (s, grid), grid);
%!     check_array (w, grid);
%!     kind = octcompress.coding.encode_array (w, grid, 'auto');
%!     assert (kind, 2);
%!     check_array (s, grid);
%!   end
%! end
%!test % the kinds that are chosen
%! s = single (reshape (sin ((1:600) .^ 2), 20, 30));
%! sparse_one = s;
%! sparse_one(abs (s) < 0.5) = 0;
%! arrays = {s, round(2 * s) / 3, sparse_one, s .* (s > -0.5), 9 + round(9 * s), ones(5), ...
%!           double(s)};
%! kinds = cellfun (@(x) octcompress.coding.encode_array (x, [], 'auto'), arrays);
%! assert (kinds, [1 3 4 4 5 6 9]);
