function varargout = observer (form, varargin)
%OBSERVER  The range of a stream of values, in memory that does not grow.
%
%   state = octcompress.quant.observer ('start', kind)
%   state = octcompress.quant.observer ('start', kind, percentile)
%   state = octcompress.quant.observer ('add', state, x)
%   [lo, hi] = octcompress.quant.observer ('range', state, bits, scheme)
%
%   kind  'minmax'      the least and the greatest value seen
%         'average'     of each batch's least and greatest value a moving average, 0.9 * old +
%                       0.1 * new
%         'percentile'  from percentile (99.99) of the values upwards they are cut off, and as
%                       many at the lower end
%         'mse'         the cut at which the grid's squared error is least: of the upper end, then
%                       of the lower, in steps of 1% of the range
%         'kl'          the cut of the magnitudes at which the Kullback-Leibler divergence of the
%                       quantized from the true distribution is least [1]
%         'histogram'   the ends move inward, each time the one with the emptier tail, as long as
%                       the squared error falls [2]
%   x     a batch of values, single or double, any size; NaN makes the range NaN
%   bits, scheme  of the grid that the range is for
%   lo, hi        double; Inf, -Inf when nothing was added
%
%   The last four keep a histogram of 4096 bins over [-r, r], r a power of two that doubles when
%   needed (pairs of bins are then added up); values stand for the middles of their bins.
%
%   [1] Migacz, 8-bit inference with TensorRT, GTC 2017.
%   [2] PyTorch's HistogramObserver, torch.ao.quantization.
%
%   See also nn_calibrate, nn_quantize.

  switch form
    case 'start'
      varargout{1} = begin_state (varargin{:});
    case 'add'
      varargout{1} = add (varargin{:});
    case 'range'
      [varargout{1:2}] = range_for (varargin{:});
  end
end

function state = begin_state (kind, percentile)
  state = struct ('kind', kind, 'lo', Inf, 'hi', -Inf, 'percentile', 99.99, 'batches', 0, ...
                  'limit', 0, 'counts', []);
  if nargin > 1
    state.percentile = percentile;
  end
end

function state = add (state, x)
  if isempty (x)
    return
  end
  lo = double (min (x(:)));
  hi = double (max (x(:)));
  if any (isnan (x(:)))
    lo = NaN;
    hi = NaN;
  end
  state.batches = state.batches + 1;
  if strcmp (state.kind, 'average') && state.batches > 1
    state.lo = 0.9 * state.lo + 0.1 * lo;
    state.hi = 0.9 * state.hi + 0.1 * hi;
  elseif isnan (lo) || isnan (state.lo)
    state.lo = NaN;
    state.hi = NaN;
  else
    state.lo = min (state.lo, lo);
    state.hi = max (state.hi, hi);
  end
  if any (strcmp (state.kind, {'minmax', 'average'})) || ~isfinite (lo + hi)
    return
  end
  largest = max (-lo, hi);
  if state.limit == 0
    state.counts = zeros (4096, 1);
    if largest == 0
      state.counts(2049) = 0;
    end
    state.limit = octcompress.quant.next_power2 (max (largest, double (realmin ('single'))));
  end
  while largest > state.limit
    pairs = state.counts(1:2:end) + state.counts(2:2:end);
    state.counts = [zeros(1024, 1); pairs; zeros(1024, 1)];
    state.limit = 2 * state.limit;
  end
  bin = floor (double (x(:)) / (state.limit / 2048)) + 2049;
  state.counts = state.counts + accumarray (min (bin, 4096), 1, [4096 1]);
end

function [lo, hi] = range_for (state, bits, scheme)
  lo = state.lo;
  hi = state.hi;
  if state.limit == 0 || ~isfinite (lo + hi)
    return
  end
  width = state.limit / 2048;
  middle = ((-2048:2047)' + 0.5) * width;
  switch state.kind
    case 'percentile'
      [from, to] = percentile_cut (state.counts, state.percentile, width);
    case 'mse'
      [from, to] = least_squares (state.counts, middle, lo, hi, bits, scheme);
    case 'kl'
      to = least_divergence (state.counts, width, lo < 0, bits, scheme);
      from = -to;
    case 'histogram'
      [from, to] = inward (state.counts, middle, width, lo, hi, bits, scheme);
  end
  lo = max (lo, from);
  hi = min (hi, to);
end

function [from, to] = percentile_cut (counts, percentile, width)
  total = sum (counts);
  kept = percentile / 100 * total;
  last = find (cumsum (counts) >= kept, 1);
  first = 4097 - find (cumsum (counts(end:-1:1)) >= kept, 1);
  from = (first - 2049) * width;
  to = (last - 2048) * width;
end

function err = squared_error (counts, middle, lo, hi, bits, scheme)
  grid = octcompress.quant.grid_of_range (lo, hi, bits, scheme, 0, 'double');
  e = octcompress.quant.snap_to_grid (middle, grid) - middle;
  err = sum (counts .* e .^ 2);
end

function [lo, hi] = least_squares (counts, middle, lo, hi, bits, scheme)
  seen = counts > 0;
  counts = counts(seen);
  middle = middle(seen);
  full = [lo hi];
  best = squared_error (counts, middle, lo, hi, bits, scheme);
  both = strcmp (scheme, 'symmetric') || strcmp (scheme, 'signed');
  for upper = [1 0]
    for share = 0.99:-0.01:0.1
      trial = [lo hi];
      if upper || both
        trial(2) = full(2) * share;
      end
      if ~upper || both
        trial(1) = full(1) * share;
      end
      err = squared_error (counts, middle, trial(1), trial(2), bits, scheme);
      if err < best
        best = err;
        lo = trial(1);
        hi = trial(2);
      end
    end
    if both
      break
    end
  end
end

function limit = least_divergence (counts, width, signed, bits, scheme)
  magnitude = counts(2049:4096) + counts(2048:-1:1);
  magnitude(1) = magnitude(2);   % the many zeros of relu say nothing about the range
  levels = 2 ^ (bits - 1);
  if ~signed && any (strcmp (scheme, {'affine', 'unsigned'}))
    levels = 2 ^ bits;
  end
  best = Inf;
  limit = 2048 * width;
  for n = [levels:8:2047, 2048]
    if n < levels
      continue
    end
    p = magnitude(1:n);
    group = min (floor ((0:n-1)' / (n / levels)) + 1, levels);
    used = double (p > 0);
    share = accumarray (group, p, [levels 1]) ./ max (accumarray (group, used, [levels 1]), 1);
    q = share(group) .* used;
    p(n) = p(n) + sum (magnitude(n+1:end));
    p = p / max (sum (p), 1);
    q = q / max (sum (q), 1);
    divergence = sum (p(p > 0) .* log (p(p > 0) ./ max (q(p > 0), 1e-12)));
    if divergence < best
      best = divergence;
      limit = n * width;
    end
  end
end

function [from, to] = inward (counts, middle, width, lo, hi, bits, scheme)
  seen = find (counts > 0);
  first = seen(1);
  last = seen(end);
  total = sum (counts);
  running = cumsum (counts);
  from = lo;
  to = hi;
  best = squared_error (counts(seen), middle(seen), lo, hi, bits, scheme);
  alpha = 0;
  beta = 1;
  step = 1e-4;
  while alpha + step < beta - step
    up = find (running >= (alpha + step) * total, 1);
    down = find (running >= (beta - step) * total, 1);
    up = max (up, first);
    down = min (down, last);
    if up - first > last - down
      alpha = alpha + step;
      trial = [up last];
    else
      beta = beta - step;
      trial = [first down];
    end
    if isequal (trial, [first last])
      continue
    end
    first = trial(1);
    last = trial(2);
    if first >= last
      break
    end
    low = max ((first - 2049) * width, lo);
    high = min ((last - 2048) * width, hi);
    err = squared_error (counts(seen), middle(seen), low, high, bits, scheme);
    if err > best
      break
    end
    best = err;
    from = low;
    to = high;
  end
end

%!function [lo, hi] = observed (kind, batches, bits, scheme)
%!  state = octcompress.quant.observer ('start', kind);
%!  for k = 1:numel (batches)
%!    state = octcompress.quant.observer ('add', state, batches{k});
%!  end
%!  [lo, hi] = octcompress.quant.observer ('range', state, bits, scheme);
%!endfunction
%!function err = error_of (x, range, bits, scheme)
%!  grid = octcompress.quant.grid_of_range (range(1), range(2), bits, scheme, 0, 'double');
%!  err = sum ((octcompress.quant.snap_to_grid (x, grid) - x) .^ 2);
%!endfunction
%!shared x, outliers
%! x = reshape (mod ((1:20000) * 0.7548776662, 1), 100, 200);
%! x = x + [x(:, 2:end), x(:, 1)] + [x(:, 8:end), x(:, 1:7)] - 1.5;
%! outliers = x(:)';
%! outliers([77 5000]) = [20 -9];
%!test
%! [lo, hi] = observed ('minmax', {[1 2], single([-3 0])}, 8, 'affine');
%! assert ([lo hi], [-3 2]);
%! [lo, hi] = observed ('average', {[-1 2], [-3 4]}, 8, 'affine');
%! assert ([lo hi], [-1.2 2.2], 1e-12);
%!test % a histogram is the same however the data come, and knows the ends
%! for kind = {'percentile', 'mse', 'kl', 'histogram'}
%!   [a, b] = observed (kind{1}, {x}, 4, 'affine');
%!   [c, d] = observed (kind{1}, num2cell (x, 1), 4, 'affine');
%!   assert ([a b], [c d]);
%!   assert (a >= min (x(:)) && b <= max (x(:)) && a < 0 && b > 0);
%! end
%!test % the range grows by doubling
%! state = octcompress.quant.observer ('start', 'mse');
%! for k = 0:5
%!   state = octcompress.quant.observer ('add', state, 10 ^ k * x(1:50));
%! end
%! assert (sum (state.counts), 300);
%! assert (numel (state.counts), 4096);
%!test % percentiles
%! state = octcompress.quant.observer ('start', 'percentile', 99);
%! state = octcompress.quant.observer ('add', state, (1:1000) / 1000 - 0.2);
%! [lo, hi] = octcompress.quant.observer ('range', state, 8, 'affine');
%! assert ([lo hi], [-0.19 0.79], 2e-3);
%!test % with outliers, every other observer beats min and max
%! [lo, hi] = observed ('minmax', {outliers}, 4, 'affine');
%! plain = error_of (outliers, [lo hi], 4, 'affine');
%! for kind = {'mse', 'histogram', 'kl', 'percentile'}
%!   [lo, hi] = observed (kind{1}, {outliers}, 4, 'affine');
%!   assert (error_of (outliers, [lo hi], 4, 'affine') < plain, kind{1});
%! end
%! [lo, hi] = observed ('mse', {outliers}, 4, 'symmetric');
%! assert (error_of (outliers, [lo hi], 4, 'symmetric') < error_of (outliers, [-9 20], 4, ...
%!                                                                  'symmetric'));
%!test % nothing, zeros, NaN
%! [lo, hi] = observed ('mse', {zeros(0, 3)}, 8, 'affine');
%! assert ([lo hi], [Inf -Inf]);
%! [lo, hi] = observed ('mse', {zeros(2, 3)}, 8, 'affine');
%! assert ([lo hi], [0 0]);
%! for kind = {'minmax', 'kl'}
%!   [lo, hi] = observed (kind{1}, {1, [NaN 2]}, 8, 'affine');
%!   assert (isnan (lo + hi));
%! end
