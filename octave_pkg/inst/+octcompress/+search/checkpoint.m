function work = checkpoint (action, work)
%CHECKPOINT  The state of a search on disk: what was tried, the curves, the best file.
%
%   octcompress.search.checkpoint ('write', work)
%   work = octcompress.search.checkpoint ('read', work)
%
%   work  struct of octcompress.search.try_recipe; without work.options.checkpoint nothing happens
%
%   A search asks for the same things in the same order, so with the answers that it has got
%   already it goes on where it was. 'read' with a file that is not there leaves work as it is; a
%   file of another model, other data or other options is refused.
%
%   Errors: octcompress:nn_compress:checkpointDiffers, those of nn_load and nn_save.
%
%   See also nn_compress.

  file = work.options.checkpoint;
  if isempty (file)
    return
  end
  if strcmp (action, 'write')
    nn_save (file, struct ('search', struct ('of', work.fingerprint, 'tried', {work.tried}, ...
                                             'curves', {work.curves}, 'best', {work.best})));
    return
  end
  if ~isfile (file)
    return
  end
  found = nn_load (file);
  if ~isfield (found, 'search') || ~isfield (found.search, 'of') ...
     || ~isequal (found.search.of, work.fingerprint)
    octcompress.internal.fail ('nn_compress', 'checkpointDiffers', ...
      ['CHECKPOINT ''%s'' is of another search (another model, other data or options); give ' ...
       'another name, or delete it'], file);
  end
  for field = {'tried', 'curves', 'best'}
    work.(field{1}) = found.search.(field{1});
  end
end

%!test
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! work = struct ('options', struct ('checkpoint', file), 'fingerprint', 'abc', 'tried', {{1}}, ...
%!                'curves', {{}}, 'best', []);
%! empty = work;
%! empty.tried = {};
%! assert (octcompress.search.checkpoint ('read', empty), empty);
%! octcompress.search.checkpoint ('write', work);
%! found = octcompress.search.checkpoint ('read', empty);
%! assert (found.tried, {1});
%! empty.fingerprint = 'other';
%! try
%!   octcompress.search.checkpoint ('read', empty);
%!   assert (false);
%! catch problem
%!   assert (problem.identifier, 'octcompress:nn_compress:checkpointDiffers');
%! end
