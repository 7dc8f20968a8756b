% The two networks as few bytes after training only: no labels, no retraining.
%
%   octave benchmarks/records/posttraining.m lenet300 20000            % a file of at most so many bytes
%   octave benchmarks/records/posttraining.m lenet5 28000
%   octave benchmarks/records/posttraining.m lenet5 28000 validate     % judged on training images
%
% nn_rdoq sees the first 10,000 training images, without labels. The bytes are given, so nothing is
% chosen by accuracy; the test images are judged once, at the end.

here = fileparts (mfilename ('fullpath'));
addpath (here);
given = argv ();
name = given{1};
bytes = str2double (given{2});
input_size = [];
if strcmp (name, 'lenet5')
  input_size = [28 28 1];
end
[model, X, ~, Xt, Yt, validating] = record_start (name, input_size, given(2:end));
started = tic ();
all_of = repmat ({':'}, 1, ndims (X) - 1);
X = X(all_of{:}, 1:10000);
container = 250;   % of the .mat file around what nn_pack gives
[small, info] = nn_rdoq (only_what_counts (model), 'data', X, 'held_out', 0, 'bytes', ...
                         bytes - container);
report_record (sprintf ('%.4g', info.tradeoff), small, Xt, Yt, started);
if ~validating
  saved = nn_save (fullfile (here, sprintf ('%s_posttraining_%dk.mat', name, round (bytes / 1e3))), ...
                   small, 'coding', 'auto');
  fprintf ('%s: %d bytes\n', saved.file, saved.bytes);
end
