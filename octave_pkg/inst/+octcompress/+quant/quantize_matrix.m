function [q, bias, grid, info] = quantize_matrix (w, bias, stats, bits, options)
%QUANTIZE_MATRIX  A layer's weights on a grid, with calibration data: grid, rounding and bias.
%
%   [q, bias, grid, info] = octcompress.quant.quantize_matrix (w, bias, stats, bits, options)
%
%   w        out x in: the layer as a matrix (octcompress.model.weights_matrix)
%   bias     out x 1, or [] for a layer that has none
%   stats    of octcompress.model.input_gram, preferably with a reference; with g groups of
%            inputs, rows 1 to out/g belong to the first, and so on
%   bits     1 to 16
%   options  struct with fields scheme, axis (0 or 1), group, power2, fit, rounding, sparsity,
%            damping, bias_correction, steps, seed, start, zeros, as in nn_quantize
%   q        out x in, the values on the grid; info.codes their codes
%   info.output_sqnr  in dB: the output without error over the error, on the data
%
%   The weights are first fitted to the layer's new inputs (octcompress.quant.refit), unless the
%   rounding is to nearest or stochastic.
%
%   See also nn_quantize, octcompress.quant.gptq, octcompress.quant.adaround, octcompress.quant.obq.

  class_name = class (w);
  out = size (w, 1);
  groups = size (stats.gram, 3);
  compensated = any (strcmp (options.rounding, {'gptq', 'obq', 'adaround'}));
  parts = cell (1, groups);
  rows = reshape (1:out, [], groups);
  target = double (w);
  importance = zeros (size (w));
  for g = 1:groups
    parts{g} = octcompress.model.stats_of_group (stats, g);
    r = rows(:, g);
    if compensated
      target(r, :) = octcompress.quant.refit (parts{g}, w(r, :), part_of (bias, r), ...
                                              options.damping);
    end
    parts{g}.centred = octcompress.quant.centre (parts{g}, ~isempty (bias));
    importance(r, :) = repmat (diag (parts{g}.centred)', numel (r), 1);
  end
  if ~isempty (options.zeros)
    target(options.zeros) = 0;
  end

  grid = grid_of (cast (target, class_name), importance, bits, options);
  if strcmp (options.fit, 'hessian') && ~isfield (grid, 'codebook') ...
        && isempty (octcompress.quant.float_format (grid.scheme))
    shares = 0.15:0.025:1;
    if options.power2
      shares = [1 0.5 0.25 0.125];
    end
    if grid.axis == 1
      for g = 1:groups
        r = rows(:, g);
        [part, place] = rows_of_grid (grid, r, out);
        part = octcompress.quant.hessian_scales (target(r, :), parts{g}.centred, part, ...
                                                 'shares', shares, ...
                                                 'damping', options.damping, 'zeros', ...
                                                 part_of (options.zeros, r));
        grid.scale(place) = part.scale;
      end
    elseif groups == 1 && ~isfield (grid, 'group')
      grid = octcompress.quant.hessian_scales (target, parts{1}.centred, grid, 'shares', shares, ...
                                               'damping', options.damping, 'zeros', options.zeros);
    end
  end

  if numel (target) > 4e6
    target = cast (target, class_name);
  end
  codes = zeros (size (w));
  for g = 1:groups
    r = rows(:, g);
    codes(r, :) = rounded (target(r, :), parts{g}.centred, rows_of_grid (grid, r, out), ...
                           part_of (options.zeros, r), options);
  end
  q = octcompress.quant.decode_grid (codes, grid, class_name);
  info.codes = codes;
  signal = 0;
  noise = 0;
  for g = 1:groups
    r = rows(:, g);
    if ~isempty (bias) && options.bias_correction
      bias(r) = octcompress.quant.corrected_bias (parts{g}, w(r, :), bias(r), q(r, :));
    end
    t = double (target(r, :));
    e = t - double (q(r, :));
    signal = signal + sum (sum ((t * parts{g}.centred) .* t));
    noise = noise + sum (sum ((e * parts{g}.centred) .* e));
  end
  info.output_sqnr = 10 * log10 (signal / noise);
end

function grid = grid_of (w, importance, bits, options)
  if strcmp (options.scheme, 'codebook')
    codebook = octcompress.quant.kmeans (w, 2 ^ bits, 'start', options.start, 'seed', ...
                                         options.seed, ...
      'weights', importance + 1e-9 * max (importance(:)), 'zero', ~isempty (options.zeros));
    grid = struct ('bits', bits, 'scheme', 'codebook', 'codebook', codebook, 'axis', 0);
    return
  end
  extra = {};
  if strcmp (options.fit, 'mse') || (strcmp (options.fit, 'hessian') && options.axis == 0 ...
                                     && size (importance, 1) > 1)
    extra = {'importance', importance};
  end
  fit = options.fit;
  if strcmp (fit, 'hessian')
    fit = 'range';
  end
  grid = octcompress.quant.choose_grid (w, bits, options.scheme, options.axis, 'group', ...
                                        options.group, ...
                                        'power2', options.power2, 'fit', fit, extra{:});
end

function codes = rounded (w, gram, grid, zero, options)
  switch options.rounding
    case 'gptq'
      codes = octcompress.quant.gptq (w, gram, grid, 'damping', options.damping, 'zeros', zero, ...
                                      'sparsity', options.sparsity);
    case 'obq'
      codes = octcompress.quant.obq (w, gram, grid, 'damping', options.damping, 'zeros', zero, ...
                                     'sparsity', options.sparsity);
    case 'adaround'
      codes = octcompress.quant.adaround (w, gram, grid, 'steps', options.steps, 'zeros', zero);
    case 'stochastic'
      codes = double (octcompress.quant.encode_stochastic (w, grid, options.seed));
    otherwise
      codes = double (octcompress.quant.encode_grid (w, grid));
  end
end

function part = part_of (values, rows)
  part = [];
  if ~isempty (values)
    part = values(rows, :);
  end
end

function [part, place] = rows_of_grid (grid, rows, out)
  part = grid;
  if isfield (grid, 'codebook') || grid.axis == 0
    place = 1;
    return
  end
  each = numel (grid.scale) / out;
  place = reshape ((rows' - 1) * each + (1:each)', [], 1);
  part.scale = grid.scale(place);
  part.zero_point = grid.zero_point(place);
end

%!test % on the grid, and of less error at the output than rounding to nearest
%! rand ('twister', 4);
%! mix = rand (12, 12) - 0.3;
%! x = mix * (rand (12, 400) - 0.5);
%! layer = struct ('type', 'dense', 'name', 'a', 'weights', rand (5, 12) - 0.5, 'bias', ...
%!                 rand (5, 1));
%! model = octcompress.model.tidy ('f', struct ('layers', {{layer}}));
%! stats = octcompress.model.input_gram ('f', model, x, 1, 100, model);
%! options = struct ('scheme', 'symmetric', 'axis', 1, 'group', [], 'power2', false, ...
%!                   'fit', 'range', 'rounding', 'nearest', 'sparsity', 0, 'damping', 0.01, ...
%!                   'bias_correction', false, 'steps', 100, 'seed', 0, 'start', 'linear', ...
%!                   'zeros', []);
%! [near, ~, grid] = octcompress.quant.quantize_matrix (layer.weights, layer.bias, stats, 3, ...
%!                                                      options);
%! assert (near, octcompress.quant.snap_to_grid (layer.weights, grid));
%! options.rounding = 'gptq';
%! [q, ~, grid, info] = octcompress.quant.quantize_matrix (layer.weights, layer.bias, stats, 3, ...
%!                                                         options);
%! assert (q, octcompress.quant.decode_grid (info.codes, grid, 'double'));
%! error_of = @(v) norm ((v - layer.weights) * (x - mean (x, 2)), 'fro');
%! assert (error_of (q) < 0.9 * error_of (near));
