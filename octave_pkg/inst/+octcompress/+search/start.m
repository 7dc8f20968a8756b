function work = start (caller, model, data, options)
%START  The state of a search before anything was tried, or where a checkpoint left it.
%
%   work = octcompress.search.start (caller, model, data, options)
%
%   model    a tidy network
%   data     as octcompress.search.prepare_data takes it
%   options  of nn_compress, all of them
%   work     struct for octcompress.search.try_recipe and octcompress.search.find_recipe: model,
%            parts (octcompress.search.prepare_data), options, started (tic), tried, curves, front,
%            best, planned, stopped, fingerprint (octcompress.search.checkpoint)
%
%   Errors: those of octcompress.search.prepare_data and octcompress.search.checkpoint.
%
%   See also nn_compress.

  parts = octcompress.search.prepare_data (caller, model, data, options);
  work = struct ('model', model, 'parts', parts, 'options', options, 'started', tic (), ...
                 'tried', {{}}, 'curves', {{}}, 'front', [], 'best', [], 'planned', 1, ...
                 'stopped', 'finished');
  work.fingerprint = fingerprint_of (work);
  work = octcompress.search.checkpoint ('read', work);
end

function text = fingerprint_of (work)
  % Of the model, the data and the options that what is found depends on.
  options = rmfield (work.options, {'output', 'checkpoint', 'time', 'verbose', 'recipe'});
  tensors = octcompress.model.tensors (work.model, true);
  sums = cellfun (@(t) checksum (subsref (work.model, t.path)), tensors);
  text = sprintf ('%.17g ', sums, checksum (work.parts.learn.X), checksum (work.parts.judge.X), ...
                  checksum (work.parts.learn.Y), checksum (work.parts.judge.Y));
  text = [text, jsonencode(options)];
end

function number = checksum (x)
  x = double (x(1:ceil (numel (x) / 1e6):end));
  number = sum (x(:) .* (1 + mod ((1:numel (x))', 97)));
end

%!test % what was tried comes back with the same model, data and options, and only with these
%! model = nn_new ('input', 4, 'dense', 3);
%! data = struct ('X', rand (4, 40));
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! [~, info] = nn_compress (model, data, 'recipe', {struct('step', 'quantize')}, 'verbose', ...
%!                          false, 'checkpoint', file);
%! work = octcompress.search.start ('f', model, data, info.options);
%! assert ({work.tried, work.planned}, {info.tried, 1});
%! info.options.seed = 1;
%! try
%!   octcompress.search.start ('f', model, data, info.options);
%!   assert (false);
%! catch problem
%!   assert (problem.identifier, 'octcompress:nn_compress:checkpointDiffers');
%! end
