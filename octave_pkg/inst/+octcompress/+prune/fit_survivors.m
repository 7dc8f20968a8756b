function w = fit_survivors (w, h, kept)
%FIT_SURVIVORS  The weights that remain, fitted by least squares to do the work of all.
%
%   W = octcompress.prune.fit_survivors (W, h, kept)
%
%   W     out x in double
%   h     in x in double, positive definite (octcompress.prune.damped_inverse)
%   kept  out x in logical; the other weights become 0
%
%   In each row v, with the places S that are kept, v(S) = h(S, S) \ (h(S, :) * w): the least
%   (v - w) * h * (v - w)'. Rows that keep the same places are solved at once.
%
%   See also octcompress.prune.obs_layer.

  wanted = w * h;
  w = zeros (size (w));
  if all (all (kept == kept(1, :)))
    s = kept(1, :);
    w(:, s) = wanted(:, s) / h(s, s);
    return
  end
  for i = 1:size (w, 1)
    s = find (kept(i, :));
    if numel (s) == size (w, 2)
      factor = h;
    else
      factor = h(s, s);
    end
    w(i, s) = factor \ wanted(i, s)';
  end
end

%!test
%! h = [2 1 0; 1 3 1; 0 1 2];
%! w = octcompress.prune.fit_survivors ([1 2 3; 1 1 1], h, logical ([1 0 1; 1 1 1]));
%! assert (w, [2 0 4; 1 1 1], 1e-12);
%! assert (octcompress.prune.fit_survivors ([1 2 3; 1 1 1], h, logical ([1 0 1; 1 0 1])), ...
%!         [2 0 4; 1.5 0 1.5], 1e-12);
