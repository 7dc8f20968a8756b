function [kind, bytes, parts] = encode_array (values, grid, method)
%ENCODE_ARRAY  Code an array of numbers, text or truth values without loss in the smallest way.
%
%   [kind, bytes, parts] = octcompress.coding.encode_array (values, grid, method)
%
%   values  full real array, any numeric class, logical or char
%   grid    the grid of octcompress.quant.encode_grid that the values are promised to lie on, or []
%   method  'none', 'huffman', 'rans' or 'auto', as for encode_codes
%   kind    0  the bytes as they are
%           1  the bytes of equal rank together (encode_planes)
%           2  codes on the grid (grid_codes), by encode_codes
%           3  the distinct values: how many less one and, counted from 0, which is the most
%              frequent (varints), the values in rising order, then by encode_codes which of them
%              each entry is, counted from the most frequent
%           4  1 for the entries that are not zero, 0 for 0 and -1 for -0, by encode_codes behind
%              its length as a varint; then the values of the entries, by encode_planes
%           5  whole numbers, by encode_codes
%           6  all equal: the bytes of one
%           8 + one of these: doubles that all are singles, coded as such
%   bytes   uint8 column
%   parts   struct: codes, codebooks, indices, values; their sum is numel (bytes)
%
%   Equal means equal to the bit: 0 and -0 differ, and a NaN keeps its payload.
%
%   See also octcompress.coding.decode_array.

  raw = octcompress.coding.value_bytes (values);
  count = numel (values);
  width = numel (raw) / max (count, 1);
  best = trial_of (0, raw, 0, 0, 0);
  if count > 1 && all (reshape (reshape (raw, width, []) == raw(1:width), [], 1))
    best = trial_of (6, raw(1:width), 0, 0, 0);
  elseif count > 1
    codes = [];
    if ~isempty (grid)
      codes = octcompress.coding.grid_codes (values, grid);
    end
    if ~isempty (codes)
      best = of_codes (2, codes, method);
    elseif ~isfloat (values)
      best = smaller (best, of_whole (values, method));
    elseif isa (values, 'double') ...
          && isequal (octcompress.coding.value_bytes (double (single (values))), raw)
      [kind, bytes, parts] = octcompress.coding.encode_array (single (values), [], method);
      best = struct ('kind', kind + 8, 'bytes', bytes, 'parts', parts);
    else
      trial = of_whole (values, method);
      if isempty (trial)
        trial = of_distinct (values, method);
      end
      best = smaller (best, trial);
      if isempty (trial) || trial.parts.codebooks > trial.parts.codes
        best = smaller (best, of_nonzeros (values, raw, width, method));
      end
    end
    if best.kind == 0 && ~strcmp (method, 'none')
      best = smaller (best, trial_of (1, octcompress.coding.encode_planes (values, method), 0, ...
                                      0, 0));
    end
  end
  kind = best.kind;
  bytes = best.bytes;
  parts = best.parts;
end

function trial = trial_of (kind, bytes, codes, codebooks, indices)
  parts = struct ('codes', codes, 'codebooks', codebooks, 'indices', indices, ...
                  'values', numel (bytes) - codes - codebooks - indices);
  trial = struct ('kind', kind, 'bytes', bytes, 'parts', parts);
end

function best = smaller (best, trial)
  if ~isempty (trial) && numel (trial.bytes) < numel (best.bytes)
    best = trial;
  end
end

function trial = of_codes (kind, codes, method)
  [bytes, parts] = octcompress.coding.encode_codes (codes, method);
  trial = trial_of (kind, bytes, parts.codes, 0, parts.indices);
end

function trial = of_whole (values, method)
  trial = [];
  if isfloat (values)
    numbers = double (values);
    fine = all (isfinite (numbers(:))) && all (numbers(:) == fix (numbers(:))) ...
           && ~any (numbers(:) == 0 & 1 ./ numbers(:) < 0);
  else
    numbers = double (values);
    fine = true;
  end
  if fine && max (abs (numbers(:))) < 2 ^ 48 && max (numbers(:)) - min (numbers(:)) < 65536
    trial = of_codes (5, numbers, method);
  end
end

function trial = of_distinct (values, method)
  trial = [];
  count = numel (values);
  keys = octcompress.coding.sort_keys (values(:));
  step = ceil (count / 4096);
  if numel (unique (keys(1:step:end))) > min (1024, count / 2)
    return
  end
  [distinct, first, place] = unique (keys);
  if numel (distinct) > min (65536, count / 2)
    return
  end
  [~, centre] = max (accumarray (place(:), 1));
  [bytes, parts] = octcompress.coding.encode_codes (reshape (double (place), ...
                                                             size (values)) - centre, method);
  head = [octcompress.coding.write_varint(numel (distinct) - 1); ...
          octcompress.coding.write_varint(centre - 1); ...
          octcompress.coding.value_bytes(values(first))];
  trial = trial_of (3, [head; bytes], parts.codes, numel (head), parts.indices);
end

function trial = of_nonzeros (values, raw, width, method)
  trial = [];
  marks = double (reshape (any (reshape (raw, width, []), 1), size (values)));
  marks(values == 0 & marks) = -1;
  if mean (marks(:) == 1) < 0.95
    mask = octcompress.coding.encode_codes (marks, method);
    mask = [octcompress.coding.write_varint(numel (mask)); mask];
    planes = octcompress.coding.encode_planes (values(marks == 1), method);
    trial = trial_of (4, [mask; planes], 0, 0, numel (mask));
  end
end

%!function same (values, grid)
%!  for method = {'none', 'huffman', 'rans', 'auto'}
%!    [kind, bytes, parts] = octcompress.coding.encode_array (values, grid, method{1});
%!    assert (sum (numbers_of (parts)), numel (bytes));
%!    back = octcompress.coding.decode_array (kind, bytes, size (values), class (values), grid);
%!    assert (class (back), class (values));
%!    assert (isequaln (back, values));
%!  end
%!endfunction
%!function v = numbers_of (s)
%!  v = cellfun (@double, struct2cell (s));
%!endfunction
%!test same (single ([0.5 0 -1.5; 1 0 0]), []);
%!test % a pruned array, whose nonzeros are all different: they stand once, without a codebook
%! w = single (rand (100, 80) - 0.5);
%! w(rand (100, 80) < 0.9) = 0;
%! [kind, bytes] = octcompress.coding.encode_array (w, [], 'auto');
%! assert (kind, 4);
%! assert (numel (bytes) < 4 * nnz (w) + 600);
%!test same (int8 ([1 -2 3; 4 5 -128]), []);
%!test same ([1 2 NaN Inf -0], []);
%!test same ('some text', []);
