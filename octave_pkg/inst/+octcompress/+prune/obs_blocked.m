function [w, mask] = obs_blocked (w, inverse, share, width)
%OBS_BLOCKED  Prune a matrix in one pass over its columns, feeding the error forward (SparseGPT).
%
%   [W, mask] = octcompress.prune.obs_blocked (W, inverse, share)
%   [W, mask] = octcompress.prune.obs_blocked (W, inverse, mask)
%   [W, mask] = octcompress.prune.obs_blocked (W, inverse, share, width)
%
%   W        out x in double
%   inverse  in x in double, the inverse Hessian (octcompress.prune.damped_inverse)
%   share    0 to 1, of each block of columns to remove: those of least w^2 / U(j, j)^2 [1], with
%            inverse = U' * U; exactly floor (share * columns so far * out) up to each block
%   mask     or logical, true where a weight goes
%   width    (128) columns in a block
%
%   Column after column, the weights that go are set to zero and the columns to the right take over
%   what they did: W(:, j:end) = W(:, j:end) - (w_j - kept_j) / U(j, j) * U(j, j:end). All rows
%   share one U, so a layer of d inputs costs d^3 + out * d^2, where octcompress.prune.obs_order
%   costs out * d^3 and chooses better.
%
%   [1] Frantar, Alistarh, SparseGPT, ICML 2023, arXiv:2301.00774.
%
%   See also octcompress.prune.obs_layer.

  if nargin < 4
    width = 128;
  end
  [out, d] = size (w);
  upper = chol (inverse);
  is_given = islogical (share);
  mask = false (out, d);
  if is_given
    mask = share;
  end
  removed = 0;
  for first = 1:width:d
    block = first:min (first + width - 1, d);
    u = upper(block, block);
    part = w(:, block);
    if is_given
      gone = mask(:, block);
    else
      wanted = floor (share * block(end) * out) - removed;
      gone = octcompress.prune.smallest_mask ({part .^ 2 ./ (diag (u)') .^ 2}, wanted);
      gone = gone{1};
      mask(:, block) = gone;
      removed = removed + wanted;
    end
    errors = zeros (out, numel (block));
    for j = 1:numel (block)
      errors(:, j) = part(:, j) .* gone(:, j) / u(j, j);
      part(:, j+1:end) = part(:, j+1:end) - errors(:, j) * u(j, j+1:end);
      part(gone(:, j), j) = 0;
    end
    w(:, block) = part;
    w(:, block(end)+1:end) = w(:, block(end)+1:end) - errors * upper(block, block(end)+1:end);
  end
end

%!shared w, h, inverse
%! x = reshape (sin (1:600) + 0.3 * cos ((1:600) .^ 2), 12, 50);
%! h = x * x';
%! inverse = inv (h);
%! w = reshape (cos (1:60), 5, 12);
%!test % blocks change nothing but the choice
%! [~, mask] = octcompress.prune.obs_blocked (w, inverse, 0.5, 12);
%! assert (nnz (mask), 30);
%! a = octcompress.prune.obs_blocked (w, inverse, mask, 12);
%! b = octcompress.prune.obs_blocked (w, inverse, mask, 5);
%! assert (a, b, 1e-10);
%! assert (all (a(mask) == 0));
%!test % better than cutting, no better than least squares
%! [p, mask] = octcompress.prune.obs_blocked (w, inverse, 0.5, 4);
%! cut = w;
%! cut(mask) = 0;
%! best = octcompress.prune.fit_survivors (w, h, ~mask);
%! loss = @(v) trace ((w - v) * h * (w - v)');
%! assert (loss (p) < loss (cut));
%! assert (loss (best) <= loss (p) * (1 + 1e-9));
%!test % with the first columns gone, the rest is the least squares solution
%! mask = repmat ([true(1, 6) false(1, 6)], 5, 1);
%! assert (octcompress.prune.obs_blocked (w, inverse, mask, 4), ...
%!         octcompress.prune.fit_survivors (w, h, ~mask), 1e-8);
