function y = from_features (features, out_size)
%FROM_FEATURES  Back from channels, places and observations to the engine's layout.
%
%   y = octcompress.distill.from_features (features, out_size)
%
%   features  C x P x N, or (C * P) x N
%   out_size  of one observation: F, [H W C] or [F T]
%   y         F x N, C x W x N x H of images, F x N x T of sequences
%
%   See also octcompress.distill.to_features.

  switch numel (out_size)
    case 1
      y = reshape (features, out_size, []);
    case 2
      count = numel (features) / max (prod (out_size), 1);
      y = permute (reshape (features, out_size(1), out_size(2), count), [1 3 2]);
    otherwise
      h = out_size(1);
      w = out_size(2);
      c = out_size(3);
      count = numel (features) / max (h * w * c, 1);
      y = permute (reshape (features, c, w, h, count), [1 2 4 3]);
  end
end

%!test % there and back
%! for out_size = {3, [4 2], [5 3 2]}
%!   engine = {[3 6], [4 6 2], [2 3 6 5]};
%!   y = reshape (1:prod (engine{numel (out_size{1})}), engine{numel (out_size{1})});
%!   f = octcompress.distill.to_features (y, out_size{1});
%!   assert (octcompress.distill.from_features (f, out_size{1}), y);
%!   assert (octcompress.distill.from_features (reshape (f, [], 6), out_size{1}), y);
%! end
