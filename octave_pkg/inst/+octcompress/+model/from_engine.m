function y = from_engine (y, out_size)
%FROM_ENGINE  From the engine's layout of a batch to the user's.
%
%   y = octcompress.model.from_engine (y, out_size)
%
%   out_size  of one observation: F, [H W C] or [F T]
%   y         F x N; C x W x N x H, which becomes H x W x C x N; F x N x T
%
%   See also octcompress.model.to_engine.

  if numel (out_size) == 3
    y = permute (y, [4 2 1 3]);
  end
end

%!test % there and back
%! x = reshape (1:2*3*4*5, 2, 3, 4, 5);
%! assert (octcompress.model.from_engine (octcompress.model.to_engine (x, [2 3 4]), [2 3 4]), x);
