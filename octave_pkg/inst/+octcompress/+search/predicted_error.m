function share = predicted_error (margins, loss)
%PREDICTED_ERROR  How many answers change when a network's outputs are disturbed.
%
%   share = octcompress.search.predicted_error (margins, loss)
%
%   margins  1 x N: by how much the greatest output of each observation leads the second
%   loss     mean squared disturbance of an output, any size
%   share    the size of loss, 0 to 1
%
%   With Gaussian disturbances of variance v, alike and independent in all outputs, the difference
%   of two outputs has the variance 2 v, and the leader changes with the probability
%     mean (erfc (margin / (2 * sqrt (v))) / 2).
%
%   See also octcompress.search.layer_curves, nn_compress.

  share = zeros (size (loss));
  for k = 1:numel (loss)
    share(k) = mean (erfc (margins(:) / (2 * sqrt (max (loss(k), realmin))))) / 2;
  end
end

%!assert (octcompress.search.predicted_error ([1 2 3], 0), 0)
%!assert (octcompress.search.predicted_error ([0 0], [1; 4]), [0.5; 0.5])
%!test % as simulated
%! randn ('twister', 1);
%! margins = 3 * rand (1, 2000);
%! for v = [0.3 1]
%!   d = sqrt (v) * randn (2, 2000);
%!   seen = mean (margins + d(1, :) < d(2, :));
%!   assert (octcompress.search.predicted_error (margins, v), seen, 0.02);
%! end
