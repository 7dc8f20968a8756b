% nn_compress on the networks of ../shared/models: bytes, accuracy on the test set that the search
% never sees, and time of the processor; with and without training.
%
%   octave benchmarks/compress.m
%   octave benchmarks/compress.m lenet300 false      one network, without training
%
% The networks may lose 0.2 points. Needs ../shared/models.

addpath (fileparts (mfilename ('fullpath')));
given = argv ();
names = {'lenet300', 'lenet5'};
trainings = [false true];
if numel (given) > 0 && any (strcmp (given{1}, names))
  names = given(1);
end
if numel (given) > 1
  trainings = strcmp (given{2}, 'true');
end
limits = struct ('lenet300', [32000 14000], 'lenet5', [50000 12000]);
epochs = struct ('lenet300', 16, 'lenet5', 5);
fprintf (['| network | training | limit | bytes | drop, judged | drop, test | recipes tried | ' ...
          'seconds of a processor | by the clock |\n', repmat('| --- ', 1, 9), '|\n']);
for k = 1:numel (names)
  name = names{k};
  [model, X, Y, Xt, Yt] = pruning_models (name, 60000);
  before = nn_evaluate (model, Xt, Yt);
  for training = trainings
    started = cputime ();
    file = [tempname() '.mat'];
    begun = tic ();
    [small, info] = nn_compress (model, X, Y, 'max_drop', 0.2, 'training', training, 'epochs', ...
                                 epochs.(name), 'candidates', 5 - 3 * training, 'output', file);
    seconds = [cputime() - started, toc(begun)];
    after = nn_evaluate (small, Xt, Yt);
    fprintf ('| %s | %d | %d | %d | %.2f | %.2f | %d | %.0f | %.0f |\n', name, training, ...
             limits.(name)(1 + training), info.bytes, info.drop, ...
             100 * (before.accuracy - after.accuracy), numel (info.tried), seconds);
    for t = 1:numel (info.tried)
      r = info.tried{t};
      fprintf (['  tried: %6d bytes (predicted %6.0f), drop %.2f (%.2f), loss %.3f (%.3f), ' ...
                '%.0f s\n'], ...
               r.bytes, r.predicted.bytes, r.drop, r.predicted.drop, r.loss, r.predicted.loss, ...
               r.seconds);
    end
    fprintf ('%s\n', octcompress.search.recipe_to_json (info.recipe));
    delete (file);
  end
end
