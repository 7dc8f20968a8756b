function record = origin (name, size_there, order, varargin)
%ORIGIN  Where an array of a layer stood in the file that it came from (layer.source).
%
%   record = octcompress.model.origin (name, size_there, order)
%   record = octcompress.model.origin (name, size_there, order, field, value, ...)
%
%   name        char, the array's name there ('Theta1', 'net.layers{1}.weights{2}')
%   size_there  row, its size there
%   order       row: ours = reshape (permute (theirs, order), our size)
%   field       'part' or 'rule' (docs/model-format.md)
%
%   See also octcompress.model.recognize.

  record = struct ('name', name, 'size', size_there, 'permute', order, varargin{:});
end

%!test
%! record = octcompress.model.origin ('W', [2 3], [2 1], 'part', [1 1]);
%! assert (record, struct ('name', 'W', 'size', [2 3], 'permute', [2 1], 'part', [1 1]));
