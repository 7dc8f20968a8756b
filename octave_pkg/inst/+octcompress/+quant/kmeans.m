function [codebook, info] = kmeans (w, count, varargin)
%KMEANS  A codebook for an array: Lloyd's algorithm on its values.
%
%   [codebook, info] = octcompress.quant.kmeans (w, count, ...)
%
%   w         single or double, any size, finite
%   count     number of entries; fewer come back where w has fewer distinct values
%   codebook  column, rising, in the class of w
%
%   Options, as name-value pairs or a struct:
%     start ('linear')    centres to begin with [1]: 'linear' between the least and the greatest
%                         value; 'density' at equal shares of the values; 'random' values
%     weights ([])        the size of w, not negative: the weighted squared error falls instead,
%                         with the Hessian's diagonal the output error [2]
%     iterations (100)    at most; ends when no centre moves
%     zero (false)        true: zeros of w are left out, and 0 becomes an entry of its own, beside
%                         the count others: pruned weights stay zero [1]
%     seed (0)            of 'random'
%
%   info.iterations  done; info.error  the (weighted) sum of squares that is left
%
%   The values are sorted once; each cluster is then an interval, and its mean a difference of
%   running sums, so an iteration costs only a search for count - 1 boundaries.
%
%   [1] Han et al., Deep compression, ICLR 2016, arXiv:1510.00149, section 3.
%   [2] Choi et al., Towards the limit of network quantization, ICLR 2017, arXiv:1612.01543.
%
%   See also nn_quantize, octcompress.quant.nearest_entry.

  defaults = struct ('start', 'linear', 'weights', [], 'iterations', 100, 'zero', false, 'seed', 0);
  options = octcompress.internal.parse_options ('kmeans', defaults, varargin);
  octcompress.internal.check ('kmeans', 'w', w, 'finite');
  octcompress.internal.check ('kmeans', 'count', count, 'integer', [1 65536]);
  octcompress.internal.check ('kmeans', 'start', options.start, 'choice', ...
                              {'linear', 'density', 'random'});
  octcompress.internal.check ('kmeans', 'iterations', options.iterations, 'integer', [0 Inf]);
  octcompress.internal.check ('kmeans', 'zero', options.zero, 'flag');
  values = double (w(:));
  weights = ones (size (values));
  if ~isempty (options.weights)
    weights = double (options.weights(:));
  end
  if options.zero
    weights(values == 0) = [];
    values(values == 0) = [];
  end
  [values, order] = sort (values);
  weights = weights(order);
  if sum (weights) == 0
    weights(:) = 1;
  end

  centres = unique (first_centres (values, count, options));
  mass = [0; cumsum(weights)];
  moment = [0; cumsum(weights .* values)];
  info.iterations = 0;
  while info.iterations < options.iterations && ~isempty (centres)
    info.iterations = info.iterations + 1;
    [~, ends] = intervals (values, centres);
    m = mass(ends(2:end)) - mass(ends(1:end-1));
    s = moment(ends(2:end)) - moment(ends(1:end-1));
    moved = centres;
    moved(m > 0) = s(m > 0) ./ m(m > 0);
    if isequal (moved, centres)
      break
    end
    centres = sort (moved);
  end
  codebook = cast (unique (centres), class (w));
  place = intervals (values, double (codebook));
  codebook = codebook(unique (place));   % entries that nothing uses would only cost bits
  place = intervals (values, double (codebook));
  info.error = sum (weights .* (values - double (codebook(place))) .^ 2);
  if options.zero && any (w(:) == 0)
    codebook = unique ([codebook; zeros(1, class (w))]);
  end
end

function centres = first_centres (values, count, options)
  n = numel (values);
  if n == 0
    centres = zeros (0, 1);
    return
  end
  switch options.start
    case 'linear'
      centres = values(1) + (values(n) - values(1)) * (0:count-1)' / max (count - 1, 1);
      if count == 1
        centres = mean (values);
      end
    case 'density'
      centres = values(max (ceil (((1:count)' - 0.5) / count * n), 1));
    case 'random'
      before = rand ('twister');
      rand ('twister', options.seed);
      centres = values(max (ceil (rand (count, 1) * n), 1));
      rand ('twister', before);
  end
end

function [place, ends] = intervals (values, centres)
  % Values from ends(k) on up to ends(k + 1) - 1 belong to centre k.
  place = octcompress.quant.nearest_entry (values, centres);
  ends = [1; 1 + cumsum(accumarray (place, 1, [numel(centres), 1]))];
end

%!test % two clusters
%! [codebook, info] = octcompress.quant.kmeans ([0 1 10 11 12], 2);
%! assert (codebook, [0.5; 11]);
%! assert (info.error, 0.5 + 2);
%!test % weights pull the centres
%! assert (octcompress.quant.kmeans ([0 1 10 14], 2, 'weights', [1 3 1 1]), [0.75; 12]);
%!test % zeros keep an entry of their own
%! codebook = octcompress.quant.kmeans (single ([0 0 0 1 1.2 -3]), 2, 'zero', true);
%! assert (codebook, single ([-3; 0; 1.1]));
%!test % where to begin; all end no worse than they began
%! w = mod ((1:500) * 0.377, 1) .^ 3;
%! for start = {'linear', 'density', 'random'}
%!   [~, before] = octcompress.quant.kmeans (w, 8, 'start', start{1}, 'iterations', 0);
%!   [codebook, after] = octcompress.quant.kmeans (w, 8, 'start', start{1});
%!   assert (after.error <= before.error);
%!   assert (issorted (codebook));
%!   nearest = codebook(octcompress.quant.nearest_entry (w, codebook))';
%!   for k = 1:numel (codebook)
%!     assert (mean (w(nearest == codebook(k))), codebook(k), 1e-12);
%!   end
%! end
%!test % fewer distinct values than entries; one entry; nothing
%! assert (octcompress.quant.kmeans ([2 2 5], 4), [2; 5], 1e-12);
%! assert (octcompress.quant.kmeans ([2 4], 1), 3);
%! assert (size (octcompress.quant.kmeans ([], 4)), [0 1]);
%!error <kmeans: START must be one of 'linear', 'density', 'random', but is 'even'> octcompress.quant.kmeans ([1 2], 2, 'start', 'even')
