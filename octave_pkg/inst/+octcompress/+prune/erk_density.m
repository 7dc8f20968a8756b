function density = erk_density (sizes, share)
%ERK_DENSITY  Share of weights to keep in each layer: Erdos-Renyi with kernels.
%
%   density = octcompress.prune.erk_density (sizes, share)
%
%   sizes    cell of the weights' sizes, as octave's size gives them
%   share    0 to 1, of all weights to keep
%   density  1 x numel (sizes) double, each 0 to 1: proportional to sum (size) / prod (size) [1, 2];
%            layers that would need more than 1 are dense, and the others share the rest.
%            sum (density .* number of weights) = share * number of all weights.
%
%   [1] Mocanu et al., Scalable training of artificial neural networks with adaptive sparse
%       connectivity, 2018, arXiv:1707.04780.
%   [2] Evci et al., Rigging the lottery, ICML 2020, arXiv:1911.11134.
%
%   See also nn_prune.

  counts = cellfun (@prod, sizes(:)');
  raw = cellfun (@sum, sizes(:)') ./ counts;
  dense = false (size (counts));
  while true
    free = ~dense;
    budget = share * sum (counts) - sum (counts(dense));
    density = ones (size (counts));
    density(free) = max (budget, 0) * raw(free) / sum (raw(free) .* counts(free));
    over = free & density > 1;
    if ~any (over)
      return
    end
    dense = dense | over;
  end
end

%!test
%! d = octcompress.prune.erk_density ({[300 784], [100 300], [10 100]}, 0.1);
%! n = [235200 30000 1000];
%! assert (sum (d .* n), 0.1 * sum (n), 1e-6);
%! assert (d(1) / d(2), (1084 / 235200) / (400 / 30000), 1e-12);
%!test % small layers stay whole
%! d = octcompress.prune.erk_density ({[10 10], [1000 1000]}, 0.5);
%! assert (d, [1, (0.5 * 1000100 - 100) / 1e6], 1e-12);
%!assert (octcompress.prune.erk_density ({[2 3], [4 5]}, 1), [1 1])
%!assert (octcompress.prune.erk_density ({[2 3], [4 5]}, 0), [0 0])
