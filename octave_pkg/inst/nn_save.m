function info = nn_save (file, model, varargin)
%NN_SAVE  Write a model to a .mat file, whole or not at all.
%
%   info = nn_save (file, model)
%   info = nn_save (file, model, 'coding', 'auto')
%   info = nn_save (file, model, 'compress', true)
%
%   file   the file's name; a file of that name is replaced
%   model  a network or any struct; its fields become the variables of the file, in their order
%   info   struct: file, bytes (of the file on disk), options; of a coded file also rows and totals,
%          what each array takes and what all do, in bytes, as nn_info (file) tells them
%
%   Options, as name-value pairs or a struct:
%     coding ('none')   'none': an ordinary file, weights as numbers; 'auto', 'huffman', 'rans': a
%                       packed file, the smallest there is, as nn_pack makes it. nn_load reads it
%                       like any other; load gives its bytes, for nn_unpack
%     readable (false)  true: in a packed file also the model without its coded arrays, for other
%                       programs to look at
%     compress (false)  of an ordinary file: false: MATLAB v6, at the speed of the disk; true: v7,
%                       deflated
%
%   The model is written to another name in the same folder, read back and compared, and only
%   then given its name. When the disk is full or the program is killed, the old file stays. A
%   packed file has the same bytes whenever and wherever it is written.
%
%   Errors: octcompress:nn_save:notWritten, :tooLarge (a variable over 2 GB), :badType (a
%   function handle, say), :badName, :badValue, :unknownOption.
%
%   See also nn_load, nn_info, nn_pack.

  defaults = struct ('coding', 'none', 'readable', false, 'compress', false);
  options = octcompress.internal.parse_options ('nn_save', defaults, varargin);
  octcompress.internal.check ('nn_save', 'file', file, 'text');
  octcompress.internal.check ('nn_save', 'coding', options.coding, 'choice', ...
                              {'none', 'auto', 'huffman', 'rans'});
  octcompress.internal.check ('nn_save', 'readable', options.readable, 'flag');
  octcompress.internal.check ('nn_save', 'compress', options.compress, 'flag');
  coded = ~strcmp (options.coding, 'none');
  if coded && options.compress
    octcompress.internal.fail ('nn_save', 'badValue', ...
      'COMPRESS deflates files that are not coded; leave it out, or CODING');
  elseif options.readable && ~coded
    octcompress.internal.fail ('nn_save', 'badValue', ...
      'READABLE is for coded files; give CODING too, ''auto'' for one');
  end
  if ~isstruct (model) || ~isscalar (model)
    octcompress.internal.fail ('nn_save', 'badType', 'MODEL must be a scalar struct, but is %s', ...
                               octcompress.internal.describe (model));
  end
  if octcompress.model.is_network (model)
    model = octcompress.model.tidy ('nn_save', model);
  end
  octcompress.internal.check_saveable ('nn_save', model);

  [~, unique] = fileparts (tempname ());
  written = [file '.' unique '.mat'];
  deleting = onCleanup (@() delete_if_there (written));
  format = '-v6';
  if options.compress
    format = '-v7';
  end
  rows = {};
  variables = model;
  if coded
    [variables, packing] = nn_pack (model, 'coding', options.coding);
    rows = packing.rows;
  end
  try
    if coded && ~options.readable
      write_bytes (written, octcompress.coding.container (variables.octc));
    else
      if coded
        variables = octcompress.coding.readable (variables.octc);
      end
      names = fieldnames (variables);   % without them save would sort
      save (written, format, '-struct', 'variables', names{:});
    end
    back = load (written);
    if coded
      back = nn_unpack (back);
    end
  catch problem
    not_written (file, problem.message);
  end
  if ~isequaln (back, model)
    not_written (file, 'what was written does not read back the same');
  end
  octcompress.internal.replace_file ('nn_save', written, file);
  listed = dir (file);
  info = struct ('file', file, 'bytes', listed(1).bytes, 'options', options);
  if coded
    info.rows = rows;
    info.totals = octcompress.coding.add_up (rows, packing.bytes, info.bytes);
  end
end

function write_bytes (file, bytes)
  id = fopen (file, 'w');
  if id < 0
    error ('octcompress:nn_save:notWritten', 'it cannot be opened');
  end
  closing = onCleanup (@() fclose (id));
  if fwrite (id, bytes, 'uint8') ~= numel (bytes)
    error ('octcompress:nn_save:notWritten', 'the disk takes no more');
  end
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
%!test % there and back, in every form
%! forms = {{}, {'compress', true}, {'coding', 'auto'}, {'coding', 'huffman'}, ...
%!          {'coding', 'rans'}, {'coding', 'auto', 'readable', true}};
%! for k = 1:numel (forms)
%!   file = [tempname() '.mat'];
%!   deleting = onCleanup (@() delete (file));
%!   info = nn_save (file, model, forms{k}{:});
%!   assert (nn_load (file), model);
%!   assert (fieldnames (nn_load (file)), fieldnames (model));
%!   listed = dir (file);
%!   assert (info.bytes, listed.bytes);
%!   sizes(k) = info.bytes;
%!   clear deleting
%! end
%! assert (sizes(2) < sizes(1) && sizes(3) < sizes(2) && sizes(3) <= min (sizes(4:5)));
%!test % a packed file is one variable; every byte of it is accounted for, and none is the date
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! info = nn_save (file, model, 'coding', 'auto');
%! assert (fieldnames (load (file)), {'octc'});
%! assert (nn_unpack (load (file)), model);
%! assert (sum (cell2mat (struct2cell (info.totals))), info.bytes);
%! assert (info.totals.file, 25);
%! assert (info.rows{1}.name, 'a.weights');
%!test % what is not coded can be read by any program
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_save (file, model, 'coding', 'auto', 'readable', true);
%! found = load (file);
%! assert (found.layers{1}.name, 'a');
%! assert (isempty (found.layers{1}.weights));
%! assert (found.meta.note, 'kept');
%!test % an error leaves the old file and no other
%! folder = tempname ();
%! mkdir (folder);
%! file = fullfile (folder, 'm.mat');
%! nn_save (file, model);
%! bad = model;
%! bad.meta = @sin;
%! for form = {{}, {'coding', 'auto'}}
%!   try
%!     nn_save (file, bad, form{1}{:});
%!     assert (false);
%!   catch e
%!     assert (e.identifier, 'octcompress:nn_save:badType');
%!   end
%! end
%! assert (nn_load (file), model);
%! assert (numel (dir (folder)), 3);
%! delete (file);
%! rmdir (folder);
%!error <nn_save: '.*' could not be written> nn_save (fullfile (tempname (), 'no', 'm.mat'), model)
%!error <nn_save: '.*' could not be written> nn_save (fullfile (tempname (), 'no', 'm.mat'), model, 'coding', 'auto')
%!error <nn_save: MODEL must be a scalar struct, but is 3> nn_save ('m.mat', 3)
%!error <nn_save: there is no option 'comprss'; the options are coding, readable, compress> nn_save ('m.mat', model, 'comprss', 1)
%!error <nn_save: CODING must be one of> nn_save ('m.mat', model, 'coding', 'zip')
%!error <nn_save: COMPRESS deflates files that are not coded> nn_save ('m.mat', model, 'coding', 'auto', 'compress', true)
%!error <nn_save: READABLE is for coded files> nn_save ('m.mat', model, 'readable', true)
%!error <nn_save: meta is a function_handle> nn_save ('m.mat', setfield (model, 'meta', @sin))
