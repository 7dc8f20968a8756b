% Accuracy after pruning without training, by criterion, beside the figures of PEERS.
%
%   octave benchmarks/pruning_oneshot.m
%
% On MNIST's 10,000 test images; criteria that need data get 2,000 training images. Needs
% ../shared/models. The peers' rows were measured with PyTorch on the same networks.

addpath (fileparts (mfilename ('fullpath')));
shares = [0.5 0.8 0.9 0.95];
peers = struct ('lenet300', {{'l1 per layer (PyTorch)', ...
      [98.25 89.45 60.53 22.03]; 'l1 global (PyTorch)', [98.43 97.83 94.53 78.96]}}, ...
                'lenet5', {{'l1 per layer (PyTorch)', ...
                            [98.03 79.00 54.32 39.45]; 'l1 global (PyTorch)', ...
                            [99.33 99.15 98.37 95.76]}});
rows = {'magnitude, layer', {}; 'magnitude, global', {'scope', 'global'}; 'magnitude, LAMP', ...
        {'scope', 'lamp'}; ...
        'magnitude, ERK', {'scope', 'erk'}; 'random, layer', {'criterion', 'random'}; ...
        'taylor, layer', {'criterion', 'taylor'}; 'taylor, global', ...
        {'criterion', 'taylor', 'scope', 'global'}; ...
        'movement, layer', {'criterion', 'movement'}; 'obd, layer', {'criterion', 'obd'}; ...
        'obd, global', {'criterion', 'obd', 'scope', 'global'}; 'wanda, row', ...
        {'criterion', 'wanda', 'scope', 'row'}; ...
        'wanda, layer', {'criterion', 'wanda'}; 'obs, layer', {'criterion', 'obs'}; ...
        'obs, global budget', {'criterion', 'obs', 'scope', 'global'}; ...
        'obs blocked (SparseGPT), layer', {'criterion', 'obs', 'method', 'blocked'}};
for name = {'lenet300', 'lenet5'}
  [model, X, Y, Xt, Yt] = pruning_models (name{1}, 2000);
  r = nn_evaluate (model, Xt, Yt);
  fprintf (['\n| %s (%.2f) | 50%% | 80%% | 90%% | 95%% | seconds, most |\n| --- | --- | --- | ' ...
            '--- | --- | --- |\n'], name{1}, 100 * r.accuracy);
  for k = 1:size (peers.(name{1}), 1)
    fprintf ('| %s |%s |\n', peers.(name{1}){k, 1}, sprintf (' %.2f |', peers.(name{1}){k, 2}));
  end
  for k = 1:size (rows, 1)
    accuracy = zeros (1, numel (shares));
    most = 0;
    for i = 1:numel (shares)
      tic;
      p = nn_prune (model, 'sparsity', shares(i), 'data', X, 'labels', Y, 'batch_size', 100, ...
                    rows{k, 2}{:});
      most = max (most, toc);
      r = nn_evaluate (p, Xt, Yt);
      accuracy(i) = 100 * r.accuracy;
    end
    fprintf ('| %s |%s %.1f |\n', rows{k, 1}, sprintf (' %.2f |', accuracy), most);
    fflush (stdout);
  end
  fprintf ('\n| %s, structures | 25%% | 50%% |\n| --- | --- | --- |\n', name{1});
  if strcmp (name{1}, 'lenet300')
    fprintf ('| l2 filters and neurons (PyTorch) | 97.73 | 93.06 |\n');
  else
    fprintf ('| l2 filters and neurons (PyTorch) | 99.09 | 97.63 |\n');
  end
  structured = {'l2 rows', {'structure', 'row', 'norm', 'l2'}; 'l1 rows', {'structure', 'row'}; ...
                'taylor rows', {'structure', 'row', 'criterion', 'taylor'}; ...
                'fpgm rows', {'structure', 'row', 'criterion', 'fpgm'}; ...
                'obd rows', {'structure', 'row', 'criterion', 'obd'}};
  for k = 1:size (structured, 1)
    accuracy = zeros (1, 2);
    for s = 1:2
      p = nn_prune (model, 'sparsity', s / 4, 'data', X, 'labels', Y, 'batch_size', 100, ...
                    structured{k, 2}{:});
      r = nn_evaluate (nn_shrink (p), Xt, Yt);
      accuracy(s) = 100 * r.accuracy;
    end
    fprintf ('| %s | %.2f | %.2f |\n', structured{k, 1}, accuracy);
    fflush (stdout);
  end
  patterns = {'2:4 magnitude', {}; '2:4 obs', {'criterion', 'obs'}; '1:4 magnitude', ...
              {}; '1:4 obs', {'criterion', 'obs'}};
  fprintf ('\n| %s, N:M | accuracy |\n| --- | --- |\n', name{1});
  for k = 1:size (patterns, 1)
    p = nn_prune (model, 'structure', patterns{k, 1}(1:3), 'data', X, patterns{k, 2}{:});
    r = nn_evaluate (p, Xt, Yt);
    fprintf ('| %s | %.2f |\n', patterns{k, 1}, 100 * r.accuracy);
  end
  fprintf (['\n| %s, low rank | weights kept | svd | projection on 2,000 images |\n| --- | --- ' ...
            '| --- | --- |\n'], name{1});
  for budget = [0.5 0.3 0.2]
    [a, info] = nn_lowrank (model, 'budget', budget);
    b = nn_lowrank (model, 'budget', budget, 'data', X);
    ra = nn_evaluate (a, Xt, Yt);
    rb = nn_evaluate (b, Xt, Yt);
    kept = sum (cellfun (@(l) l.after, info.layers)) / sum (cellfun (@(l) l.before, info.layers));
    fprintf ('| budget %.1f | %.1f%% | %.2f | %.2f |\n', budget, 100 * kept, 100 * ra.accuracy, ...
             100 * rb.accuracy);
  end
  fprintf (['\n| %s, magnitude per layer, then nn_correct without labels | 80%% | 90%% |\n| ' ...
            '--- | --- | --- |\n'], name{1});
  for method = {'scale', 'bias', 'both'}
    methods = method;
    if strcmp (method{1}, 'both')
      methods = {'scale', 'bias'};
    end
    accuracy = zeros (1, 2);
    for i = 1:2
      p = nn_prune (model, 'sparsity', shares(i + 1));
      r = nn_evaluate (nn_correct (p, 'original', model, 'methods', methods, 'data', X), Xt, Yt);
      accuracy(i) = 100 * r.accuracy;
    end
    fprintf ('| %s | %.2f | %.2f |\n', method{1}, accuracy);
  end
end
