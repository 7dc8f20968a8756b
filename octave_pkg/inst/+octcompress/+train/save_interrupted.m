function save_interrupted (file)
%SAVE_INTERRUPTED  Save what a training that did not come to its end has left.
%
%   octcompress.train.save_interrupted (file)
%
%   file  the checkpoint's name, or ''
%
%   Runs however the training ends. After a normal end there is nothing left to save.
%
%   See also octcompress.train.interrupted, octcompress.train.loop.

  if ~octcompress.train.interrupted ('is_kept')
    return
  end
  message = 'the model as it is comes by model = octcompress.train.interrupted ()';
  if ~isempty (file)
    try
      nn_save (file, octcompress.train.interrupted ());
      message = sprintf (['the state is in ''%s'': go on by the option ''resume'', ' ...
                          'or nn_load it'], file);
    catch problem
      message = [problem.message '; ' message];
    end
  end
  fprintf ('training interrupted; %s\n', message);
end

%!test
%! octcompress.train.interrupted ('end');
%! assert (evalc ('octcompress.train.save_interrupted ('''')'), '');
