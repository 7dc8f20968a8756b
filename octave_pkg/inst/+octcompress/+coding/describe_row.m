function row = describe_row (model, row)
%DESCRIBE_ROW  The names that people know: the layer's for its place, the method's for its number.
%
%   row = octcompress.coding.describe_row (model, row)
%
%   model  the struct in which the array stands
%   row    struct with name ('layers{1}.weights') and kind; on return name ('fc1.weights') and
%          method ('bytes', 'planes', 'grid', 'values', 'sparse', 'whole numbers', 'constant';
%          'single' is put before it where doubles are written as singles)
%
%   See also nn_pack.

  methods = {'bytes', 'planes', 'grid', 'values', 'sparse', 'whole numbers', 'constant'};
  row.method = methods{mod(row.kind, 8) + 1};
  if row.kind >= 8
    row.method = ['single ' row.method];
  end
  row = rmfield (row, 'kind');
  parts = regexp (row.name, '^layers\{(\d+)\}(\..*)$', 'tokens', 'once');
  if ~isempty (parts) && isfield (model, 'layers') && iscell (model.layers)
    layer = model.layers{str2double (parts{1})};
    if isstruct (layer) && isfield (layer, 'name') && ischar (layer.name)
      row.name = [layer.name parts{2}];
    end
  end
end

%!test
%! model.layers = {struct('name', 'fc')};
%! row = octcompress.coding.describe_row (model, struct ('name', 'layers{1}.bias', 'kind', 9));
%! assert (row, struct ('name', 'fc.bias', 'method', 'single planes'));
