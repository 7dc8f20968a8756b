function features = to_features (y, out_size)
%TO_FEATURES  A layer's outputs as channels, places and observations.
%
%   features = octcompress.distill.to_features (y, out_size)
%
%   y         in the engine's layout: F x N, C x W x N x H of images, F x N x T of sequences
%   out_size  of one observation: F, [H W C] or [F T]
%   features  C x P x N: P is 1 of vectors, W * H of images, T of sequences
%
%   See also octcompress.distill.from_features, octcompress.model.forward.

  switch numel (out_size)
    case 1
      features = reshape (y, size (y, 1), 1, []);
    case 2
      features = permute (y, [1 3 2]);
    otherwise
      [c, w, n, h] = size (y);
      features = reshape (permute (y, [1 2 4 3]), c, w * h, n);
  end
end

%!assert (size (octcompress.distill.to_features (ones (3, 5), 3)), [3 1 5])
%!test
%! f = octcompress.distill.to_features (reshape (1:12, 2, 3, 2), [2 2]);
%! assert (f(:, :, 3), [5 11; 6 12]);
%!test
%! y = reshape (1:2*3*4*5, 2, 3, 4, 5);
%! f = octcompress.distill.to_features (y, [5 3 2]);
%! assert (size (f), [2 15 4]);
%! assert (f(:, 4, 2), y(:, 1, 2, 2));
