function x = even_image (values, in_size)
%EVEN_IMAGE  One observation in which each channel is the same everywhere.
%
%   x = octcompress.prune.even_image (values, in_size)
%
%   values   C x 1; NaN counts as 0
%   in_size  of one observation; an unknown number of steps is taken for 2
%   x        in the engine's layout
%
%   See also octcompress.prune.shrink.

  values(isnan (values)) = 0;
  in_size(isnan (in_size)) = 2;
  switch numel (in_size)
    case 1
      x = values;
    case 2
      x = repmat (values, [1, 1, in_size(2)]);
    otherwise
      x = repmat (values, [1, in_size(2), 1, in_size(1)]);
  end
end

%!test
%! x = octcompress.prune.even_image ([1; NaN], [4 3 2]);
%! assert (x, repmat ([1; 0], [1 3 1 4]));
