function [result, info] = nn_unpack (packed, varargin)
%NN_UNPACK  The model that nn_pack packed, or one of its arrays.
%
%   model = nn_unpack (packed)
%   array = nn_unpack (packed, 'tensor', 'fc1.weights')
%   [result, info] = nn_unpack (...)
%
%   packed  struct with the field octc, from nn_pack or loaded from a packed file; or its bytes
%   model   the struct that was packed, all its arrays to the bit
%   array   only the array of that name; the others are not decoded
%   info    struct: bytes, header, rows, totals and options, as nn_pack gives them
%
%   Options, as name-value pairs or a struct:
%     tensor ('')  name of an array as info.rows has it, by its layer ('fc1.weights') or by its
%                  place ('layers{1}.weights'); '' for the whole model
%
%   The checksum of the whole file is compared before anything is decoded.
%
%   Errors: octcompress:nn_unpack:notPacked, :version (of a later octcompress), :damaged,
%   :unknownTensor, :badValue, :unknownOption.
%
%   See also nn_pack, nn_load.

  options = octcompress.internal.parse_options ('nn_unpack', struct ('tensor', ''), varargin);
  bytes = bytes_of (packed);
  try
    [tree, data] = octcompress.coding.unseal ('nn_unpack', bytes);
    most = 2 ^ 18 * numel (bytes);
    [skeleton, entries] = octcompress.coding.read_tree (tree, [], most);
    if isempty (options.tensor)
      result = octcompress.coding.read_tree (tree, data, most);
    else
      result = one_array (skeleton, entries, data, options.tensor);
    end
  catch problem
    if strncmp (problem.identifier, 'octcompress:', 12)
      rethrow (problem);
    end
    octcompress.internal.fail ('nn_unpack', 'damaged', ...
                               'the packed model cannot be decoded (%s)', ...
                               regexprep (problem.message, '[^ -~]', '?'));
  end
  rows = cell (1, numel (entries));
  for k = 1:numel (entries)
    e = entries{k};
    row = struct ('name', e.name, 'class', e.class, 'count', prod (e.dims), 'kind', e.kind, ...
                  'bytes', e.bytes);
    parts = octcompress.coding.parts_of (e.kind, stream_of (e, data), e.class);
    for kind = fieldnames (parts)'
      row.(kind{1}) = parts.(kind{1});
    end
    rows{k} = octcompress.coding.describe_row (skeleton, row);
  end
  totals = octcompress.coding.add_up (rows, numel (bytes));
  info = struct ('bytes', numel (bytes), 'header', totals.header, 'rows', {rows}, ...
                 'totals', totals, 'options', options);
end

function bytes = bytes_of (packed)
  bytes = packed;
  if isstruct (packed) && isscalar (packed) && isfield (packed, 'octc')
    bytes = packed.octc;
    if isa (bytes, 'double') && all (bytes(:) == uint8 (bytes(:)))
      bytes = uint8 (bytes);   % load makes double of what a packed file stores as uint8
    end
  end
  if ~isa (bytes, 'uint8') || isempty (bytes)
    octcompress.internal.fail ('nn_unpack', 'notPacked', ...
      'PACKED must be a struct with OCTC, or its uint8 bytes, but is %s', ...
      octcompress.internal.describe (packed));
  end
  bytes = bytes(:);
end

function array = one_array (model, entries, data, name)
  octcompress.internal.check ('nn_unpack', 'tensor', name, 'text');
  names = cellfun (@(e) e.name, entries, 'UniformOutput', false);
  known = cell (size (names));
  for k = 1:numel (names)
    row = octcompress.coding.describe_row (model, struct ('name', names{k}, 'kind', 0));
    known{k} = row.name;
  end
  chosen = find (strcmp (name, names) | strcmp (name, known), 1);
  if isempty (chosen)
    octcompress.internal.fail ('nn_unpack', 'unknownTensor', ...
                               'there is no array ''%s''; there are %s', ...
                               name, strjoin (known(1:min (end, 20)), ', '));
  end
  entry = entries{chosen};
  grid = [];
  if entry.kind == 2
    % the arrays of its grid, which may stand beside it or among the promises
    last = find (names{chosen} == '.', 1, 'last');
    beside = [names{chosen}(1:last), 'quantization.', names{chosen}(last+1:end), '.'];
    for k = 1:numel (entries)
      if strncmp (names{k}, beside, numel (beside)) || strncmp (names{k}, ...
            octcompress.model.promises_field (), 19)
        model = subsasgn (model, entries{k}.path, decode (entries{k}, data, []));
      end
    end
    grid = octcompress.coding.grid_of (model, entry);
  end
  array = decode (entry, data, grid);
end

function array = decode (entry, data, grid)
  array = octcompress.coding.decode_array (entry.kind, stream_of (entry, data), entry.dims, ...
                                           entry.class, grid);
end

function bytes = stream_of (entry, data)
  last = entry.first + entry.bytes - 1;
  if last > numel (data)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'the streams of the model are cut off');
  end
  bytes = data(entry.first:last);
end

%!shared model, packed, info
%! w = single (reshape (sin ((1:600) .^ 2), 20, 30));
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', w, 'bias', w(:, 1)), ...
%!                 struct('type', 'relu', 'name', 'r')};
%! model = nn_quantize (nn_prune (octcompress.model.tidy ('nn_pack', model), 'sparsity', 0.8), 4);
%! model.meta = struct ('text', 'kept', 'k', int8 ([1 -2]), 'nan', NaN, 'c', {{1, 'x'; true, []}});
%! [packed, info] = nn_pack (model);
%!assert (nn_unpack (packed), model)
%!test % small, and every byte is counted
%! assert (info.bytes < 400);
%! assert (info.bytes, numel (packed.octc));
%! assert (sum (cell2mat (struct2cell (info.totals))), info.bytes);
%! [~, told] = nn_unpack (packed);
%! assert ({told.rows, told.totals}, {info.rows, info.totals});
%! assert (nn_unpack (struct ('octc', double (packed.octc))), model);
%! assert (info.rows{1}.name, 'a.weights');
%! assert (info.rows{1}.method, 'grid');
%!test % one array, by either name
%! assert (nn_unpack (packed, 'tensor', 'a.weights'), model.layers{1}.weights);
%! assert (nn_unpack (packed, 'tensor', 'layers{1}.bias'), model.layers{1}.bias);
%!test % every coding gives the same back
%! for coding = {'none', 'huffman', 'rans'}
%!   assert (nn_unpack (nn_pack (model, 'coding', coding{1})), model);
%! end
%!test % anything that a .mat file holds
%! s.a = {1, 'text', true, {}, zeros(0, 3), ''; int64(-7), single(pi), [1 2; 3 4], {{}}, -0, NaN};
%! s.b = struct ('x', {1, 'y', []});
%! s.c = struct ('x', {});
%! s.d = sparse ([1 0; 0 2.5]);
%! s.e = [1+2i, 3];
%! s.f = repmat (struct (), 1, 3);
%! s.g = ['ab'; 'cd'];
%! s.h = ones (2, 3, 4) > 0;
%! s.i = [0.1, -0.25, 1e300, 2^53, -5, 96, 0.98, 1/3];
%! for x = s.i
%!   s.(sprintf ('n%d', numel (fieldnames (s)))) = x;
%! end
%! s.j = struct ('w', ones (3, 2), 'w_size', [3 2], 'v_size', [3 2]);
%! s.k = {ones(2, 1); 'a'};
%! s.l = zeros (1, 0);
%! s.m = [28 28 1];
%! back = nn_unpack (nn_pack (s));
%! assert (back, s);
%! assert (1 / back.a{2, 5}, -Inf);
%! assert (issparse (back.d) && iscell (back.a));
%! assert (class (back.a{2, 1}), 'int64');
%!test % the promises of what is no network
%! s.nn.W = {single(sin (ones (9, 1) * (1:8)))};
%! s = nn_quantize (s, 3);
%! [p, i] = nn_pack (s);
%! assert (nn_unpack (p), s);
%! assert (i.rows{1}.method, 'grid');
%! assert (nn_unpack (p, 'tensor', 'nn.W{1}'), s.nn.W{1});
%!test % a byte changed, or missing
%! for k = [4 8 20 numel(packed.octc)]
%!   bytes = packed.octc;
%!   bytes(k) = bitxor (bytes(k), 16);
%!   fine = false;
%!   try
%!     nn_unpack (bytes);
%!   catch e
%!     fine = strcmp (e.identifier, 'octcompress:nn_unpack:damaged');
%!   end
%!   assert (fine);
%! end
%!error <nn_unpack: the packed model is damaged or cut off: its checksum is> nn_unpack (packed.octc(1:end-1))
%!error <nn_unpack: the packed model is cut off: there are only 5 bytes> nn_unpack (packed.octc(1:5))
%!error <nn_unpack: the bytes are not a packed model> nn_unpack (uint8 ([1 2 3]))
%!error <nn_unpack: the model was packed in version 9> nn_unpack (uint8 ([111 99 9 0 0]))
%!error <nn_unpack: PACKED must be a struct with OCTC, or its uint8 bytes, but is 3> nn_unpack (3)
%!error <nn_unpack: there is no array 'b'; there are a.weights, a.bias> nn_unpack (packed, 'tensor', 'b')
%!error <nn_pack: CODING must be one of> nn_pack (model, 'coding', 'zip')
%!error <nn_pack: MODEL must be a scalar struct, but is 3> nn_pack (3)
%!error <nn_pack: meta.f is a function_handle, which a .mat file cannot hold> nn_pack (struct ('meta', struct ('f', @sin)))
