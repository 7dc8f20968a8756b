function x = to_engine (x, input_size)
%TO_ENGINE  From the user's layout of a batch to the engine's.
%
%   x = octcompress.model.to_engine (x, input_size)
%
%   input_size  of one observation: F (features), [H W C] (image) or [F T] (sequence)
%   x           F x N; H x W x C x N, which becomes C x W x N x H; F x N x T
%
%   Channels first lets every layer treat them alike, and a convolution take each row of its
%   kernel as a contiguous slice.
%
%   See also octcompress.model.from_engine.

  if numel (input_size) == 3
    x = permute (x, [3 2 4 1]);
  end
end

%!assert (size (octcompress.model.to_engine (zeros (28, 27, 3, 5), [28 27 3])), [3 27 5 28])
%!assert (octcompress.model.to_engine ([1 2; 3 4], 2), [1 2; 3 4])
