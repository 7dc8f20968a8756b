function info = nn_info (model)
%NN_INFO  What a model is made of: a table of its layers.
%
%   nn_info (model)
%   nn_info (file)
%   info = nn_info (...)
%
%   model  a network (docs/model-format.md), or any struct of arrays
%   file   name of a .mat file that holds one
%   info   struct; without it the table is printed
%     rows    cell of structs, one for each layer (each tensor where the model is not a
%             network): name, type, shape (of the weights, text), parameters, nonzeros, bits,
%             bytes, macs
%     totals  struct: parameters, nonzeros, bytes, macs; bits is the mean over the parameters
%     text    the table
%   and of a file
%     file_bytes  its size
%     coding      of a packed file (nn_save) a struct: rows, cell of structs, one for each array
%                 (name, class, count, method, bytes and of these codes, codebooks, indices,
%                 values); and totals, struct: codes, codebooks, indices, values, header (what is no
%                 array's), file (the .mat file around it), whose sum is file_bytes
%
%   bits   per weight: those of its grid where it is quantized, else 32 (64 for double)
%   bytes  of fixed-length codes of that many bits and no zeros left out; coding has the true ones
%   macs   multiply-accumulates of one observation; 0 where the model cannot be computed
%
%   Errors: octcompress:nn_info:noTensors, and those of a faulty network.
%
%   See also nn_evaluate, nn_save.

  if ischar (model)
    file = model;
    [model, packing] = octcompress.internal.read_mat ('nn_info', file);
    result = nn_info (model);
    listed = dir (file);
    result.file_bytes = listed(1).bytes;
    if ~isempty (packing)
      totals = octcompress.coding.add_up (packing.rows, packing.bytes, result.file_bytes);
      result.coding = struct ('rows', {packing.rows}, 'totals', totals);
      result.text = [result.text, sprintf('\n'), coding_table(packing.rows, totals)];
    end
    if nargout == 0
      fprintf ('%s', result.text);
    else
      info = result;
    end
    return
  end
  if octcompress.model.is_network (model)
    model = octcompress.model.tidy ('nn_info', model);
    plan = octcompress.model.plan ('nn_info', model);
    rows = cell (1, numel (model.layers));
    for k = 1:numel (rows)
      rows{k} = empty_row (model.layers{k}.name, model.layers{k}.type);
      rows{k}.macs = plan.macs(k);
    end
    tensors = octcompress.model.tensors (model, true);
  elseif isstruct (model) && isscalar (model)
    tensors = octcompress.model.select_tensors ('nn_info', model, [], true);
    rows = cellfun (@(t) empty_row (t.name, 'tensor'), tensors, 'UniformOutput', false);
  else
    octcompress.internal.fail ('nn_info', 'notModel', ...
                               'MODEL must be a scalar struct, but is %s', ...
                               octcompress.internal.describe (model));
  end
  for k = 1:numel (tensors)
    w = subsref (model, tensors{k}.path);
    place = tensors{k}.layer;
    if place == 0
      place = k;
    end
    rows{place} = add_tensor (rows{place}, w, octcompress.model.promise (model, tensors{k}, ...
                                                                         'quantization'));
  end
  all_rows = [rows{:}];
  totals = struct ('parameters', sum ([all_rows.parameters]), 'nonzeros', ...
                   sum ([all_rows.nonzeros]), ...
                   'bits', 0, 'bytes', sum ([all_rows.bytes]), 'macs', sum ([all_rows.macs]));
  totals.bits = 8 * totals.bytes / max (totals.parameters, 1);
  result = struct ('rows', {rows}, 'totals', totals, 'text', table_of (rows, totals));
  if nargout == 0
    fprintf ('%s', result.text);
  else
    info = result;
  end
end

function row = empty_row (name, type)
  row = struct ('name', name, 'type', type, 'shape', '', 'parameters', 0, 'nonzeros', 0, ...
                'bits', 0, ...
                'bytes', 0, 'macs', 0);
end

function row = add_tensor (row, w, grid)
  if ~isempty (grid)
    bits = grid.bits;
  elseif isa (w, 'double')
    bits = 64;
  else
    bits = 32;
  end
  if isempty (row.shape)
    row.shape = strrep (sprintf ('%dx', size (w)), 'x', ' x ');
    row.shape = row.shape(1:end-3);
    row.bits = bits;
  end
  row.parameters = row.parameters + numel (w);
  row.nonzeros = row.nonzeros + nnz (w);
  row.bytes = row.bytes + ceil (numel (w) * bits / 8);
end

function text = table_of (rows, totals)
  heads = {'layer', 'type', 'shape', 'parameters', 'nonzeros', 'bits', 'bytes', 'MACs'};
  cells = cell (numel (rows) + 2, numel (heads));
  cells(1, :) = heads;
  for k = 1:numel (rows)
    r = rows{k};
    cells(k + 1, :) = {r.name, r.type, r.shape, number(r.parameters), number(r.nonzeros), ...
                       number(r.bits), number(r.bytes), number(r.macs)};
  end
  share = sprintf ('%d (%.1f%%)', totals.nonzeros, ...
                   100 * totals.nonzeros / max (totals.parameters, 1));
  cells(end, :) = {'total', '', '', number(totals.parameters), share, ...
                   sprintf('%.1f', totals.bits), ...
                   number(totals.bytes), number(totals.macs)};
  text = lines_of (cells, 3);
end

function text = coding_table (rows, totals)
  kinds = {'codes', 'codebooks', 'indices', 'values'};
  cells = [{'array', 'method', 'entries'}, kinds, {'bytes'}];
  for k = 1:numel (rows)
    r = rows{k};
    numbers = [r.codes, r.codebooks, r.indices, r.values, r.bytes];
    cells(end + 1, :) = [{r.name, r.method, number(r.count)}, ...
                         arrayfun(@number, numbers, 'UniformOutput', false)];
  end
  for kind = {'header', 'file'}
    cells(end + 1, :) = [kind, {'', '', '', '', '', '', number(totals.(kind{1}))}];
  end
  sums = [cellfun(@(kind) totals.(kind), kinds), sum(cell2mat (struct2cell (totals)))];
  cells(end + 1, :) = [{'total', '', ''}, arrayfun(@number, sums, 'UniformOutput', false)];
  text = lines_of (cells, 2);
end

function text = lines_of (cells, left)
%  The first columns flush left, the others flush right.
  widths = max (cellfun (@numel, cells), [], 1);
  lines = cell (1, size (cells, 1));
  for k = 1:numel (lines)
    line = '';
    for c = 1:size (cells, 2)
      if c <= left
        line = [line, sprintf('%-*s  ', widths(c), cells{k, c})];
      else
        line = [line, sprintf('%*s  ', widths(c), cells{k, c})];
      end
    end
    lines{k} = [strtrim(line), sprintf('\n')];
  end
  text = [lines{:}];
end

function text = number (value)
  if value == 0
    text = '-';
  else
    text = sprintf ('%d', value);
  end
end

%!shared model
%! model.layers = {struct('type', 'dense', 'name', 'fc', 'weights', single ([1 0 2; 0 0 3]), ...
%!                        'bias', single ([1; 1])), ...
%!                 struct('type', 'relu', 'name', 'r')};
%!test
%! info = nn_info (model);
%! assert (info.rows{1}, struct ('name', 'fc', 'type', 'dense', 'shape', '2 x 3', 'parameters', ...
%!                               8, ...
%!                               'nonzeros', 5, 'bits', 32, 'bytes', 32, 'macs', 6));
%! assert (info.totals, struct ('parameters', 8, 'nonzeros', 5, 'bits', 32, 'bytes', 32, ...
%!                              'macs', 6));
%!test % quantized to 3 bits: 6 weights are 18 bits, 3 bytes; 2 biases are 8
%! info = nn_info (nn_quantize (model, 3));
%! assert ({info.rows{1}.bits, info.rows{1}.bytes}, {3, 11});
%!test % the printed table
%! text = evalc ('nn_info (model)');
%! lines = strsplit (strtrim (text), sprintf ('\n'));
%! assert (lines, {'layer  type   shape  parameters   nonzeros  bits  bytes  MACs', ...
%!                 'fc     dense  2 x 3           8          5    32     32     6', ...
%!                 'r      relu                   -          -     -      -     -', ...
%!                 'total                         8  5 (62.5%)  32.0     32     6'});
%!test % not a network
%! info = nn_info (struct ('A', ones (2), 'b', [1 0 3]));
%! assert (cellfun (@(r) r.bytes, info.rows), [32 24]);
%! assert (info.totals.nonzeros, 6);
%!test % a file; of a packed one every byte is accounted for
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_save (file, model);
%! info = nn_info (file);
%! listed = dir (file);
%! assert ({info.file_bytes, info.totals.parameters}, {listed.bytes, 8});
%! assert (~isfield (info, 'coding'));
%! nn_save (file, nn_quantize (model, 3), 'coding', 'auto');
%! info = nn_info (file);
%! listed = dir (file);
%! assert (info.file_bytes, listed.bytes);
%! assert (sum (cell2mat (struct2cell (info.coding.totals))), listed.bytes);
%! assert (info.coding.rows{1}.name, 'fc.weights');
%! text = evalc ('nn_info (file)');
%! assert (~isempty (regexp (text, sprintf ('\ntotal +\\d[- \\d]* %d\n$', listed.bytes))));
%!error <nn_info: there is no file 'nowhere.mat'> nn_info ('nowhere.mat')
%!error <nn_info: MODEL must be a scalar struct, but is 3> nn_info (3)
