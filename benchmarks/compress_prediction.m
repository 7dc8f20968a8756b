% What nn_compress predicts of a configuration against what is measured: 50 of them, each with a
% sparsity and a number of bits for each layer of a network of examples/models, drawn at random.
%
%   octave benchmarks/compress_prediction.m               784-30-10, a few minutes
%   octave benchmarks/compress_prediction.m lenet300      half an hour
%
% Predicted: the layers' losses and bytes, each layer alone being compressed, added up
% (octcompress.search.layer_curves), and the share of answers that such a loss changes
% (octcompress.search.predicted_error). Measured: the recipe run, coded in a file, and judged.
% All of it on training images; the last column is the test set's.

examples = fullfile (fileparts (mfilename ('fullpath')), '..', 'examples');
addpath (fullfile (examples, '..', 'octave_pkg', 'inst'));
given = [argv(); {'small30'}];
name = given{1};
count = 50;
model = nn_load (fullfile (examples, 'models', [name '.mat']));
[X, Y] = nn_data (fullfile (examples, 'data', 'mnist.mat'), 'train');
[Xt, Yt] = nn_data (fullfile (examples, 'data', 'mnist.mat'), 'test');
parts = octcompress.search.prepare_data ('compress_prediction', model, ...
          struct ('X', X, 'Y', Y), struct ('validation', 0.2, 'calibration', 2000, ...
                                           'seen', true, 'seed', 0));
grid = struct ('sparsity', [0.5 0.7 0.8 0.88 0.93 0.96], 'bits', [2 3 4 6], 'rank', [], ...
               'tradeoff', [], 'layers', {{}});
curves = octcompress.search.layer_curves ('compress_prediction', model, parts.calibration, ...
                                          parts.judge.X(:, 1:2000), grid, false);
fixed = octcompress.search.fixed_bytes (model, curves);
options = struct ('calibration', 2000, 'seed', 0, 'method', 'grid');
before = nn_evaluate (model, Xt, Yt);

rand ('twister', 1);
rows = zeros (count, 5);
file = [tempname() '.mat'];
fprintf ('| bytes, predicted | measured | drop, predicted | measured | test |\n');
fprintf ('| --- | --- | --- | --- | --- |\n');
for k = 1:count
  choices = ceil (rand (1, numel (curves)) * numel (curves{1}.loss));
  loss = sum (cellfun (@(row, c) row.loss(c), curves, num2cell (choices)));
  bytes = fixed + sum (cellfun (@(row, c) row.bytes(c), curves, num2cell (choices)));
  recipe = octcompress.search.recipe_of_choices (curves, choices, options, 0);
  small = octcompress.search.run_recipe (model, recipe, parts.learn);
  saved = nn_save (file, small, 'coding', 'auto');
  judged = nn_evaluate (small, parts.judge.X, parts.judge.Y);
  tested = nn_evaluate (small, Xt, Yt);
  rows(k, :) = [bytes, saved.bytes, ...
                100 * octcompress.search.predicted_error(parts.judge.margins, loss), ...
                100 * (parts.judge.accuracy - judged.accuracy), ...
                100 * (before.accuracy - tested.accuracy)];
  fprintf ('| %.0f | %.0f | %.2f | %.2f | %.2f |\n', rows(k, :));
end
delete (file);
fprintf (['Spearman''s rank correlation: bytes %.3f, drop %.3f; predicted drop against that of ' ...
          'the test set %.3f\n'], ...
         spearman (rows(:, 1), rows(:, 2)), spearman (rows(:, 3), rows(:, 4)), ...
         spearman (rows(:, 3), rows(:, 5)));
ratio = rows(:, 1) ./ rows(:, 2);
fprintf ('bytes, predicted over measured: %.2f to %.2f, median %.2f\n', min (ratio), ...
         max (ratio), median (ratio));
