function [tree, streams, rows] = write_tree (model, method)
%WRITE_TREE  A struct as a few bytes of structure and one coded stream for each array.
%
%   [tree, streams, rows] = octcompress.coding.write_tree (model, method)
%
%   model    scalar struct
%   method   as for encode_codes
%   tree     uint8 column: everything but the arrays' contents, value by value
%   streams  cell of uint8 columns, in the order in which the tree mentions them
%   rows     cell of structs, one for each stream: name (its place, 'layers{1}.weights'), class,
%            count, kind, bytes, codes, codebooks, indices, values
%
%   Errors: octcompress:nn_pack:badType for what no .mat file can hold.
%
%   See also octcompress.coding.read_tree, docs/packed-format.md.

  out = struct ('tree', {{}}, 'streams', {{}}, 'rows', {{}}, 'shapes', {{}});
  promises = {};
  field = octcompress.model.promises_field ();
  if isfield (model, field)
    promises = model.(field);
  end
  out = write_value (out, model, '', [], struct ('method', method, 'promises', {promises}));
  tree = vertcat (out.tree{:});
  streams = out.streams;
  rows = out.rows;
end

function out = write_value (out, value, name, grid, settings)
  if ischar (value) && (size (value, 1) == 1 || isequal (size (value), [0 0])) ...
        && ndims (value) == 2 ...
     && ~isequal (size (value), [1 0])
    out = add (out, text_bytes (value));
  elseif iscell (value)
    if size (value, 1) == 1 && ndims (value) == 2
      out = add (out, [11; octcompress.coding.write_varint(numel (value))]);
    else
      out = add (out, [12; dims_bytes(size (value))]);
    end
    for k = 1:numel (value)
      place = sprintf ('%s{%d}', name, k);
      grid = octcompress.coding.grid_beside (struct (), '', place, settings.promises);
      out = write_value (out, value{k}, place, grid, settings);
    end
  elseif isstruct (value)
    out = write_struct (out, value, name, settings);
  elseif issparse (value)
    [i, j, entries] = find (value);
    out = add (out, [17; dims_bytes(size (value))]);
    out = write_value (out, i(:), [name '.rows'], [], settings);
    out = write_value (out, j(:), [name '.columns'], [], settings);
    out = write_value (out, entries(:), [name '.entries'], [], settings);
  elseif isnumeric (value) && ~isreal (value)
    out = add (out, 16);
    out = write_value (out, real (value), [name '.real'], [], settings);
    out = write_value (out, imag (value), [name '.imaginary'], [], settings);
  elseif isnumeric (value) || islogical (value) || ischar (value)
    short = short_number (value);
    if isempty (short)
      out = write_array (out, value, name, grid, settings);
    else
      out = add (out, short);
    end
  else
    octcompress.internal.fail ('nn_pack', 'badType', ...
      '%s is a %s, which a .mat file cannot hold; remove the field', name, class (value));
  end
end

function out = write_struct (out, value, name, settings)
  fields = fieldnames (value);
  if isscalar (value)
    out = add (out, 13);
  else
    out = add (out, [14; dims_bytes(size (value))]);
  end
  known = find (cellfun (@(shape) isequal (shape, fields), out.shapes), 1);
  if isempty (known)
    known = numel (out.shapes) + 1;
    out.shapes{known} = fields;
    out = add (out, [octcompress.coding.write_varint(known - 1); shape_bytes(fields)]);
  else
    out = add (out, octcompress.coding.write_varint (known - 1));
  end
  if isempty (fields)
    out = add (out, zeros (numel (value), 1));
  end
  for k = 1:numel (value)
    at = name;
    if ~isscalar (value)
      at = sprintf ('%s(%d)', name, k);
    end
    for i = 1:numel (fields)
      field = fields{i};
      place = field;
      if ~isempty (at)
        place = [at '.' field];
      end
      if is_size_of (value(k), field)
        out = add (out, 15);
      else
        grid = octcompress.coding.grid_beside (value(k), field, place, settings.promises);
        out = write_value (out, value(k).(field), place, grid, settings);
      end
    end
  end
end

function yes = is_size_of (owner, field)
  yes = false;
  if numel (field) > 5 && strcmp (field(end-4:end), '_size') && isfield (owner, field(1:end-5))
    array = owner.(field(1:end-5));
    yes = isnumeric (array) && isa (owner.(field), 'double') ...
          && isequal (owner.(field), size (array));
  end
end

function out = write_array (out, value, name, grid, settings)
  number = octcompress.coding.class_number (class (value));
  [kind, bytes, parts] = octcompress.coding.encode_array (value, grid, settings.method);
  if ndims (value) == 2
    head = [24 + number; octcompress.coding.write_varint(size (value, 1)); ...
            octcompress.coding.write_varint(size (value, 2))];
  else
    head = [36 + number; dims_bytes(size (value))];
  end
  out = add (out, [head; kind; octcompress.coding.write_varint(numel (bytes))]);
  out.streams{end+1} = bytes;
  out.rows{end+1} = struct ('name', name, 'class', class (value), 'count', numel (value), ...
                            'kind', kind, ...
                            'bytes', numel (bytes), 'codes', parts.codes, 'codebooks', ...
                            parts.codebooks, ...
                            'indices', parts.indices, 'values', parts.values);
end

function bytes = short_number (value)
%  Numbers and flags that stand in the tree itself; empty for all others.
  bytes = [];
  if islogical (value) && isscalar (value)
    bytes = 7 + double (value);
  elseif isa (value, 'single') && isscalar (value)
    bytes = [6; octcompress.coding.value_bytes(value)];
  elseif isa (value, 'double') && isscalar (value)
    bytes = short_double (value);
  elseif isa (value, 'double') && isequal (size (value), [0 0])
    bytes = 0;
  elseif isa (value, 'double') && isrow (value) && numel (value) <= 16 && all (value >= 0) ...
         && all (value < 2 ^ 31) && all (value == fix (value)) && all (1 ./ value > 0)
    bytes = [18; numel(value)];
    for k = 1:numel (value)
      bytes = [bytes; octcompress.coding.write_varint(value(k))];
    end
  end
end

function bytes = short_double (value)
  whole = value == fix (value) && abs (value) < 2 ^ 53 && (value ~= 0 || 1 / value > 0);
  if whole && value >= 0 && value < 96
    bytes = 160 + value;
    return
  elseif whole && value >= 0
    bytes = [1; octcompress.coding.write_varint(value)];
  elseif whole
    bytes = [2; octcompress.coding.write_varint(-value)];
  else
    bytes = [5; octcompress.coding.value_bytes(value)];
    raw = octcompress.coding.value_bytes (value);
    if isequal (octcompress.coding.value_bytes (double (single (value))), raw)
      bytes = [4; octcompress.coding.value_bytes(single (value))];
    end
    for places = 1:15
      digits = floor (abs (value) * 10 ^ places + 0.5);
      if digits < 2 ^ 49 && digits / 10 ^ places == abs (value) && digits > 0
        trial = [3; places + 32 * (value < 0); octcompress.coding.write_varint(digits)];
        if numel (trial) < numel (bytes)
          bytes = trial;
        end
        break
      end
    end
  end
end

function bytes = text_bytes (text)
  word = find (strcmp (text, octcompress.coding.words ()), 1);
  if isempty (text)
    bytes = 9;
  elseif isempty (word)
    text = octcompress.coding.text_to_bytes (text);
    bytes = [10; octcompress.coding.write_varint(numel (text)); text];
  elseif word <= 96
    bytes = 63 + word;
  else
    bytes = [19; word - 97];
  end
end

function bytes = dims_bytes (dims)
  bytes = octcompress.coding.write_varint (numel (dims));
  for k = 1:numel (dims)
    bytes = [bytes; octcompress.coding.write_varint(dims(k))];
  end
end

function bytes = shape_bytes (fields)
  bytes = octcompress.coding.write_varint (numel (fields));
  list = octcompress.coding.words ();
  for k = 1:numel (fields)
    word = find (strcmp (fields{k}, list), 1);
    if isempty (word)
      text = octcompress.coding.text_to_bytes (fields{k});
      bytes = [bytes; 0; octcompress.coding.write_varint(numel (text)); text];
    else
      bytes = [bytes; word];
    end
  end
end

function out = add (out, bytes)
  out.tree{end+1} = uint8 (bytes(:));
end

%!test % one stream for each array of some size; the bytes of each add up
%! model = struct ('w', single (reshape (1:600, 20, 30)), 'note', 'x');
%! [tree, streams, rows] = octcompress.coding.write_tree (model, 'none');
%! assert (class (tree), 'uint8');
%! assert (numel (rows), numel (streams));
%! for k = 1:numel (rows)
%!   assert (rows{k}.bytes, numel (streams{k}));
%! end
%!error <function_handle> octcompress.coding.write_tree (struct ('f', @sin), 'none')
