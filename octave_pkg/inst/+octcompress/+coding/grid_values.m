function values = grid_values (codes, grid, class_name)
%GRID_VALUES  The inverse of grid_codes.
%
%   values = octcompress.coding.grid_values (codes, grid, class_name)
%
%   Errors: octcompress:nn_unpack:damaged if the codes are not those of the grid.
%
%   See also octcompress.coding.grid_codes.

  if isfield (grid, 'codebook')
    [order, centre] = octcompress.coding.book_order (grid.codebook);
    place = codes + centre;
    if any (place(:) < 1) || any (place(:) > numel (order))
      octcompress.internal.fail ('nn_unpack', 'damaged', 'a code lies outside its codebook');
    end
    codes = reshape (order(place), size (codes)) - 1;
  elseif isempty (octcompress.quant.float_format (grid.scheme))
    [~, zero_point] = octcompress.quant.along_axis (grid, 'double', size (codes));
    codes = codes + zero_point;
  end
  values = octcompress.quant.decode_grid (codes, grid, class_name);
end

%!test % all kinds of grids
%! w = single (reshape (mod ((1:600) * 0.377, 2) - 0.8, 20, 30)) .^ 3;
%! grids = {struct('bits', 2, 'scheme', 'codebook', 'codebook', single ([0.6; -0.3; 0; 0.1]), ...
%!                 'axis', 0)};
%! for scheme = {'symmetric', 'affine', 'unsigned', 'bf16', 'fp8_e4m3'}
%!   for axis = 0:2
%!     grids{end + 1} = octcompress.quant.choose_grid (w, 5, scheme{1}, axis);
%!   end
%! end
%! grids{end + 1} = octcompress.quant.choose_grid (w, 3, 'affine', 2, 'group', 7);
%! for k = 1:numel (grids)
%!   once = octcompress.quant.decode_grid (octcompress.quant.encode_grid (w, grids{k}), grids{k});
%!   codes = octcompress.coding.grid_codes (once, grids{k});
%!   assert (octcompress.coding.grid_values (codes, grids{k}, 'single'), once);
%! end
%!test % zero has the code 0
%! grid = struct ('bits', 4, 'scheme', 'affine', 'scale', single (0.5), 'zero_point', ...
%!                single (-3), 'axis', 0);
%! assert (octcompress.coding.grid_codes (single ([0 0.5 -0.5]), grid), [0 1 -1]);
%!assert (octcompress.coding.grid_codes (single ([0 0.4]), ...
%!             struct ('bits', 4, 'scheme', 'symmetric', 'scale', single (0.5), 'zero_point', ...
%!                     single (0), 'axis', 0)), [])
%!error <nn_unpack: a code lies outside its codebook> octcompress.coding.grid_values (9, struct ('codebook', [1; 2]), 'single')
