function parts = prepare_data (caller, model, data, options)
%PREPARE_DATA  What a search learns from and what it judges by, from one set of observations.
%
%   parts = octcompress.search.prepare_data (caller, model, data, options)
%
%   model    a tidy network
%   data     struct with X and, where there are labels, Y; or the name of a data file, of which
%            the part 'train' is read (nn_data): the test part is never seen
%   options  struct: validation (share that is split off to judge by, at most 10,000 observations),
%            calibration (number of inputs for the steps that need no labels), seen (true: the
%            network was trained on these data), seed
%   parts    struct:
%     learn        struct X, Y for octcompress.search.run_recipe
%     calibration  inputs, none of which is judged by
%     judge        struct X, Y, outputs (of the network, before a final softmax), margins
%                  (1 x N, by how much the greatest output leads), accuracy (0 to 1). Without
%                  labels Y is what the network itself answers
%     labelled     true or false
%
%   A network that knows its training data by heart is right on nearly all of them. What it loses
%   there is comparable only with a network that has learnt from the same observations; so where
%   SEEN is true, learn holds all the observations, those of judge last, and calibration the first.
%   Where it is false, the network that is judged has never seen the observations of judge.
%
%   Errors: octcompress:CALLER:badData, :badLabels, :badInput, those of nn_data.
%
%   See also nn_compress.

  if ischar (data)
    size_of = {};
    if numel (model.input_size) == 3
      size_of = {'input_size', model.input_size};
    end
    file = data;
    data = struct ();
    [data.X, data.Y] = nn_data (file, 'train', size_of{:});
  end
  if ~isstruct (data) || ~isscalar (data) || ~isfield (data, 'X') ...
     || ~all (ismember (fieldnames (data), {'X', 'Y'}))
    octcompress.internal.fail (caller, 'badData', ...
      'DATA must be a struct with X and, if there are labels, Y, or a file''s name, but is %s', ...
      octcompress.internal.describe (data));
  end
  octcompress.model.batches (caller, model, data.X, 256);
  count = octcompress.model.observations (data.X, model.input_size);
  held = min (10000, floor (options.validation * count));
  if held < 1 || count - held < 1
    octcompress.internal.fail (caller, 'badData', ...
      ['DATA has %d observations, of which VALIDATION %g would be judged by; there must be ' ...
       'more, some to learn from and some to judge by'], count, options.validation);
  end

  before = octcompress.train.random ('seed', options.seed);
  order = octcompress.train.random ('order', count);
  octcompress.train.random ('restore', before);
  judged = sort (order(1:held));
  rest = sort (order(held + 1:end));
  take = @(which) octcompress.search.pick (data.X, model.input_size, which);
  parts.labelled = isfield (data, 'Y') && ~isempty (data.Y);
  learnt = rest;
  if options.seen
    learnt = [rest, judged];
  end
  parts.learn = struct ('X', take (learnt), 'Y', []);
  parts.calibration = take (rest(1:min (options.calibration, numel (rest))));
  parts.judge = struct ('X', take (judged), 'Y', []);
  parts.judge.outputs = octcompress.search.logits (caller, model, parts.judge.X);
  [top, answer] = max (parts.judge.outputs, [], 1);
  second = parts.judge.outputs;
  second(sub2ind (size (second), answer, 1:held)) = -Inf;
  parts.judge.margins = top - max (second, [], 1);
  parts.judge.Y = answer;
  if parts.labelled
    labels = octcompress.model.labels (caller, data.Y, size (second, 1));
    if numel (labels) ~= count
      octcompress.internal.fail (caller, 'badLabels', ...
        'Y must label each of the %d observations of X, but labels %d', count, numel (labels));
    end
    parts.learn.Y = labels(learnt);
    parts.judge.Y = labels(judged);
  end
  if ~parts.labelled
    [~, parts.learn.Y] = max (octcompress.search.logits (caller, model, parts.learn.X), [], 1);
  end
  parts.judge.accuracy = mean (answer == parts.judge.Y);
end

%!shared model, data, options
%! rand ('twister', 1);
%! model = octcompress.model.tidy ('f', nn_new ('input', 4, 'dense', 3, 'softmax'));
%! data = struct ('X', rand (4, 50), 'Y', 1 + mod (1:50, 3));
%! options = struct ('validation', 0.2, 'calibration', 15, 'seen', false, 'seed', 1);
%!test % a partition; labels go along
%! p = octcompress.search.prepare_data ('f', model, data, options);
%! assert ({size(p.learn.X), size(p.calibration), size(p.judge.X)}, {[4 40], [4 15], [4 10]});
%! assert (sortrows ([p.learn.X, p.judge.X]'), sortrows (data.X'));
%! [~, place] = ismember (p.judge.X', data.X', 'rows');
%! assert (p.judge.Y, data.Y(place'));
%! r = nn_evaluate (model, p.judge.X, p.judge.Y);
%! assert (p.judge.accuracy, r.accuracy, 1e-12);
%! assert (p.judge.margins > 0);
%! assert (octcompress.search.prepare_data ('f', model, data, options), p);
%!test % seen: all are learnt from, calibration and judging still apart
%! options.seen = true;
%! p = octcompress.search.prepare_data ('f', model, data, options);
%! assert (size (p.learn.X), [4 50]);
%! assert (p.learn.X(:, 1:15), p.calibration);
%! assert (p.learn.X(:, 41:50), p.judge.X);
%! assert (~any (ismember (p.calibration', p.judge.X', 'rows')));
%!test % without labels: agreement; a file
%! p = octcompress.search.prepare_data ('f', model, rmfield (data, 'Y'), options);
%! assert ({p.judge.accuracy, size(p.learn.Y), p.labelled}, {1, [1 40], false});
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! save ('-v6', file, '-struct', 'data');
%! a = octcompress.search.prepare_data ('f', model, file, options);
%! data.X = single (data.X);
%! b = octcompress.search.prepare_data ('f', model, data, options);
%! assert (a, b);
%!error <f: DATA must be a struct with X and, if there are labels, Y, or a file's name, but is 3> octcompress.search.prepare_data ('f', model, 3, options)
%!error <f: DATA has 2 observations, of which VALIDATION 0.2 would be judged by> octcompress.search.prepare_data ('f', model, struct ('X', ones (4, 2)), options)
%!error <f: Y must label each of the 50 observations of X, but labels 3> octcompress.search.prepare_data ('f', model, setfield (data, 'Y', 1:3), options)
