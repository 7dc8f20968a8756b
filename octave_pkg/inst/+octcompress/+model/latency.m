function [seconds, bytes] = latency (model, X, varargin)
%LATENCY  Time and memory that a network takes, measured.
%
%   seconds = octcompress.model.latency (model, X)
%   [seconds, bytes] = octcompress.model.latency (model, X, 'batch_size', 1, 'repeats', 5)
%
%   model    a network
%   X        inputs, as nn_predict takes them; the first batch of them is used
%   seconds  for an observation: the shortest of the repeats, divided by the batch
%   bytes    by which the process grew at the most while it computed the first batch, over what it
%            held before; NaN where the system does not tell (only Linux does)
%
%   Options, as name-value pairs or a struct:
%     batch_size (256)  observations at a time
%     repeats (5)       how often the batch is computed, after a first time that does not count
%
%   Errors: those of nn_predict, octcompress:latency:badValue, :badInput (no observations).
%
%   See also nn_predict, nn_report.

  defaults = struct ('batch_size', 256, 'repeats', 5);
  options = octcompress.internal.parse_options ('latency', defaults, varargin);
  octcompress.internal.check ('latency', 'batch_size', options.batch_size, 'integer', [1 Inf]);
  octcompress.internal.check ('latency', 'repeats', options.repeats, 'integer', [1 Inf]);
  model = octcompress.model.tidy ('latency', model);
  count = min (octcompress.model.observations (X, model.input_size), options.batch_size);
  if count == 0
    octcompress.internal.fail ('latency', 'badInput', 'X must hold at least one observation');
  end
  if numel (model.input_size) == 3
    X = X(:, :, :, 1:count);
  else
    X = X(:, 1:count, :);
  end

  predict = octcompress.model.predictor ('latency', model);
  forget_peak ();
  held = status ('VmRSS');
  predict (X, count);
  bytes = max (status ('VmHWM') - held, 0);
  seconds = Inf;
  for k = 1:options.repeats
    started = tic ();
    predict (X, count);
    seconds = min (seconds, toc (started));
  end
  seconds = seconds / count;
end

function forget_peak ()
%  Linux begins its record of the peak anew when 5 is written here.
  if exist ('/proc/self/clear_refs', 'file')
    file = fopen ('/proc/self/clear_refs', 'w');
    if file >= 0
      fprintf (file, '5');
      fclose (file);
    end
  end
end

function bytes = status (name)
%  A line of the process's record, in bytes.
  bytes = NaN;
  if exist ('/proc/self/status', 'file')
    found = regexp (fileread ('/proc/self/status'), [name ':\s*(\d+) kB'], 'tokens', 'once');
    if ~isempty (found)
      bytes = 1024 * str2double (found{1});
    end
  end
end

%!shared model
%! model = nn_new ('input', [24 24 8], 'conv2d', {16, 5}, 'relu', 'flatten', 'dense', 3);
%!test % a network of many products takes longer
%! small = nn_new ('input', [24 24 8], 'flatten', 'dense', 3);
%! X = rand (24, 24, 8, 64);
%! [t, bytes] = octcompress.model.latency (model, X, 'batch_size', 64);
%! assert (t > 0 && t < 1);
%! assert (t > octcompress.model.latency (small, X, 'batch_size', 64));
%! assert (bytes >= 0 || isnan (bytes));
%!test % a batch of one
%! X = rand (24, 24, 8, 3);
%! assert (octcompress.model.latency (model, X, 'batch_size', 1, 'repeats', 1) > 0);
%!error <latency: X must hold at least one observation>
%! octcompress.model.latency (model, zeros (24, 24, 8, 0));
%!error <latency: REPEATS must be a whole number from 1 to Inf, but is 0>
%! octcompress.model.latency (model, 1, 'repeats', 0);
