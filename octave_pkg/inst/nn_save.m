function info = nn_save (file, model, varargin)
%NN_SAVE  Write a model to a .mat file, whole or not at all.
%
%   info = nn_save (file, model)
%   info = nn_save (file, model, 'compress', true)
%
%   file   the file's name; a file of that name is replaced
%   model  a network or any struct; its fields become the variables of the file
%   info   struct: file, bytes (of the file on disk), options
%
%   Options, as name-value pairs or a struct:
%     compress (false)  false: MATLAB v6, at the speed of the disk; true: v7, deflated: slow, but
%                       a pruned and quantized model becomes several times smaller
%
%   The model is written to another name in the same folder, read back and compared, and only
%   then given its name. When the disk is full or the program is killed, the old file stays.
%
%   Errors: octcompress:nn_save:notWritten, :tooLarge (a variable over 2 GB), :badType (a
%   function handle, say), :badName, :badValue, :unknownOption.
%
%   See also nn_load.

  options = octcompress.internal.parse_options ('nn_save', struct ('compress', false), varargin);
  octcompress.internal.check ('nn_save', 'file', file, 'text');
  octcompress.internal.check ('nn_save', 'compress', options.compress, 'flag');
  if ~isstruct (model) || ~isscalar (model)
    octcompress.internal.fail ('nn_save', 'badType', 'MODEL must be a scalar struct, but is %s', ...
                               octcompress.internal.describe (model));
  end
  if octcompress.model.is_network (model)
    model = octcompress.model.tidy ('nn_save', model);
  end
  octcompress.internal.check_saveable ('nn_save', model);

  format = '-v6';
  if options.compress
    format = '-v7';
  end
  [~, unique] = fileparts (tempname ());
  written = [file '.' unique '.part'];
  deleting = onCleanup (@() delete_if_there (written));
  try
    save (written, '-struct', 'model', format);
    back = load (written, '-mat');
  catch problem
    not_written (file, problem.message);
  end
  if ~isequaln (back, model)
    not_written (file, 'what was written does not read back the same');
  end
  octcompress.internal.replace_file ('nn_save', written, file);
  listed = dir (file);
  info = struct ('file', file, 'bytes', listed(1).bytes, 'options', options);
end

function not_written (file, message)
  octcompress.internal.fail ('nn_save', 'notWritten', ...
    '''%s'' could not be written (%s); is the disk full? What was there before is as it was', ...
    file, message);
end

function delete_if_there (file)
  if isfile (file)
    delete (file);
  end
end

%!shared model
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', single (rand (20, 30) > 0.9))};
%! model.meta = struct ('note', 'kept', 'k', int8 ([1 -2]), 'nan', NaN);
%! model = octcompress.model.tidy ('nn_save', model);
%!test % there and back, in both forms
%! for compress = [false true]
%!   file = [tempname() '.mat'];
%!   deleting = onCleanup (@() delete (file));
%!   info = nn_save (file, model, 'compress', compress);
%!   assert (nn_load (file), model);
%!   listed = dir (file);
%!   assert (info.bytes, listed.bytes);
%!   sizes(compress + 1) = info.bytes;
%!   clear deleting
%! end
%! assert (sizes(2) < sizes(1));
%!test % an error leaves the old file and no other
%! folder = tempname ();
%! mkdir (folder);
%! file = fullfile (folder, 'm.mat');
%! nn_save (file, model);
%! bad = model;
%! bad.meta = @sin;
%! try
%!   nn_save (file, bad);
%!   assert (false);
%! catch e
%!   assert (e.identifier, 'octcompress:nn_save:badType');
%! end
%! assert (nn_load (file), model);
%! assert (numel (dir (folder)), 3);
%! delete (file);
%! rmdir (folder);
%!error <nn_save: '.*' could not be written> nn_save (fullfile (tempname (), 'no', 'm.mat'), model)
%!error <nn_save: MODEL must be a scalar struct, but is 3> nn_save ('m.mat', 3)
%!error <nn_save: there is no option 'comprss'; the options are compress> nn_save ('m.mat', model, 'comprss', 1)
%!error <nn_save: meta is a function_handle> nn_save ('m.mat', setfield (model, 'meta', @sin))
