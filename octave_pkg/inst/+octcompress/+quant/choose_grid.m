function grid = choose_grid (w, bits, scheme, axis, varargin)
%CHOOSE_GRID  The grid that covers an array.
%
%   grid = octcompress.quant.choose_grid (w, bits)
%   grid = octcompress.quant.choose_grid (w, bits, scheme, axis)
%   grid = octcompress.quant.choose_grid (w, bits, scheme, axis, ...)
%
%   w       single or double, any size, finite
%   bits    1 to 16
%   scheme  'symmetric' (default): codes -(2^(bits-1) - 1) to 2^(bits-1) - 1,
%             scale = max (abs (w)) / (2^(bits-1) - 1), zero_point = 0;
%             with 1 bit the codes are sign (w) and scale = mean (abs (w(w ~= 0))) [2]
%           'signed': the same with the code -2^(bits-1) too
%           'affine': codes -2^(bits-1) to 2^(bits-1) - 1 over [lo hi], the range of w widened
%             to hold 0, scale = hi / (2^bits - 1) - lo / (2^bits - 1),
%             zero_point = round (-2^(bits-1) - lo / scale) [1, eq. 1]
%           'unsigned': the same with codes 0 to 2^bits - 1
%           'bf16', 'fp16', 'fp8_e4m3', 'fp8_e5m2': floating point [3]; bits is then not used;
%             the scale is 1, and max (abs (w)) over the greatest value for the two of 8 bits
%   axis    0 (default): one scale for all; d: one for each slice of dimension d
%   grid    struct: bits, scheme, scale and zero_point (scalar, or a column with one entry for
%           each slice or group; in the class of w), axis, and group where it was asked for
%
%   Options, as name-value pairs or a struct:
%     group ([])         so many elements of each slice share a scale; grid.scale then has the
%                        groups of the first slice, of the second, ...
%     power2 (false)     true: scales are powers of two, so multiplying is shifting
%     fit ('range')      'range': the grid covers all of w; 'mse': the range is scaled down to
%                        where the squared error is least (100 steps, then the best scale for
%                        the codes). For 2 bits symmetric, three levels, the least error is found
%                        exactly: ternary weights [4] with the best threshold
%     importance ([])    the size of w, not negative: weights of the squares in 'mse'
%
%   The range and the scale are computed in double; the scale is then rounded to the class of w.
%   A scale that would be 0 is 1. Zero is always on the grid, so pruned weights stay zero.
%
%   Errors: octcompress:choose_grid:badValue.
%
%   [1] Jacob et al., Quantization and training of neural networks, CVPR 2018, arXiv:1712.05877.
%   [2] Rastegari et al., XNOR-Net, ECCV 2016, arXiv:1603.05279.
%   [3] Micikevicius et al., FP8 formats for deep learning, 2022, arXiv:2209.05433.
%   [4] Li et al., Ternary weight networks, 2016, arXiv:1605.04711.
%
%   See also octcompress.quant.grid_of_range, octcompress.quant.encode_grid, nn_quantize.

  if nargin < 3
    scheme = 'symmetric';
  end
  if nargin < 4
    axis = 0;
  end
  caller = 'choose_grid';
  defaults = struct ('group', [], 'power2', false, 'fit', 'range', 'importance', []);
  options = defaults;
  if ~isempty (varargin)
    options = octcompress.internal.parse_options (caller, defaults, varargin);
    octcompress.internal.check (caller, 'fit', options.fit, 'choice', {'range', 'mse'});
    octcompress.internal.check (caller, 'power2', options.power2, 'flag');
  end
  octcompress.internal.check (caller, 'bits', bits, 'integer', [1 16]);
  octcompress.internal.check (caller, 'scheme', scheme, 'choice', ...
    {'symmetric', 'affine', 'signed', 'unsigned', 'bf16', 'fp16', 'fp8_e4m3', 'fp8_e5m2'});
  octcompress.internal.check (caller, 'axis', axis, 'integer', [0 16]);
  octcompress.internal.check (caller, 'w', w, 'finite');
  format = octcompress.quant.float_format (scheme);
  bits = double (bits);
  axis = double (axis);

  cut = {};
  if ~isempty (options.group)
    octcompress.internal.check (caller, 'group', options.group, 'integer', [1 Inf]);
    cut = {double(options.group)};
  end
  m = octcompress.quant.slices (w, axis, cut{:});
  importance = [];
  if ~isempty (options.importance)
    importance = double (octcompress.quant.slices (options.importance, axis, cut{:}));
  end
  if ~isempty (format)
    grid = float_grid (m, scheme, format, axis, class (w));
  elseif bits == 1 && strcmp (scheme, 'symmetric')
    scale = mean_magnitude (m, importance);
    if options.power2
      scale = octcompress.quant.next_power2 (scale);
    end
    grid = grid_of_scale (1, scale, axis, class (w));
  else
    [lo, hi] = octcompress.quant.range_of (m, 2 * (axis > 0 || ~isempty (cut)));
    if strcmp (options.fit, 'mse') && bits == 2 && strcmp (scheme, 'symmetric')
      grid = grid_of_scale (2, ternary_scale (m, importance), axis, class (w));
    else
      if strcmp (options.fit, 'mse')
        [lo, hi] = least_squares_range (m, importance, lo, hi, bits, scheme, options.power2);
      end
      grid = octcompress.quant.grid_of_range (lo, hi, bits, scheme, axis, class (w), ...
                                              options.power2);
    end
    if options.power2
      grid.scale = cast (octcompress.quant.next_power2 (double (grid.scale)), class (w));
    end
  end
  if ~isempty (cut)
    grid.group = cut{1};
  end
end

function grid = grid_of_scale (bits, scale, axis, class_name)
  scale = min (cast (scale, class_name), realmax (class_name));
  scale(scale == 0) = 1;
  grid = struct ('bits', bits, 'scheme', 'symmetric', 'scale', scale, ...
                 'zero_point', zeros (size (scale), class_name), 'axis', axis);
end

function scale = mean_magnitude (m, importance)
  magnitude = abs (double (m));
  used = double (magnitude ~= 0);
  if ~isempty (importance)
    magnitude = magnitude .* importance;
    used = used .* importance;
  end
  total = sum (used, 1)';
  total(total == 0) = 1;
  scale = sum (magnitude, 1)' ./ total;
  scale = scale(1:size (m, 2), 1);   % Octave's sum of a 0 x 0 matrix is 0
end

function scale = ternary_scale (m, importance)
  % With the k greatest magnitudes at the scale s and the rest at 0, the best s is their mean, and
  % the square error falls by sum^2 / k: take the k where that is most.
  magnitude = abs (double (m));
  scale = zeros (size (m, 2), 1);
  if isempty (magnitude)
    return
  end
  [magnitude, order] = sort (magnitude, 1, 'descend');
  if isempty (importance)
    part = cumsum (magnitude, 1);
    weight = repmat ((1:size (m, 1))', 1, size (m, 2));
  else
    importance = importance(order + (0:size (m, 2) - 1) * size (m, 1));
    part = cumsum (importance .* magnitude, 1);
    weight = cumsum (importance, 1);
  end
  weight(weight == 0) = Inf;
  [~, k] = max (part .^ 2 ./ weight, [], 1);
  place = k' + (0:size (m, 2) - 1)' * size (m, 1);
  scale = part(place) ./ weight(place);
end

function [lo, hi] = least_squares_range (m, importance, lo, hi, bits, scheme, power2)
  m = double (m);
  best = Inf (size (lo));
  share = ones (size (lo));
  for step = 100:-1:20
    grid = octcompress.quant.grid_of_range (lo * step / 100, hi * step / 100, bits, scheme, 2, ...
                                            'double', power2);
    square = (octcompress.quant.snap_to_grid (m, grid) - m) .^ 2;
    if ~isempty (importance)
      square = square .* importance;
    end
    err = sum (square, 1)';
    better = err < best;
    best(better) = err(better);
    share(better) = step / 100;
  end
  lo = lo .* share;
  hi = hi .* share;
end

function grid = float_grid (m, scheme, format, axis, class_name)
  scale = ones (size (m, 2), 1);
  if format.bits == 8 && size (m, 1) > 0
    scale = double (max (abs (m), [], 1))' / format.largest;
  end
  grid = grid_of_scale (format.bits, scale, axis, class_name);
  grid.scheme = scheme;
end

%!test
%! grid = octcompress.quant.choose_grid (single ([-2 0 1]), 4);
%! assert (grid, struct ('bits', 4, 'scheme', 'symmetric', 'scale', single (2 / 7), ...
%!                       'zero_point', single (0), 'axis', 0));
%!test % affine: the range holds zero, and zero is a code
%! grid = octcompress.quant.choose_grid ([1 5], 8, 'affine');
%! assert ({grid.scale, grid.zero_point}, {5 / 255, -128});
%! grid = octcompress.quant.choose_grid ([-1 3], 2, 'affine');
%! assert ({grid.scale, grid.zero_point}, {3 / 3 - -1 / 3, -1});
%!test % one scale for each row
%! grid = octcompress.quant.choose_grid ([1 -7; 14 0], 4, 'symmetric', 1);
%! assert (grid.scale, [1; 2]);
%!test % one bit
%! grid = octcompress.quant.choose_grid ([1 -3 0 0], 1);
%! assert (grid.scale, 2);
%!test % nothing to scale by
%! for w = {zeros(2, 2), [], single(1e-45)}
%!   grid = octcompress.quant.choose_grid (w{1}, 8);
%!   assert (grid.scale, ones (1, class (w{1})));
%! end
%! grid = octcompress.quant.choose_grid (zeros (2), 1);
%! assert (grid.scale, 1);
%!test % groups of two inputs: [7 1], [14], [3 0], [0]
%! grid = octcompress.quant.choose_grid ([7 1 14; 3.5 0 0], 4, 'symmetric', 1, 'group', 2);
%! assert (grid.scale, [1; 2; 0.5; 1]);
%! assert (grid.group, 2);
%!test % a ternary grid beats every other threshold and scale
%! w = reshape (mod ((1:300) * 0.377, 2) - 1, 3, 100) .^ 3;
%! grid = octcompress.quant.choose_grid (w, 2, 'symmetric', 1, 'fit', 'mse');
%! err = sum ((octcompress.quant.snap_to_grid (w, grid) - w) .^ 2, 2);
%! for s = 0.02:0.02:1
%!   other = grid;
%!   other.scale(:) = s;
%!   assert (all (sum ((octcompress.quant.snap_to_grid (w, other) - w) .^ 2, 2) >= err - 1e-12));
%! end
%!test % an outlier: the range shrinks until the rest is served
%! w = [mod((1:1000) * 0.377, 2) - 1, 4];
%! plain = octcompress.quant.choose_grid (w, 3);
%! fitted = octcompress.quant.choose_grid (w, 3, 'symmetric', 0, 'fit', 'mse');
%! err = @(grid) sum ((octcompress.quant.snap_to_grid (w, grid) - w) .^ 2);
%! assert (err (fitted) < 0.5 * err (plain));
%!test % importance: only the first two count
%! grid = octcompress.quant.choose_grid ([1 -1 9 9], 2, 'symmetric', 0, 'fit', 'mse', ...
%!                                       'importance', [1 1 0 0]);
%! assert (grid.scale, 1);
%!test % floating point
%! grid = octcompress.quant.choose_grid (single ([896 1]), 8, 'fp8_e4m3');
%! assert ({grid.bits, grid.scale}, {8, single(2)});
%! grid = octcompress.quant.choose_grid (single ([896 1]), 8, 'bf16');
%! assert ({grid.bits, grid.scale}, {16, single(1)});
%!error <choose_grid: BITS must be a whole number from 1 to 16, but is 17> octcompress.quant.choose_grid (1, 17)
%!error <choose_grid: BITS must be a whole number from 1 to 16, but is empty \(0x0 double\)> octcompress.quant.choose_grid (1, [])
%!error <choose_grid: W must be finite, but element 2 of 2 is Inf> octcompress.quant.choose_grid ([1 Inf], 8)
%!error <choose_grid: SCHEME must be one of 'symmetric', 'affine', 'signed', 'unsigned', 'bf16', .*, but is 'odd'> octcompress.quant.choose_grid (1, 8, 'odd')
%!error <choose_grid: there is no option 'grp'> octcompress.quant.choose_grid (1, 8, 'symmetric', 0, 'grp', 3)
