function quantization_accuracy (name, count)
%QUANTIZATION_ACCURACY  Accuracy of the quantized LeNets, beside what other tools reach.
%
%   quantization_accuracy ('lenet300')
%   quantization_accuracy ('lenet5', 1000)
%
%   Run from this folder: octave-cli --eval "quantization_accuracy ('lenet300')"
%   count is the number of unlabelled calibration images (1000). The networks lie in
%   ../shared/models beside the repository.

  if nargin < 2
    count = 1000;
  end
  [model, X, ~, Xt, Yt] = pruning_models (name, count);
  others = struct ('lenet300', [98.44 98.32 97.98 45.26; 98.42 98.12 94.06 10.07], ...
                   'lenet5', [99.30 99.29 99.24 58.09; 99.31 99.27 99.02 16.72]);
  percent = @(m, varargin) 100 * getfield (nn_evaluate (m, Xt, Yt), 'accuracy');
  fprintf ('%s, float: %.2f; %d calibration images\n', name, percent (model), count);

  kinds = {'channel', 'tensor'};
  for g = 1:2
    fprintf (['\nweights, per %s               8 bits   4 bits   3 bits   2 bits    1 bit   ' ...
              'seconds\n'], kinds{g});
    fprintf ('%-28s', 'nearest, another tool');
    fprintf (' %8.2f', others.(name)(g, :));
    fprintf ('\n');
    for rounding = {'nearest', 'gptq'}
      started = tic ();
      row = zeros (1, 5);
      bits = [8 4 3 2 1];
      for b = 1:5
        q = nn_quantize (model, bits(b), 'granularity', kinds{g}, 'rounding', rounding{1}, ...
                         'data', X, 'activations', 'none');
        row(b) = percent (q);
      end
      fprintf ('%-28s', rounding{1});
      fprintf (' %8.2f', row);
      fprintf (' %9.1f\n', toc (started));
    end
  end

  fprintf ('\nother methods, per channel     bits   accuracy   seconds\n');
  rows = {'adaround', 4, {'rounding', 'adaround', 'steps', 300}; ...
          'adaround', 2, {'rounding', 'adaround', 'steps', 300}; ...
          'nearest, fit mse', 2, {'rounding', 'nearest', 'fit', 'mse'}; ...
          'nearest, fit mse, bias corr.', 2, {'rounding', 'nearest', 'fit', 'mse', ...
                                              'bias_correction', true}; ...
          'groups of 64, gptq', 2, {'granularity', 'group', 'rounding', 'gptq'}; ...
          'codebook', 2, {'granularity', 'tensor', 'scheme', 'codebook'}; ...
          'codebook, gptq', 2, {'granularity', 'tensor', 'scheme', 'codebook', 'rounding', ...
                                'gptq'}; ...
          'power of two scales, gptq', 3, {'rounding', 'gptq', 'power2', true}; ...
          'half pruned in the same pass', 4, {'rounding', 'gptq', 'sparsity', 0.5}; ...
          'fp8 e4m3', 8, {'scheme', 'fp8_e4m3'}};
  for k = 1:size (rows, 1)
    started = tic ();
    q = nn_quantize (model, rows{k, 2}, 'granularity', 'channel', rows{k, 3}{:}, 'data', X, ...
                     'activations', 'none');
    fprintf ('%-28s %6d %10.2f %9.1f\n', rows{k, 1}, rows{k, 2}, percent (q), toc (started));
  end

  fprintf ('\nint8 weights and activations       accuracy\n');
  published = struct ('lenet300', [98.40 98.41], 'lenet5', [99.31 99.31]);
  fprintf ('%-34s %8.2f\n%-34s %8.2f\n', 'ONNX Runtime static', published.(name)(1), 'TFLite', ...
           published.(name)(2));
  for observer = {'minmax', 'percentile', 'mse', 'kl', 'histogram'}
    q = nn_quantize (model, 8, 'granularity', 'channel', 'data', X, 'observer', observer{1});
    fprintf ('%-34s %8.2f\n', ['static, ' observer{1}], percent (q));
    if strcmp (observer{1}, 'minmax')
      y = nn_predict (q, Xt, 'arithmetic', 'integer');
      [~, predicted] = max (y, [], 1);
      fprintf ('%-34s %8.2f\n', 'the same, in integers', 100 * mean (predicted(:) == Yt(:)));
    end
  end
  q = nn_quantize (model, 8, 'granularity', 'channel', 'activations', 'dynamic');
  fprintf ('%-34s %8.2f\n', 'dynamic', percent (q));
end
