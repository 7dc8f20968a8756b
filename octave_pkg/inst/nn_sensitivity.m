function report = nn_sensitivity (model, X, Y, varargin)
%NN_SENSITIVITY  Which layers lose most when they are quantized, and why.
%
%   nn_sensitivity (model, X)
%   report = nn_sensitivity (model, X, Y)
%   report = nn_sensitivity (model, X, Y, ...)
%
%   model  a network (docs/model-format.md)
%   X      inputs, as nn_predict takes them
%   Y      labels, as nn_evaluate takes them; [] or left out: only the outputs are compared
%
%   Options, as name-value pairs or a struct:
%     bits (2:8)       numbers of bits to try, one tensor at a time, the others as they are
%     quantize ([])    struct of further options of nn_quantize, for instance
%                      struct ('granularity', 'channel', 'rounding', 'gptq', 'data', X)
%     layers ([])      names or numbers of the layers to try; all
%     sparsity ([])    shares of zeros to try with each of the bits, by optimal brain surgeon and
%                      GPTQ: report.curves
%     rank ([])        ranks to try with each of the bits from 4 on, in shares of the full rank:
%                      report.curves
%     batch_size (256) observations at a time
%
%   report.layers    cell of structs, the most sensitive first (by output_error of the fewest
%                    bits):
%     tensor, layer, count      which, and how many weights
%     bits                      row, as tried
%     output_error              row: mean squared difference of the network's outputs from the
%                               model's own, over their variance
%     accuracy                  row, with Y: of the network; agreement: share of observations
%                               whose greatest output stays the same
%     sqnr                      row: of the weights, dB
%     lo, hi, deviation         of the weights: range and standard deviation
%     outliers                  the greatest magnitude over the standard deviation
%     channel_spread            the greatest over the median of the channels' greatest magnitudes
%     why                       text: what makes it hard to quantize, and what helps
%   report.accuracy  of the model as it is, with Y
%   report.curves    with sparsity or rank: cell of structs, one for each layer, of
%                    octcompress.search.layer_curves: sparsity, bits, rank, loss, changed, bytes.
%                    The first two thirds of X are fitted on, the rest is judged by
%   report.options   the options as merged with the defaults
%   report.text      the table that is printed without a result
%
%   Errors: octcompress:nn_sensitivity:badValue, :unknownOption, :notModel, those of nn_quantize.
%
%   See also nn_mixed, nn_quantize.

  caller = 'nn_sensitivity';
  if nargin < 3
    Y = [];
  end
  defaults = struct ('bits', 2:8, 'quantize', [], 'layers', [], 'sparsity', [], ...
                     'rank', [], 'batch_size', 256);
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  bits = sort (double (options.bits(:)'));
  for b = bits
    octcompress.internal.check (caller, 'bits', b, 'integer', [1 16]);
  end
  for name = {'sparsity', 'rank'}
    for share = double (options.(name{1})(:)')
      octcompress.internal.check (caller, name{1}, share, 'number', [0 1]);
    end
  end
  settings = struct ();
  if ~isempty (options.quantize)
    settings = options.quantize;
  end
  model = octcompress.model.tidy (caller, model);
  tensors = octcompress.model.select_tensors (caller, model, options.layers, false);
  predict = octcompress.model.predictor (caller, model);
  before = flat (predict (X, options.batch_size));
  spread = mean ((before(:) - mean (before(:))) .^ 2);
  report = struct ('layers', {cell(1, numel (tensors))}, 'options', options);
  if ~isempty (Y)
    first = nn_evaluate (model, X, Y, 'batch_size', options.batch_size);
    report.accuracy = first.accuracy;
  end
  for k = 1:numel (tensors)
    row = weights_figures (model, tensors{k});
    row.bits = bits;
    for b = 1:numel (bits)
      settings.layers = tensors{k}.layer;
      settings.bits = bits(b);
      settings.activations = 'none';
      [q, info] = nn_quantize (model, settings);
      place = find (cellfun (@(r) strcmp (r.tensor, tensors{k}.name), info.layers), 1);
      row.sqnr(b) = info.layers{place}.sqnr;
      predict = octcompress.model.predictor (caller, q);
      after = flat (predict (X, options.batch_size));
      row.output_error(b) = mean ((after(:) - before(:)) .^ 2) / max (spread, realmin);
      row.agreement(b) = agreement (before, after);
      if ~isempty (Y)
        result = nn_evaluate (q, X, Y, 'batch_size', options.batch_size);
        row.accuracy(b) = result.accuracy;
      end
    end
    row.why = reason (row);
    report.layers{k} = row;
  end
  [~, order] = sort (cellfun (@(r) -r.output_error(1), report.layers));
  report.layers = report.layers(order);
  report.text = table_of (report);
  if ~isempty (options.sparsity) || ~isempty (options.rank)
    report.curves = curves_of (caller, model, X, bits, options);
    report.text = [report.text, table_of_curves(report.curves)];
  end
  if nargout == 0
    fprintf ('%s', report.text);
    clear report
  end
end

function m = flat (outputs)
  % All outputs of an observation in a column.
  parts = cell (numel (outputs), 1);
  for k = 1:numel (outputs)
    y = double (outputs{k});
    if ndims (y) == 4
      parts{k} = reshape (y, [], size (y, 4));
    elseif ndims (y) == 3
      parts{k} = reshape (permute (y, [1 3 2]), [], size (y, 2));
    else
      parts{k} = y;
    end
  end
  m = vertcat (parts{:});
end

function share = agreement (a, b)
  [~, first] = max (a, [], 1);
  [~, second] = max (b, [], 1);
  share = mean (first == second);
end

function row = weights_figures (model, tensor)
  w = double (subsref (model, tensor.path));
  row = struct ('tensor', tensor.name, 'layer', tensor.owner, 'count', numel (w), 'bits', [], ...
                'output_error', [], 'agreement', [], 'sqnr', [], 'lo', min (w(:)), 'hi', ...
                max (w(:)));
  row.deviation = sqrt (mean ((w(:) - mean (w(:))) .^ 2));
  row.outliers = max (abs (w(:))) / max (row.deviation, realmin);
  axis = octcompress.quant.channel_axis (model.layers{tensor.layer}, tensor.field);
  [lo, hi] = octcompress.quant.range_of (w, axis);
  greatest = max (abs (lo), abs (hi));
  row.channel_spread = max (greatest) / max (median (greatest), realmin);
end

function text = reason (row)
  causes = {};
  if row.channel_spread > 3
    causes{end + 1} = sprintf (['channels of very different range (%.1f times the median): ' ...
                                'granularity ''channel'' or nn_equalize'], ...
                               row.channel_spread);
  end
  if row.outliers > 8
    causes{end + 1} = sprintf (['outliers (%.0f standard deviations): fit ''mse'' or ' ...
                                'granularity ''group'''], row.outliers);
  end
  if row.hi * row.lo > 0 || max (row.hi, -row.lo) > 3 * min (row.hi, -row.lo)
    causes{end + 1} = 'a range far from symmetric: scheme ''affine''';
  end
  if row.count < 1000
    causes{end + 1} = 'few weights: more bits cost little here';
  end
  if isempty (causes)
    causes = {'no single cause: data-driven rounding (''gptq'') or more bits'};
  end
  text = strjoin (causes, '; ');
end

function text = table_of (report)
  rows = report.layers;
  width = max ([5, cellfun(@(r) numel (r.tensor), rows)]);
  text = sprintf ('%-*s %9s %9s %9s', width, 'tensor', 'weights', 'outliers', 'channels');
  bits = rows{1}.bits;
  measure = 'output_error';
  form = ' %8.1e';
  if isfield (rows{1}, 'accuracy')
    measure = 'accuracy';
    form = ' %8.4f';
  end
  for b = bits
    text = [text, sprintf(' %8s', sprintf ('%d bits', b))];
  end
  text = [text, sprintf('\n')];
  for k = 1:numel (rows)
    r = rows{k};
    text = [text, sprintf('%-*s %9d %9.1f %9.1f', width, r.tensor, r.count, r.outliers, ...
                          r.channel_spread), ...
            sprintf(form, r.(measure)), sprintf('\n')];
  end
  text = [text, sprintf('(%s by bits of that tensor alone)\n', strrep (measure, '_', ' '))];
  for k = 1:numel (rows)
    text = [text, sprintf('%s: %s\n', rows{k}.tensor, rows{k}.why)];
  end
end

function curves = curves_of (caller, model, X, bits, options)
  grid = struct ('sparsity', unique ([0, options.sparsity(:)']), 'bits', bits, 'rank', ...
                 unique (options.rank(:)'), 'tradeoff', [], 'layers', {options.layers});
  count = octcompress.model.observations (X, model.input_size);
  fitted = ceil (2 / 3 * count);
  part = @(which) octcompress.search.pick (X, model.input_size, which);
  curves = octcompress.search.layer_curves (caller, model, part (1:fitted), ...
                                            part (fitted + 1:count), grid, false);
end

function text = table_of_curves (curves)
  text = sprintf ('%-16s %9s %5s %5s %9s %9s %9s\n', 'tensor', 'sparsity', 'bits', 'rank', ...
                  'bytes', 'loss', 'changed');
  for k = 1:numel (curves)
    c = curves{k};
    for i = octcompress.search.pareto_front (c.loss, c.bytes)
      text = [text, sprintf('%-16s %9.3g %5d %5d %9.0f %9.2g %8.2f%%\n', c.tensor, ...
                            c.sparsity(i), c.bits(i), c.rank(i), c.bytes(i), c.loss(i), ...
                            100 * c.changed(i))];
    end
  end
  text = [text, sprintf('(what no other choice for that layer alone beats)\n')];
end

%!shared model, X, Y
%! rand ('twister', 6);
%! r = @(varargin) single (rand (varargin{:}) - 0.5);
%! X = r (12, 200);
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', r (20, 12)), ...
%!                 struct('type', 'relu', 'name', 'r'), ...
%!                 struct('type', 'dense', 'name', 'b', 'weights', r (3, 20), 'bias', r (3, 1))};
%! model.layers{1}.weights(4, 3) = 20;
%! [~, Y] = max (nn_predict (model, X), [], 1);
%!test % the layer with the outlier first, and why
%! report = nn_sensitivity (model, X, Y, 'bits', [8 3]);
%! row = report.layers{1};
%! assert ({row.layer, row.bits}, {'a', [3 8]});
%! assert (report.accuracy, 1);
%! assert (row.accuracy(1) < row.accuracy(2));
%! assert (row.accuracy, row.agreement, 1e-12);
%! assert (row.output_error(1) > row.output_error(2));
%! assert (~isempty (strfind (row.why, 'outliers')));
%! assert (~isempty (strfind (report.text, 'a.weights')));
%!test % without labels, by the options of nn_quantize
%! plain = nn_sensitivity (model, X, [], 'bits', 3, 'layers', 'a');
%! better = nn_sensitivity (model, X, [], 'bits', 3, 'layers', 'a', 'quantize', ...
%!                          struct ('granularity', 'channel', 'rounding', 'gptq', 'data', X));
%! assert (numel (plain.layers), 1);
%! assert (better.layers{1}.output_error < 0.2 * plain.layers{1}.output_error);
%! assert (~isfield (plain, 'accuracy'));
%!test % sparsity and rank beside bits
%! report = nn_sensitivity (model, X, Y, 'bits', [3 5], 'sparsity', 0.5, 'rank', 0.2);
%! assert (cellfun (@(c) c.layer, report.curves, 'UniformOutput', false), {'a', 'b'});
%! assert ({report.curves{1}.sparsity, report.curves{1}.rank}, {[0 0 0.5 0.5 0], [0 0 0 0 2]});
%! assert (~isempty (strfind (report.text, 'sparsity')));
%! assert (~isfield (nn_sensitivity (model, X, Y, 'bits', 3), 'curves'));
%!error <nn_sensitivity: SPARSITY must be a number from 0 to 1, but is 2> nn_sensitivity (model, X, Y, 'sparsity', 2)
%!error <nn_sensitivity: BITS must be a whole number from 1 to 16, but is 0> nn_sensitivity (model, X, Y, 'bits', 0)
%!error <nn_sensitivity: LAYERS names 'z', but no layer> nn_sensitivity (model, X, Y, 'layers', 'z')
