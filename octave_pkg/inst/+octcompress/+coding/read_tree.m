function [model, entries] = read_tree (tree, data, most)
%READ_TREE  The struct that write_tree wrote, or only the list of its arrays.
%
%   model = octcompress.coding.read_tree (tree, data, most)
%   [model, entries] = octcompress.coding.read_tree (tree, [], most)
%
%   tree     uint8 column
%   data     uint8 column, the streams one after the other; [] leaves every array of the model empty
%   most     refuse arrays of more entries together
%   entries  cell of structs, one for each stream: name (its place), path (as substruct makes it),
%            class, dims, kind, first (the place of its first byte among the streams, from 1), bytes
%
%   Errors: octcompress:nn_unpack:damaged.
%
%   See also octcompress.coding.write_tree, octcompress.coding.decode_array.

  in = struct ('tree', tree(:), 'position', 1, 'data', data, 'decode', ~isempty (data), 'next', ...
               1, ...
               'left', most, 'shapes', {{}}, 'entries', {{}}, 'depth', 0);
  path = struct ('type', {}, 'subs', {});
  [model, in] = read_value (in, '', path);
  if ~isstruct (model) || in.position ~= numel (in.tree) + 1 ...
        || (in.decode && in.next > numel (data) + 1)
    damaged ('the description of the model is not complete');
  end
  entries = in.entries;
  for k = 1:numel (entries)
    if in.decode && entries{k}.kind == 2
      codes = subsref (model, entries{k}.path);
      grid = octcompress.coding.grid_of (model, entries{k});
      model = subsasgn (model, entries{k}.path, octcompress.coding.grid_values (codes, grid, ...
                                                                                entries{k}.class));
    end
  end
end

function [value, in] = read_value (in, name, path)
  [tag, in] = read_byte (in);
  if tag >= 160
    value = tag - 160;
  elseif tag >= 64
    [value, in] = word_of (in, tag - 63);
  elseif tag >= 24 && tag < 48
    [value, in] = read_array (in, tag - 24, name, path);
  else
    switch tag
      case 0
        value = [];
      case {1, 2}
        [value, in] = read_number (in);
        value = value * (3 - 2 * tag);
      case 3
        [places, in] = read_byte (in);
        [value, in] = read_number (in);
        value = value / 10 ^ mod (places, 32) * (1 - 2 * (places >= 32));
      case 4
        [bytes, in] = read_bytes (in, 4);
        value = double (octcompress.coding.byte_values (bytes, 'single'));
      case 5
        [bytes, in] = read_bytes (in, 8);
        value = octcompress.coding.byte_values (bytes, 'double');
      case 6
        [bytes, in] = read_bytes (in, 4);
        value = octcompress.coding.byte_values (bytes, 'single');
      case {7, 8}
        value = tag == 8;
      case 9
        value = '';
      case 10
        [value, in] = read_text (in);
      case {11, 12}
        [value, in] = read_cell (in, tag == 11, name, path);
      case {13, 14}
        [value, in] = read_struct (in, tag == 13, name, path);
      case 16
        [re, in] = read_value (in, [name '.real'], path);
        [im, in] = read_value (in, [name '.imaginary'], path);
        value = together (@() complex (re, im), in);
      case 17
        [dims, in] = read_dims (in);
        [i, in] = read_value (in, [name '.rows'], path);
        [j, in] = read_value (in, [name '.columns'], path);
        [entries, in] = read_value (in, [name '.entries'], path);
        value = together (@() sparse (i, j, entries, dims(1), dims(2)), in);
      case 18
        [value, in] = read_dims (in);
      case 19
        [word, in] = read_byte (in);
        [value, in] = word_of (in, word + 97);
      otherwise
        damaged ('the description of the model has an unknown part');
    end
  end
end

function value = together (build, in)
  value = [];
  if in.decode
    value = build ();
  end
end

function [value, in] = read_cell (in, is_row, name, path)
  if is_row
    [count, in] = read_number (in);
    dims = [1, count];
  else
    [dims, in] = read_dims (in);
  end
  in = deeper (in, prod (dims));
  value = cell (dims);
  for k = 1:numel (value)
    step = struct ('type', '{}', 'subs', {{k}});
    [value{k}, in] = read_value (in, sprintf ('%s{%d}', name, k), [path, step]);
  end
  in.depth = in.depth - 1;
end

function [value, in] = read_struct (in, is_scalar, name, path)
  dims = [1 1];
  if ~is_scalar
    [dims, in] = read_dims (in);
  end
  [shape, in] = read_number (in);
  if shape == numel (in.shapes)
    [fields, in] = read_shape (in);
    in.shapes{end+1} = fields;
  elseif shape > numel (in.shapes)
    damaged ('a struct of the model has unknown fields');
  end
  fields = in.shapes{shape+1};
  in = deeper (in, prod (dims));
  value = cell2struct (cell ([numel(fields), dims]), fields, 1);
  if isempty (fields)
    [~, in] = read_bytes (in, prod (dims));
  end
  for k = 1:prod (dims)
    sizes = zeros (1, 0);
    at = name;
    here = path;
    if ~is_scalar
      at = sprintf ('%s(%d)', name, k);
      here = [path, struct('type', '()', 'subs', {{k}})];
    end
    for i = 1:numel (fields)
      place = fields{i};
      if ~isempty (at)
        place = [at '.' place];
      end
      if in.position <= numel (in.tree) && in.tree(in.position) == 15
        in.position = in.position + 1;
        sizes(end+1) = i;
      else
        step = struct ('type', '.', 'subs', fields{i});
        [value(k).(fields{i}), in] = read_value (in, place, [here, step]);
      end
    end
    for i = sizes
      whose = fields{i}(1:end-5);
      if ~isfield (value, whose)
        damaged ('the description of the model has a size of nothing');
      end
      value(k).(fields{i}) = size_of (in, at, whose, value(k).(whose));
    end
  end
  in.depth = in.depth - 1;
end

function dims = size_of (in, at, whose, value)
%  Of a field, also where its array is not decoded.
  dims = size (value);
  place = whose;
  if ~isempty (at)
    place = [at '.' whose];
  end
  for k = numel (in.entries):-1:1
    if strcmp (in.entries{k}.name, place)
      dims = in.entries{k}.dims;
      return
    end
  end
end

function [value, in] = read_array (in, number, name, path)
  [~, names] = octcompress.coding.class_number ('');
  if number < 12
    [rows, in] = read_number (in);
    [columns, in] = read_number (in);
    dims = [rows, columns];
  else
    [dims, in] = read_dims (in);
  end
  [kind, in] = read_byte (in);
  [bytes, in] = read_number (in);
  in.left = in.left - prod (dims);
  last = in.next + bytes - 1;
  if in.left < 0 || (in.decode && last > numel (in.data))
    damaged ('an array of the model is larger than the file');
  end
  entry = struct ('name', name, 'path', path, 'class', names{mod(number, 12) + 1}, 'dims', dims, ...
                  'kind', kind, 'first', in.next, 'bytes', bytes);
  in.entries{end+1} = entry;
  value = [];
  if in.decode
    stream = in.data(in.next:last);
    if kind == 2
      value = octcompress.coding.decode_codes (stream, dims);
    else
      value = octcompress.coding.decode_array (kind, stream, dims, entry.class, []);
    end
  end
  in.next = last + 1;
end

function [fields, in] = read_shape (in)
  [count, in] = read_number (in);
  in = deeper (in, count);
  fields = cell (count, 1);
  for k = 1:count
    [word, in] = read_byte (in);
    if word == 0
      [fields{k}, in] = read_text (in);
    else
      [fields{k}, in] = word_of (in, word);
    end
  end
  in.depth = in.depth - 1;
  if numel (unique (fields)) < count || any (cellfun ('isempty', fields))
    damaged ('a struct of the model has fields that cannot be');
  end
end

function in = deeper (in, count)
%  A part that has so many parts of its own, a byte each at least.
  in.depth = in.depth + 1;
  if in.depth > 100 || count > numel (in.tree) - in.position + 1
    damaged ('the description of the model ends too early');
  end
end

function [dims, in] = read_dims (in)
  [count, in] = read_byte (in);
  if count > 32
    damaged ('an array of the model has too many dimensions');
  end
  dims = zeros (1, count);
  for k = 1:count
    [dims(k), in] = read_number (in);
  end
end

function [text, in] = read_text (in)
  [count, in] = read_number (in);
  [bytes, in] = read_bytes (in, count);
  text = octcompress.coding.bytes_to_text (bytes);
end

function [word, in] = word_of (in, number)
  list = octcompress.coding.words ();
  if number > numel (list)
    damaged ('the description of the model has an unknown word');
  end
  word = list{number};
end

function [number, in] = read_number (in)
  [number, in.position] = octcompress.coding.read_varint (in.tree, in.position);
end

function [byte, in] = read_byte (in)
  [byte, in] = read_bytes (in, 1);
  byte = double (byte);
end

function [bytes, in] = read_bytes (in, count)
  last = in.position + count - 1;
  if last > numel (in.tree)
    damaged ('the description of the model ends too early');
  end
  bytes = in.tree(in.position:last);
  in.position = last + 1;
end

function damaged (message)
  octcompress.internal.fail ('nn_unpack', 'damaged', '%s', message);
end

%!test % what write_tree wrote
%! model = struct ('a', single ([1 2; 3 4]), 'b', 'text', 'c', {{true, [], struct('d', int8 (3))}});
%! [tree, streams] = octcompress.coding.write_tree (model, 'auto');
%! data = vertcat (zeros (0, 1, 'uint8'), streams{:});
%! [back, entries] = octcompress.coding.read_tree (tree, data, 1e6);
%! assert (back, model);
%! assert (any (cellfun (@(e) strcmp (e.name, 'a'), entries)));
