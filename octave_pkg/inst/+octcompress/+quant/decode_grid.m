function w = decode_grid (codes, grid, class_name)
%DECODE_GRID  The values that integer codes stand for.
%
%   w = octcompress.quant.decode_grid (codes, grid)
%   w = octcompress.quant.decode_grid (codes, grid, class_name)
%
%   codes       any integer class, any size
%   grid        as in octcompress.quant.encode_grid
%   class_name  'single' or 'double' (class of grid.scale, or of grid.codebook)
%   w           scale * (codes - zero_point), in that class; or the codebook's entries
%
%   See also octcompress.quant.encode_grid.

  if isfield (grid, 'codebook')
    if nargin < 3
      class_name = class (grid.codebook);
    end
    w = cast (reshape (grid.codebook(double (codes(:)) + 1), size (codes)), class_name);
    return
  end
  if nargin < 3
    class_name = class (grid.scale);
  end
  [scale, zero_point] = octcompress.quant.along_axis (grid, class_name, size (codes));
  if ~isempty (octcompress.quant.float_format (grid.scheme))
    w = cast (octcompress.quant.decode_float (codes, grid.scheme), class_name) .* scale;
    return
  end
  w = cast (codes, class_name);
  if any (zero_point(:) ~= 0)
    w = w - zero_point;
  end
  w = w .* scale;
end

%!test
%! grid = struct ('bits', 4, 'scheme', 'affine', 'scale', single (0.5), 'zero_point', ...
%!                single (-3), 'axis', 0);
%! assert (octcompress.quant.decode_grid (int8 ([-3 -1]), grid), single ([0 1]));
%!test % codes of values on the grid give the values back
%! for bits = 1:16
%!   for scheme = {'symmetric', 'affine', 'signed', 'unsigned'}
%!     for axis = 0:2
%!       w = single (reshape (mod ((1:600) * 0.377, 2) - 0.8, 20, 30));
%!       grid = octcompress.quant.choose_grid (w, bits, scheme{1}, axis);
%!       once = octcompress.quant.decode_grid (octcompress.quant.encode_grid (w, grid), grid);
%!       again = octcompress.quant.decode_grid (octcompress.quant.encode_grid (once, grid), grid);
%!       assert (again, once);
%!       if bits > 1
%!         [scale, ~] = octcompress.quant.along_axis (grid, 'single');
%!         assert (all (all (abs (once - w) <= scale * 0.5001)), true, sprintf ('%d bits', bits));
%!       end
%!     end
%!   end
%! end
%!test % floating point, codebooks and groups too
%! w = single (reshape (mod ((1:600) * 0.377, 2) - 0.8, 20, 30)) .^ 3;
%! grids = {struct('bits', 2, 'scheme', 'codebook', 'codebook', single ([-0.3; 0; 0.1; 0.6]))};
%! for scheme = {'bf16', 'fp16', 'fp8_e4m3', 'fp8_e5m2'}
%!   grids{end + 1} = octcompress.quant.choose_grid (w, 8, scheme{1}, 1);
%! end
%! grids{end + 1} = octcompress.quant.choose_grid (w, 3, 'affine', 2, 'group', 7);
%! for k = 1:numel (grids)
%!   once = octcompress.quant.decode_grid (octcompress.quant.encode_grid (w, grids{k}), grids{k});
%!   again = octcompress.quant.decode_grid (octcompress.quant.encode_grid (once, grids{k}), ...
%!                                          grids{k});
%!   assert (again, once);
%!   assert (class (once), 'single');
%!   assert (norm (once(:) - w(:)) < 0.6 * norm (w(:)));
%! end
