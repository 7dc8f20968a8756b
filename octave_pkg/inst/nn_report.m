function report = nn_report (small, varargin)
%NN_REPORT  What became of a model: sizes, errors, speed, what changed.
%
%   nn_report (small)
%   nn_report (small, 'against', model, 'data', X, 'labels', Y)
%   report = nn_report (...)
%
%   small   a network, or the name of its file
%   report  struct; without it the text is printed, and plots are drawn where there is a display
%     small, against    structs: name; bytes (of the file on disk; NaN where a network was given);
%                       parameters, nonzeros, bits (a weight), macs; with data latency (seconds
%                       for an observation) and memory (bytes); with labels error, correct, count
%     layers            cell of structs: the rows of nn_info
%     changed           struct: place (row of the observations whose class differs), label, before,
%                       after (rows of class numbers)
%     steps             struct, of a file from nn_compress: step (cellstr) and bytes (row), about
%                       what the weights took after each step of its recipe
%     text              what is printed
%
%   Options, as name-value pairs or a struct:
%     against ([])      the model that it was made from, or the name of its file
%     data ([])         inputs, as nn_predict takes them
%     labels ([])       labels, as nn_evaluate takes them
%     batch_size (256)  observations at a time
%     plot ('auto')     'auto': where there is a display and no result is asked for; true; false
%
%   The same as one HTML file: octcompress report, from Python.
%
%   Errors: octcompress:nn_report:badValue, :unknownOption, those of nn_load and nn_evaluate.
%
%   See also nn_info, nn_evaluate, nn_compress, octcompress.model.latency.

  caller = 'nn_report';
  defaults = struct ('against', [], 'data', [], 'labels', [], 'batch_size', 256, 'plot', 'auto');
  options = octcompress.internal.parse_options (caller, defaults, varargin);
  octcompress.internal.check (caller, 'batch_size', options.batch_size, 'integer', [1 Inf]);
  if ~ischar (options.plot)
    octcompress.internal.check (caller, 'plot', options.plot, 'flag');
  elseif ~strcmp (options.plot, 'auto')
    octcompress.internal.fail (caller, 'badValue', ...
                               'PLOT must be ''auto'', true or false, but is ''%s''', options.plot);
  end
  if ~isempty (options.labels) && isempty (options.data)
    octcompress.internal.fail (caller, 'badValue', 'LABELS need DATA too');
  end

  [report.small, after, predicted] = facts (caller, small, options);
  report.against = [];
  report.layers = nn_info (after).rows;
  report.changed = struct ('place', zeros (1, 0), 'label', zeros (1, 0), ...
                           'before', zeros (1, 0), 'after', zeros (1, 0));
  before = [];
  if ~isempty (options.against)
    [report.against, before, earlier] = facts (caller, options.against, options);
    if ~isempty (predicted)
      place = find (predicted ~= earlier);
      label = octcompress.model.labels (caller, options.labels, Inf);
      report.changed = struct ('place', place, 'label', label(place), ...
                               'before', earlier(place), 'after', predicted(place));
    end
  end
  report.steps = struct ('step', {{}}, 'bytes', zeros (1, 0));
  if isfield (after, 'recipe') && isfield (after, 'recipe_bytes')
    report.steps.step = cellfun (@(step) step.step, after.recipe(:)', 'UniformOutput', false);
    report.steps.bytes = after.recipe_bytes(:)';
  end
  report.text = text_of (report, nn_info (after).text);
  if isequal (options.plot, true) || (ischar (options.plot) && nargout == 0 && has_display ())
    draw (after, before);
  end
  if nargout == 0
    fprintf ('%s', report.text);
    clear report
  end
end

function [found, model, predicted] = facts (caller, model, options)
  found = struct ('name', 'the model', 'bytes', NaN);
  if ischar (model)
    [~, name, extension] = fileparts (model);
    listed = dir (model);
    found.name = [name extension];
    model = nn_load (model);
    found.bytes = listed(1).bytes;
  end
  model = octcompress.model.tidy (caller, model);
  totals = nn_info (model).totals;
  for field = {'parameters', 'nonzeros', 'bits', 'macs'}
    found.(field{1}) = totals.(field{1});
  end
  predicted = [];
  if ~isempty (options.data)
    [found.latency, found.memory] = octcompress.model.latency (model, options.data, ...
                                                               'batch_size', options.batch_size);
  end
  if ~isempty (options.labels)
    result = nn_evaluate (model, options.data, options.labels, 'batch_size', options.batch_size);
    predicted = result.predicted;
    for field = {'error', 'correct', 'count'}
      found.(field{1}) = result.(field{1});
    end
  end
end

function text = text_of (report, table)
%  Two columns, the original's and the compressed model's, and what lies between them.
  a = report.against;
  b = report.small;
  lines = {b.name};
  if ~isempty (a)
    lines{1} = sprintf ('%s, from %s', b.name, a.name);
  end
  measures = {'bytes', 'bytes on disk', '%.0f', 1; 'error', 'error', '%.2f%%', 100; ...
              'nonzeros', 'weights not zero', '%.0f', 1; 'bits', 'bits a weight', '%.3g', 1; ...
              'macs', 'multiplications', '%.0f', 1; ...
              'latency', 'ms an observation', '%.4f', 1000; ...
              'memory', 'memory, MB', '%.1f', 1e-6};
  for k = 1:size (measures, 1)
    [field, label, form, unit] = measures{k, :};
    if ~isfield (b, field) || isnan (b.(field))
      continue
    end
    line = sprintf ('%-18s', label);
    if ~isempty (a) && ~isnan (a.(field))
      line = [line, sprintf(' %14s  ->', sprintf (form, unit * a.(field)))];  %#ok<AGROW>
    end
    line = [line, sprintf(' %14s', sprintf (form, unit * b.(field)))];  %#ok<AGROW>
    if ~isempty (a) && ~isnan (a.(field))
      if strcmp (field, 'error')
        line = [line, sprintf('   %+.2f points', 100 * (b.error - a.error))];  %#ok<AGROW>
      elseif b.(field) > 0 && a.(field) > b.(field)
        line = [line, sprintf('   %.3g times less', a.(field) / b.(field))];  %#ok<AGROW>
      elseif a.(field) > 0 && a.(field) < b.(field)
        line = [line, sprintf('   %.3g times more', b.(field) / a.(field))];  %#ok<AGROW>
      end
    end
    lines{end+1} = line;  %#ok<AGROW>
  end
  for k = 1:numel (report.steps.bytes)
    lines{end+1} = sprintf ('%-18s %14.0f bytes, about', ['after ' report.steps.step{k}], ...
                            report.steps.bytes(k));  %#ok<AGROW>
  end
  if ~isempty (a) && isfield (b, 'error')
    c = report.changed;
    lines{end+1} = sprintf (['%d of %d observations changed class: %d are wrong now, %d are ' ...
                             'right now, %d are wrong in another way'], numel (c.place), ...
                            b.count, nnz (c.before == c.label), nnz (c.after == c.label), ...
                            nnz (c.before ~= c.label & c.after ~= c.label));
  end
  text = sprintf ('%s\n', lines{:}, '');
  text = [text, table];
end

function answer = has_display ()
  if exist ('OCTAVE_VERSION', 'builtin')
    answer = ~isempty (getenv ('DISPLAY')) && ~isempty (feval ('available_graphics_toolkits'));
  else
    answer = usejava ('awt');
  end
end

function draw (after, before)
%  A histogram of each layer's weights, the original's behind.
  tensors = octcompress.model.tensors (after, false);
  figure ('name', 'nn_report');
  for k = 1:numel (tensors)
    w = double (subsref (after, tensors{k}.path));
    reach = max (max (abs (w(:))), realmin);
    centres = linspace (-reach, reach, 81);
    subplot (numel (tensors), 1, k);
    hold ('on');
    if ~isempty (before)
      try
        v = double (subsref (before, tensors{k}.path));
      catch
        v = [];  % a layer that is no longer, or not yet, there
      end
      bar (centres, hist (v(:), centres) / max (numel (v), 1), 1);
    end
    stem (centres, hist (w(:), centres) / numel (w));
    title (tensors{k}.name, 'interpreter', 'none');
  end
end

%!shared model, small, X, Y
%! model = nn_new ('input', 6, 'dense', 8, 'relu', 'dense', 3);
%! X = reshape (mod ((1:6 * 40) * 0.37, 1), 6, 40);
%! [~, Y] = max (nn_predict (model, X), [], 1);
%! small = nn_quantize (nn_prune (model, 'sparsity', 0.5), 'bits', 2);
%!test % figures are those of the verbs
%! r = nn_report (small, 'against', model, 'data', X, 'labels', Y);
%! assert (r.against.error, 0);
%! assert (r.small.error, nn_evaluate (small, X, Y).error);
%! [~, predicted] = max (nn_predict (small, X), [], 1);
%! assert (r.changed.place, find (predicted ~= Y));
%! assert (r.changed.before, Y(predicted ~= Y));
%! assert (r.changed.after, predicted(predicted ~= Y));
%! assert (r.small.nonzeros, nn_info (small).totals.nonzeros);
%! assert (numel (r.layers), 3);
%! assert (r.small.latency > 0);
%! assert (isnan (r.small.bytes));
%!test % what is printed
%! said = evalc ('nn_report (small, ''against'', model, ''data'', X, ''labels'', Y)');
%! assert (~isempty (regexp (said, 'error +0\.00%  -> +\d+\.\d\d%   \+\d+\.\d\d points', 'once')));
%! assert (~isempty (strfind (said, sprintf ('of 40 observations changed class'))));
%!test % files, and a model alone
%! file = [tempname() '.mat'];
%! saved = nn_save (file, small, 'compress', true);
%! r = nn_report (file);
%! delete (file);
%! assert (r.small.bytes, saved.bytes);
%! assert (isempty (r.against));
%! assert (r.steps.step, {});
%! assert (~isempty (regexp (r.text, sprintf ('bytes on disk +%d\n', saved.bytes), 'once')));
%!test % the steps of nn_compress
%! data = struct ('X', X, 'Y', Y);
%! recipe = {struct('step', 'prune', 'sparsity', 0.5), struct('step', 'quantize', 'bits', 3)};
%! [small, info] = nn_compress (model, data, 'recipe', recipe, 'verbose', false);
%! r = nn_report (small);
%! assert (r.steps.step, {'prune', 'quantize'});
%! assert (r.steps.bytes, round ([info.steps{1}.bytes, info.steps{2}.bytes]));
%! assert (~isempty (regexp (r.text, 'after quantize +\d+ bytes', 'once')));
%!error <nn_report: there is no option 'agianst'; the options are against, data, labels, batch_size, plot>
%! nn_report (small, 'agianst', model);
%!error <nn_report: LABELS need DATA too> nn_report (small, 'labels', Y);
%!error <nn_report: PLOT must be 'auto', true or false, but is 'yes'> nn_report (small, 'plot', 'yes');
