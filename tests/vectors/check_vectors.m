function check_vectors (package, file, answer)
%CHECK_VECTORS  Compute every case of a file of layer vectors, and store how far it is off.
%
%   check_vectors (package, file, answer)
%
%   package  char, the folder octave_pkg/inst
%   file     char, layers.mat (make_vectors.py)
%   answer   char, the .mat file to write: labels and messages (cells of text, a message is empty or
%            that of the error), and errors, a cell of structs: y, dx, size, each parameter and
%            statistic, each the largest difference relative to the largest element or 1

  addpath (package);
  file = load (file);
  count = numel (file.cases);
  labels = cell (1, count);
  messages = repmat ({''}, 1, count);
  errors = cell (1, count);
  for k = 1:count
    labels{k} = file.cases{k}.label;
    errors{k} = struct ();
    try
      errors{k} = check_case (file.cases{k});
    catch problem
      messages{k} = problem.message;
    end
  end
  save (answer, 'labels', 'messages', 'errors', '-v6');
end

function errors = check_case (c)
  layer = in_double (c.layer);
  entry = octcompress.layers.types (layer.type);
  in_size = c.in_size;
  x = cell (1, numel (in_size));
  for i = 1:numel (x)
    x{i} = octcompress.model.to_engine (double (c.x{i}), in_size{i});
  end
  if entry.inputs(2) == 1
    x = x{1};
    in_size = in_size{1};
  end
  if strcmp (entry.planned, 'in_size')
    layer.in_size = in_size;
  end
  out_size = entry.run ('size', layer, in_size);
  [y, state] = entry.run ('forward', layer, x, logical (c.training));
  dy = octcompress.model.to_engine (double (c.dy), out_size);
  [dx, gradients] = entry.run ('backward', layer, x, y, dy, state, true);

  y = octcompress.model.from_engine (y, out_size);
  s = size (c.y);
  s(end+1:numel (out_size)) = 1;
  errors.size = double (~isequal (s(1:numel (out_size)), out_size) && numel (out_size) ~= 2);
  errors.y = distance (y, c.y);
  if ~iscell (dx)
    dx = {dx};
    in_size = {in_size};
  end
  errors.dx = 0;
  for i = 1:numel (dx)
    back = octcompress.model.from_engine (dx{i}, in_size{i});
    errors.dx = max (errors.dx, distance (back, c.dx{i}));
  end
  for name = reshape (fieldnames (c.gradients), 1, [])
    errors.(name{1}) = distance (gradients.(name{1}), c.gradients.(name{1}));
  end
  for name = reshape (fieldnames (c.statistics), 1, [])
    errors.(name{1}) = distance (state.statistics.(name{1}), c.statistics.(name{1}));
  end
end

function layer = in_double (layer)
  for name = reshape (fieldnames (layer), 1, [])
    if isa (layer.(name{1}), 'single')
      layer.(name{1}) = double (layer.(name{1}));
    end
  end
end

function d = distance (ours, theirs)
  theirs = double (theirs);
  if ~isequal (size (ours), size (theirs))
    d = Inf;
  else
    d = max ([0; abs(ours(:) - theirs(:))]) / max ([1; abs(theirs(:))]);
  end
end
