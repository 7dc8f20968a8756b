function quantization_training (name, epochs)
%QUANTIZATION_TRAINING  2 bits and 1 bit with quantization-aware training.
%
%   quantization_training ('lenet300', 5)
%
%   Run from this folder. Starts from GPTQ on 1000 images, by channel, then trains with learned
%   steps and, for comparison, with the steps as they are; the networks lie in ../shared/models.

  [model, X, Y, Xt, Yt] = pruning_models (name, 60000);
  percent = @(m) 100 * getfield (nn_evaluate (m, Xt, Yt), 'accuracy');
  fprintf ('%s, float: %.2f; %d epochs\n', name, percent (model), epochs);
  fprintf ('%4s %12s %14s %14s %9s\n', 'bits', 'before', 'steps learned', 'steps fixed', 'seconds');
  for bits = [2 1]
    dimension = ndims (X);
    which = repmat ({':'}, 1, dimension);
    which{dimension} = 1:1000;
    start = nn_quantize (model, bits, 'granularity', 'channel', 'rounding', 'gptq', 'data', ...
                         X(which{:}));
    started = tic ();
    rate = 1e-4;
    if bits == 1
      rate = 1e-3;
    end
    settings = {'optimizer', 'adam', 'learning_rate', rate, 'schedule', 'cosine', 'epochs', ...
                epochs, 'verbose', false};
    learned = nn_quantize_train (start, X, Y, settings{:});
    seconds = toc (started);
    fixed = nn_train (start, X, Y, settings{:});
    fprintf ('%4d %12.2f %14.2f %14.2f %9.1f\n', bits, percent (start), percent (learned), ...
             percent (fixed), seconds);
  end
end
