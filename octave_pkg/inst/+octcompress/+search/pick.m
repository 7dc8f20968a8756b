function x = pick (x, input_size, which)
%PICK  Some of the observations of a network's inputs.
%
%   x = octcompress.search.pick (x, input_size, which)
%
%   x           F x N, H x W x C x N, or F x N x T
%   input_size  the network's
%   which       numbers of observations
%
%   See also octcompress.model.observations, nn_predict.

  if numel (input_size) == 3
    x = x(:, :, :, which);
  else
    x = x(:, which, :);
  end
end

%!assert (octcompress.search.pick ([1 2 3; 4 5 6], 2, [3 1]), [3 1; 6 4])
%!assert (octcompress.search.pick (reshape (1:8, 2, 2, 1, 2), [2 2 1], 2), [5 7; 6 8])
