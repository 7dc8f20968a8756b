% The two networks as few bytes after training only: no labels, no retraining.
%
%   octave benchmarks/records/posttraining.m lenet300 20k     % also 25k; lenet5 28k, 48k
%   octave benchmarks/records/posttraining.m lenet300 20k validate    % judged on training images
%
% nn_rdoq sees the first 10,000 training images, without labels. The tradeoffs are those at which
% the files have about so many bytes (what nn_rdoq finds with 'bytes' in a few times the time), so
% nothing is chosen by accuracy; the test images are judged once, at the end.

here = fileparts (mfilename ('fullpath'));
addpath (here);
given = argv ();
settings = {'lenet300', '20k', 0.0033; ...
            'lenet300', '25k', 0.0017; ...
            'lenet5', '28k', 0.0024; ...
            'lenet5', '48k', 0.00055};
row = strcmp (given{1}, settings(:, 1)) & strcmp (given{2}, settings(:, 2));
examples = fullfile (here, '..', '..', 'examples');
addpath (fullfile (examples, '..', 'octave_pkg', 'inst'));
model = nn_load (fullfile (examples, 'models', [given{1} '.mat']));
data = fullfile (examples, 'data', 'mnist.mat');
as_read = {'input_size', []};
if numel (model.input_size) == 3
  as_read{2} = model.input_size;
end
X = nn_data (data, 'train', as_read{:}, 'limit', 10000);
validating = numel (given) > 2;
if validating
  [Xt, Yt] = nn_data (data, 'train', as_read{:});
  Yt = Yt(50001:end);
  if isscalar (model.input_size)
    Xt = Xt(:, 50001:end);
  else
    Xt = Xt(:, :, :, 50001:end);
  end
else
  [Xt, Yt] = nn_data (data, 'test', as_read{:});
end
started = tic ();
small = nn_rdoq (only_what_counts (model), 'data', X, 'held_out', 0, 'tradeoff', ...
                 settings{row, 3});
small = nn_shrink (small, 'sort', true);   % without dead units
report_record (given{2}, small, Xt, Yt, started);
if ~validating
  file = sprintf ('%s_posttraining_%s.mat', given{1:2});
  saved = nn_save (fullfile (here, file), small, 'coding', 'auto');
  fprintf ('%s: %d bytes\n', saved.file, saved.bytes);
end
