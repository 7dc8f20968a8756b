function totals = add_up (rows, packed, file)
%ADD_UP  What the bytes of a packed model are spent on.
%
%   totals = octcompress.coding.add_up (rows, packed)
%   totals = octcompress.coding.add_up (rows, packed, file)
%
%   rows    cell of structs, one for each array: bytes, of which codes, codebooks, indices, values
%   packed  bytes of the packed model
%   file    bytes of its .mat file
%   totals  struct: codes, codebooks, indices, values (arrays without a grid), header (names, sizes
%           and all else that is no array's), and with three arguments file (the container of the
%           .mat file); their sum is packed, or file
%
%   See also nn_pack, nn_info.

  totals = struct ('codes', 0, 'codebooks', 0, 'indices', 0, 'values', 0, 'header', packed);
  for k = 1:numel (rows)
    for kind = {'codes', 'codebooks', 'indices', 'values'}
      totals.(kind{1}) = totals.(kind{1}) + rows{k}.(kind{1});
    end
    totals.header = totals.header - rows{k}.bytes;
  end
  if nargin > 2
    totals.file = file - packed;
  end
end

%!test
%! row = struct ('bytes', 9, 'codes', 4, 'codebooks', 3, 'indices', 2, 'values', 0);
%! assert (octcompress.coding.add_up ({row, row}, 20, 45), ...
%!         struct ('codes', 8, 'codebooks', 6, 'indices', 4, 'values', 0, 'header', 2, 'file', 25));
