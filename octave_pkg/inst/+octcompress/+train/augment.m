function images = augment (images, input_size, augmentation, training)
%AUGMENT  Random flips, shifts and crops of a batch of images.
%
%   images = octcompress.train.augment (images, input_size, augmentation, training)
%
%   images        H x W x C x n; with pixels, features x n
%   input_size    [h w c] of the images that come out; smaller than H x W only with crop
%   augmentation  struct:
%     flip   'none', 'horizontal' (left and right, each image with probability 1/2), 'vertical',
%            'both'
%     shift  0 or more pixels: each image moves by -shift to shift in both directions, zeros come in
%     crop   true: a window of h x w at a random place
%     pixels [H W C] of images whose pixels are the features, along each row of the image, as
%            nn_data gives them; [] where they are images already
%   training      false: nothing is random; with crop the window is in the middle
%
%   Each image takes four numbers of rand (4, n): flip left-right, flip up-down, row, column.
%
%   See also nn_train.

  if ~isempty (augmentation.pixels)
    dims = augmentation.pixels(:)';
    augmentation.pixels = [];
    images = permute (reshape (images, [dims([2 1 3]), size(images, 2)]), [2 1 3 4]);
    images = octcompress.train.augment (images, dims, augmentation, training);
    images = reshape (permute (images, [2 1 3 4]), prod (dims), []);
    return
  end
  [rows, columns, channels, count] = size (images);
  height = input_size(1);
  width = input_size(2);
  if ~training
    top = floor ((rows - height) / 2);
    left = floor ((columns - width) / 2);
    images = images(top + 1:top + height, left + 1:left + width, :, :);
    return
  end
  u = octcompress.train.random ('uniform', [4, count]);
  mirrored = u(1, :) < 0.5 & any (strcmp (augmentation.flip, {'horizontal', 'both'}));
  upended = u(2, :) < 0.5 & any (strcmp (augmentation.flip, {'vertical', 'both'}));
  % With a border of zeros, a shift is a crop too.
  border = augmentation.shift;
  padded = zeros (rows + 2 * border, columns + 2 * border, channels, count, class (images));
  padded(border + 1:border + rows, border + 1:border + columns, :, :) = images;
  top = floor (u(3, :) * (rows - height + 2 * border + 1));
  left = floor (u(4, :) * (columns - width + 2 * border + 1));
  r = top + (1:height)';
  r(:, upended) = r(end:-1:1, upended);
  c = left + (1:width)';
  c(:, mirrored) = c(end:-1:1, mirrored);
  [rows, columns, ~] = size (padded);
  first = rows * columns * (reshape ((0:channels - 1)', 1, 1, []) ...
                            + channels * reshape (0:count - 1, 1, 1, 1, []));
  index = reshape (r, height, 1, 1, []) + rows * (reshape (c, 1, width, 1, []) - 1) + first;
  images = reshape (padded(index), [height, width, channels, count]);
end

%!function y = run (x, input_size, varargin)
%!  augmentation = struct ('flip', 'none', 'shift', 0, 'crop', false, 'pixels', []);
%!  for k = 1:2:numel (varargin)
%!    augmentation.(varargin{k}) = varargin{k + 1};
%!  end
%!  before = octcompress.train.random ('seed', 5);
%!  y = octcompress.train.augment (x, input_size, augmentation, true);
%!  octcompress.train.random ('restore', before);
%!endfunction
%!shared x
%! x = repmat (single ([1 2; 3 4]), [1 1 3 200]);
%!assert (run (x, [2 2 3]), x)
%!test % about half are mirrored, and nothing else happens
%! y = run (x, [2 2 3], 'flip', 'horizontal');
%! same = squeeze (all (all (all (y == x, 1), 2), 3));
%! turned = squeeze (all (all (all (y == x(:, [2 1], :, :), 1), 2), 3));
%! assert (all (same | turned));
%! assert (mean (turned), 0.5, 0.15);
%!test % upside down too
%! y = run (x, [2 2 3], 'flip', 'both');
%! assert (unique (reshape (y(1, 1, 1, :), 1, [])), single ([1 2 3 4]));
%!test % shifts: every place in the range is met, zeros come in
%! y = run (x, [2 2 3], 'shift', 1);
%! assert (unique (reshape (y(1, 1, 1, :), 1, [])), single ([0 1 2 3 4]));
%! moved = reshape (y(:, :, 2, :), 4, []);
%! assert (size (unique (moved', 'rows'), 1), 9);
%!test % crops
%! image = reshape (1:20, 5, 4);
%! y = run (repmat (image, [1 1 1 100]), [3 3 1], 'crop', true);
%! assert (size (y), [3 3 1 100]);
%! assert (unique (reshape (y(1, 1, 1, :), 1, [])), [1 2 3 6 7 8]);
%! for n = 1:100
%!   [r, c] = find (image == y(1, 1, 1, n));
%!   assert (y(:, :, 1, n), image(r:r+2, c:c+2));
%! end
%!test % features that are pixels, along each row of the image
%! images = reshape (1:4*3*2*5, [4 3 2 5]);
%! features = reshape (permute (images, [2 1 3 4]), [], 5);
%! moved = run (images, [4 3 2], 'shift', 2, 'flip', 'both');
%! assert (run (features, 24, 'shift', 2, 'flip', 'both', 'pixels', [4 3 2]), ...
%!         reshape (permute (moved, [2 1 3 4]), [], 5));
%!test % no randomness: the window in the middle
%! y = octcompress.train.augment (reshape (1:20, 5, 4), [3 2 1], struct ('pixels', []), false);
%! assert (y, [7 12; 8 13; 9 14]);
