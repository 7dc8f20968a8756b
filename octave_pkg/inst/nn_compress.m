function [small, info] = nn_compress (model, varargin)
%NN_COMPRESS  At most so many bytes, or so many points of accuracy lost: the recipe is found.
%
%   [small, info] = nn_compress (model, data, 'max_drop', points)
%   [small, info] = nn_compress (model, data, 'max_bytes', n)
%   [small, info] = nn_compress (model, data, 'max_drop', points, 'max_bytes', n)
%   [small, info] = nn_compress (model, data, 'recipe', steps)
%   [small, info] = nn_compress (model, X, Y, ...)
%
%   model  a network that classifies (docs/model-format.md)
%   data   struct with X and Y, as nn_train takes them; or the name of a data file, of which the
%          part 'train' is read. Without labels (no Y, or []) the answers of MODEL stand for them
%   small  the compressed network, as it was read back from its coded file; small.recipe is the
%          recipe that made it, small.recipe_bytes a row with the bytes after each step (info.steps)
%
%   Options, as name-value pairs or a struct:
%     max_drop ([])      points of accuracy (percent) that may be lost; the smallest file is sought
%     max_bytes ([])     bytes of the file on disk; without max_drop, the least drop is sought
%     recipe ([])        no search: the steps to run, a cell of structs, a ready one's name or JSON
%                        (octcompress.search.check_recipe); every fault is told before it starts
%     output ('')        the coded file to write. It is there from the first result on, and gets
%                        smaller or better; nn_load reads it
%     training (true)    false: weights are fitted to calibration inputs, nothing is trained
%     epochs (12)        of training by distillation from MODEL, for each recipe that is tried
%     candidates (5)     how many recipes are tried, without and again with training
%     time (Inf)         seconds after which no further recipe is begun: only an upper stop, for
%                        what is found then depends on the machine
%     seed (0)           of all random numbers: the same seed gives the same file
%     checkpoint ('')    file of the search's state: the same call goes on from there
%     validation (0.2)   share of the data that recipes are judged by, at most 10,000
%                        observations
%     seen (true)        MODEL was trained on these data; false: they are new to it, and what
%                        recipes are judged by is never trained on (octcompress.search.prepare_data)
%     calibration (2000) inputs that weights are fitted on
%     method ('rdoq')    'rdoq': all layers at one price of a bit, by nn_rdoq; 'grid': sparsity,
%                        bits and rank for each layer, by nn_prune, nn_quantize and nn_lowrank
%     tradeoff           of 'rdoq': what the layers' curves are measured at
%     sparsity, bits, rank   of 'grid': what is tried for each layer; ranks in shares of the full
%     keep_recipe (true) false: these two are left out of the file (about 250 bytes)
%     verbose (true)     progress: what is tried, the best so far, the time left
%
%   info.bytes, info.drop    of the file on disk; points lost on the part that was judged by
%   info.accuracy            [before after] there, 0 to 1
%   info.recipe              the steps
%   info.steps               cell of structs: step, seconds, bytes (about, by entropy), nonzeros
%   info.tried               cell of structs, one for each recipe, in order: recipe, bytes, drop,
%                            accuracy, loss, seconds, predicted (bytes, drop, loss), meets
%   info.curves              what each layer loses alone (octcompress.search.layer_curves)
%   info.front               struct of columns: bytes, loss, drop, as predicted before anything ran
%   info.stopped             'finished' or 'time'
%   info.options             the options as merged with the defaults
%
%   The search (octcompress.search.find_recipe): each layer's loss and bytes under every choice; the
%   front of all layers together, by Lagrange's multiplier or dynamic programming; then points of
%   it are run and measured, each correcting the prediction of the next.
%
%   Errors: octcompress:nn_compress:badValue, :unknownOption, :noGoal, :badRecipe, :budget
%   (cannot be met; the best file is written all the same), :badData, :badLabels, :noLabels,
%   :checkpointDiffers, :notWritten, and those of the verbs.
%
%   Example:
%     [small, info] = nn_compress (nn_load ('lenet300.mat'), 'mnist.mat', 'max_drop', 0.2, ...
%                                  'output', 'small.mat');
%
%   See also nn_sensitivity, nn_report, octcompress.search.ready_recipe, nn_save.

  caller = 'nn_compress';
  if nargin < 2
    octcompress.internal.fail (caller, 'badData', ...
                               'DATA must be given: nn_compress (model, data, ...)');
  end
  [data, args] = split_arguments (varargin);
  options = octcompress.internal.parse_options (caller, defaults (), args);
  model = octcompress.model.tidy (caller, model);
  recipe = check_options (caller, options, model);
  work = octcompress.search.start (caller, model, data, options);
  if isempty (recipe)
    work.planned = options.candidates;
    if options.training
      work.planned = options.candidates + min (options.candidates, 2);
    end
    work = octcompress.search.find_recipe (work);
  else
    work.planned = 1;
    unknown = struct ('bytes', NaN, 'drop', NaN, 'loss', NaN, 'point', NaN);
    [~, work] = octcompress.search.try_recipe (recipe, work, unknown);
  end
  [small, info] = conclude (work);
  if ~work.best.meets
    over_budget (caller, work);
  end
end

function options = defaults ()
  options.max_drop = [];
  options.max_bytes = [];
  options.recipe = [];
  options.output = '';
  options.training = true;
  options.epochs = 12;
  options.candidates = 5;
  options.time = Inf;
  options.seed = 0;
  options.checkpoint = '';
  options.validation = 0.2;
  options.seen = true;
  options.calibration = 2000;
  options.method = 'rdoq';
  options.tradeoff = 0.001 * 4 .^ (0:4);
  options.sparsity = [0 0.5 0.7 0.8 0.88 0.93 0.96 0.98];
  options.bits = [2 3 4 6];
  options.rank = [0.1 0.25];
  options.keep_recipe = true;
  options.verbose = true;
end

function [data, args] = split_arguments (args)
  data = args{1};
  args(1) = [];
  if isnumeric (data) || islogical (data)
    data = struct ('X', data, 'Y', []);
    if ~isempty (args) && (isnumeric (args{1}) || islogical (args{1}))
      data.Y = args{1};
      args(1) = [];
    end
  end
end

function recipe = check_options (caller, options, model)
  check = @(name, varargin) octcompress.internal.check (caller, name, options.(name), varargin{:});
  given = @(name) ~isempty (options.(name));
  if ~given ('max_drop') && ~given ('max_bytes') && ~given ('recipe')
    octcompress.internal.fail (caller, 'noGoal', ...
      'give a goal: MAX_DROP (points of accuracy), MAX_BYTES, or a RECIPE to run');
  end
  if given ('max_drop')
    check ('max_drop', 'number', [0 100]);
  end
  if given ('max_bytes')
    check ('max_bytes', 'number', [1 1e15]);
  end
  for name = {'output', 'checkpoint'}
    if given (name{1})
      check (name{1}, 'text');
    end
  end
  for name = {'training', 'seen', 'keep_recipe', 'verbose'}
    check (name{1}, 'flag');
  end
  check ('epochs', 'integer', [1 1e6]);
  check ('candidates', 'integer', [1 1e4]);
  check ('seed', 'integer', [0 2^32 - 1]);
  check ('validation', 'number', [0 0.9]);
  check ('calibration', 'integer', [1 1e9]);
  if ~isequal (options.time, Inf)
    check ('time', 'number', [0 1e12]);
  end
  check ('method', 'choice', {'rdoq', 'grid'});
  lists = {'tradeoff', 'number', [1e-12 1e12]; 'sparsity', 'number', [0 1]; ...
           'bits', 'integer', [1 16]; 'rank', 'number', [0 1]};
  for k = 1:4
    for value = options.(lists{k, 1})(:)'
      octcompress.internal.check (caller, lists{k, 1}, value, lists{k, 2:3});
    end
  end
  recipe = {};
  if given ('recipe')
    tensors = octcompress.model.select_tensors (caller, model, [], false);
    names = unique (cellfun (@(t) t.owner, tensors, 'UniformOutput', false), 'stable');
    [recipe, faults] = octcompress.search.check_recipe (options.recipe, names, options.training);
    if ~isempty (faults)
      octcompress.internal.fail (caller, 'badRecipe', 'RECIPE: %s', ...
                                 strjoin (faults, sprintf ('\n  ')));
    end
  end
end

function [small, info] = conclude (work)
  file = [tempname() '.mat'];
  deleting = onCleanup (@() delete (file));
  octcompress.search.write_bytes (file, work.best.file);
  small = nn_load (file);
  best = work.best;
  small.recipe = best.recipe;
  small.recipe_bytes = cellfun (@(step) round (step.bytes), best.steps);
  if ~isempty (work.options.output)
    octcompress.search.write_bytes (work.options.output, best.file);
  end
  front = [];
  if ~isempty (work.front)
    front = struct ('bytes', work.front.bytes, 'loss', work.front.loss, 'drop', ...
                    100 * octcompress.search.predicted_error (work.parts.judge.margins, ...
                                                              work.front.loss));
  end
  info = struct ('bytes', best.bytes, 'drop', best.drop, 'accuracy', ...
                 [work.parts.judge.accuracy, best.accuracy], 'recipe', {best.recipe}, 'steps', ...
                 {best.steps}, 'tried', {work.tried}, 'curves', {work.curves}, 'front', front, ...
                 'stopped', work.stopped, 'options', work.options);
end

function over_budget (caller, work)
  options = work.options;
  wanted = {};
  if ~isempty (options.max_drop)
    wanted{end + 1} = sprintf ('a drop of at most %g points', options.max_drop);
  end
  if ~isempty (options.max_bytes)
    wanted{end + 1} = sprintf ('at most %g bytes', options.max_bytes);
  end
  advice = 'allow more of either, more EPOCHS or more CANDIDATES';
  if ~options.training
    advice = 'allow more of either, or TRAINING';
  end
  octcompress.internal.fail (caller, 'budget', ...
    'no recipe was found with %s: the best has a drop of %.2f points and %d bytes; %s', ...
    strjoin (wanted, ' and '), work.best.drop, work.best.bytes, advice);
end

%!function [model, data] = problem ()
%!  rand ('twister', 3);
%!  data.X = single (rand (12, 400));
%!  data.Y = 1 + (data.X(1, :) > 0.5) + (data.X(2, :) > 0.5);
%!  model = nn_new ('input', 12, 'dense', 20, 'relu', 'dense', 3);
%!  model = nn_train (model, data.X, data.Y, 'optimizer', 'adam', 'learning_rate', 0.01, ...
%!                    'epochs', 30, 'verbose', false);
%!endfunction
%!shared model, data, quiet
%! [model, data] = problem ();
%! quiet = {'verbose', false, 'tradeoff', [0.001 0.03], 'epochs', 2, 'candidates', 1};
%!test % a budget of accuracy, no training: it holds, and the file is what was promised
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! [small, info] = nn_compress (model, data, quiet{:}, 'max_drop', 5, 'training', false, ...
%!                              'candidates', 2, 'output', file);
%! listed = dir (file);
%! assert (info.bytes, listed.bytes);
%! assert (info.drop <= 5);
%! assert (nn_load (file), small);
%! assert (small.recipe, info.recipe);
%! assert (small.recipe_bytes, cellfun (@(step) round (step.bytes), info.steps));
%! assert (numel (info.tried) <= 2);
%! last = info.tried{end};
%! assert (last.predicted.bytes, last.bytes, 0.3 * last.bytes);
%! a = nn_evaluate (model, data.X, data.Y);
%! b = nn_evaluate (small, data.X, data.Y);
%! assert (100 * (a.accuracy - b.accuracy) < 8);
%!test % the recipe that was found gives the same file again, also as JSON
%! files = {[tempname() '.mat'], [tempname() '.mat']};
%! deleting = onCleanup (@() delete (files{:}));
%! [~, info] = nn_compress (model, data, quiet{:}, 'max_bytes', 1500, 'output', files{1});
%! assert (info.bytes <= 1500);
%! assert (numel (info.tried), 2);
%! text = octcompress.search.recipe_to_json (info.recipe);
%! nn_compress (model, data.X, data.Y, 'recipe', text, 'output', files{2}, 'verbose', false);
%! bytes = cellfun (@(name) fileread (name), files, 'UniformOutput', false);
%! assert (bytes{1}, bytes{2});
%!test % interrupted and gone on with: the same, and nothing is run twice
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! goal = [quiet, {'max_drop', 90, 'seed', 4}];
%! whole = nn_compress (model, data, goal{:});
%! [~, first] = nn_compress (model, data, goal{:}, 'checkpoint', file, 'time', 0);
%! assert ({first.stopped, numel(first.tried)}, {'time', 1});
%! [small, second] = nn_compress (model, data, goal{:}, 'checkpoint', file);
%! assert (small, whole);
%! assert (second.tried{1}.seconds, first.tried{1}.seconds);
%!test % without labels: agreement
%! [~, info] = nn_compress (model, data.X, quiet{:}, 'max_drop', 90, 'seen', false, ...
%!                         'training', false);
%! assert (info.accuracy(1), 1);
%! assert (info.drop <= 90);
%!test % sparsity, bits and rank for each layer
%! [~, info] = nn_compress (model, data, quiet{:}, 'max_drop', 90, 'method', 'grid', 'sparsity', ...
%!                          [0 0.5], 'bits', [3 5], 'rank', 0.2, 'training', false);
%! assert (info.recipe{end}.step, 'quantize');
%! assert (all (diff (info.front.bytes) > 0) && all (diff (info.front.loss) < 0));
%!test % the recipe left out
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! recipe = {struct('step', 'quantize', 'bits', 4)};
%! small = nn_compress (model, data, 'recipe', recipe, 'keep_recipe', false, 'output', file, ...
%!                      'verbose', false);
%! assert (small.recipe, recipe);
%! assert (~isfield (nn_load (file), 'recipe'));
%!error <nn_compress: give a goal: MAX_DROP> nn_compress (model, data)
%!error <nn_compress: there is no option 'max_loss'; the options are max_drop> nn_compress (model, data, 'max_loss', 1)
%!error <nn_compress: MAX_DROP must be a number from 0 to 100, but is -1> nn_compress (model, data, 'max_drop', -1)
%!error <nn_compress: BITS must be a whole number from 1 to 16, but is 20> nn_compress (model, data, 'max_drop', 1, 'bits', [4 20])
%!error <nn_compress: RECIPE: step 1 \(train\): it trains, but TRAINING is false\n  step 2 \(prune\): give one of> nn_compress (model, data, 'recipe', {struct('step', 'train'), struct('step', 'prune')}, 'training', false)
%!error <nn_compress: no recipe was found with at most 60 bytes: the best has a drop of .* or TRAINING> nn_compress (model, data, quiet{:}, 'max_bytes', 60, 'training', false)
%!error <nn_compress: DATA must be given> nn_compress (model)
