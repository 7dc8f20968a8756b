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
settings = {'lenet300', '20k', 0.0041; ...
            'lenet300', '25k', 0.0017; ...
            'lenet5', '28k', 0.0024; ...
            'lenet5', '48k', 0.00055};
row = strcmp (given{1}, settings(:, 1)) & strcmp (given{2}, settings(:, 2));
[model, ~, X, ~, Xt, Yt, validating] = record_start (given{1}, given(2:end), false);
started = tic ();
all_of = repmat ({':'}, 1, ndims (X) - 1);
small = nn_rdoq (only_what_counts (model), 'data', X(all_of{:}, 1:10000), 'held_out', 0, ...
                 'tradeoff', settings{row, 3});
report_record (given{2}, small, Xt, Yt, started);
if ~validating
  file = sprintf ('%s_posttraining_%s.mat', given{1:2});
  saved = nn_save (fullfile (here, file), small, 'coding', 'auto');
  fprintf ('%s: %d bytes\n', saved.file, saved.bytes);
end
