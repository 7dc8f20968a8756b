function grid = grid_of (model, entry)
%GRID_OF  The grid of an array of a model that was read, by the place where it stands.
%
%   grid = octcompress.coding.grid_of (model, entry)
%
%   model  struct, as octcompress.coding.read_tree gives it
%   entry  one of its entries: name, path
%
%   Errors: octcompress:nn_unpack:damaged if there is none.
%
%   See also octcompress.coding.grid_beside.

  promises = {};
  field = octcompress.model.promises_field ();
  if isfield (model, field)
    promises = model.(field);
  end
  owner = struct ();
  last = entry.path(end);
  if strcmp (last.type, '.')
    owner = model;
    if numel (entry.path) > 1
      owner = subsref (model, entry.path(1:end-1));
    end
    grid = octcompress.coding.grid_beside (owner, last.subs, entry.name, promises);
  else
    grid = octcompress.coding.grid_beside (owner, '', entry.name, promises);
  end
  if isempty (grid)
    octcompress.internal.fail ('nn_unpack', 'damaged', 'the grid of %s is missing', ...
                               regexprep (entry.name, '[^ -~]', '?'));
  end
end

%!test % the grid that stands beside the array it was asked for
%! layer = struct ('type', 'dense', 'name', 'a', 'weights', single ([1 -1; 0.5 2]));
%! model = nn_quantize (struct ('layers', {{layer}}), 4);
%! packed = nn_pack (model);
%! assert (isequaln (nn_unpack (packed), model));
%! entry = struct ('name', 'layers{1}.weights', 'path', ...
%!                 substruct ('.', 'layers', '{}', {1}, '.', 'weights'));
%! assert (octcompress.coding.grid_of (model, entry), model.layers{1}.quantization.weights);
