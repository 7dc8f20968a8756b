function s = total_of_products (a, b, count)
%TOTAL_OF_PRODUCTS  The sum of a .* b, of each channel.
%
%   s = octcompress.layers.total_of_products (a, b, count)
%
%   a, b   C x anything, of one size
%   count  so many columns are summed first, which takes fewer roundings than all as one
%   s      C x 1
%
%   See also octcompress.layers.batchnorm, octcompress.layers.correlate_channels.

  c = size (a, 1);
  a = reshape (a, c, []);
  b = reshape (b, c, []);
  whole = size (a, 2) - mod (size (a, 2), count);
  s = dot (reshape (a(:, 1:whole), c, count, []), reshape (b(:, 1:whole), c, count, []), 2);
  s = sum (s, 3) + dot (a(:, whole + 1:end), b(:, whole + 1:end), 2);
end

%!test % columns left over, and none
%! a = reshape (1:42, 2, 3, 7);
%! b = rand (2, 3, 7);
%! for count = [4 7 21 50]
%!   s = octcompress.layers.total_of_products (a, b, count);
%!   assert (s, sum (sum (a .* b, 2), 3), 1e-11);
%! end
%! assert (class (octcompress.layers.total_of_products (single (a), single (b), 4)), 'single');
