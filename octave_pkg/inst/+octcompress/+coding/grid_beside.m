function grid = grid_beside (owner, field, place, promises)
%GRID_BESIDE  The grid that an array is promised to lie on, or [].
%
%   grid = octcompress.coding.grid_beside (owner, field, place, promises)
%
%   owner     the struct in which the array stands; its quantization.(field) is the grid
%   field     char, the array's field
%   place     char, where the array stands in the whole model ('nn.W{2}')
%   promises  cell of structs: tensor (a place), quantization; what a model that is no network keeps
%
%   See also octcompress.coding.grid_codes.

  grid = [];
  if isfield (owner, 'quantization') && isstruct (owner.quantization) ...
        && isscalar (owner.quantization) ...
     && isfield (owner.quantization, field)
    grid = owner.quantization.(field);
  end
  if iscell (promises)
    for k = 1:numel (promises)
      if isfield (promises{k}, 'tensor') && isfield (promises{k}, 'quantization') ...
         && strcmp (promises{k}.tensor, place)
        grid = promises{k}.quantization;
      end
    end
  end
  if ~isstruct (grid) || ~isscalar (grid) || ~isfield (grid, 'bits')
    grid = [];
  end
end

%!test
%! grid = struct ('bits', 4);
%! owner = struct ('weights', 1, 'quantization', struct ('weights', grid));
%! assert (octcompress.coding.grid_beside (owner, 'weights', '', {}), grid);
%! assert (octcompress.coding.grid_beside (owner, 'bias', '', {}), []);
%! promises = {struct('tensor', 'W{2}', 'quantization', grid)};
%! assert (octcompress.coding.grid_beside (struct (), '', 'W{2}', promises), grid);
