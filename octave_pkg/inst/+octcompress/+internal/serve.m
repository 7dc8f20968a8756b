function serve (request_path, response_path)
%SERVE  Run one call for another program: the request comes in a .mat file, so does the answer.
%
%   octcompress.internal.serve (request_path, response_path)
%
%   request_path   char, a file with the variables
%                    name     char: nn_... or octcompress....; no other function is called
%                    args     cell of structs, each either of
%                             value             any value, passed on as it is
%                             name, args, nargout, take  a call of its own; its outputs with
%                             the numbers take stand here: so a model need not travel
%                    nargout  number of outputs
%                    keep     cell of structs path, options; the output of the same place is saved
%                             there by nn_save (path, output, options{:}), and the path is answered;
%                             a struct without a path leaves the output alone
%   response_path  char, the file written, -v6:
%                    ok       true where the call came through
%                    value    cell of the outputs
%                    identifier, message, stack  char, of the error
%
%   No text of the request is evaluated: names must be those of files of this toolbox. An error is
%   answered, never raised, unless the response cannot be written.
%
%   Errors, answered: octcompress:serve:unknownFunction, :notReturned, and those of the call.

  response = struct ('ok', false, 'identifier', '', 'message', '', 'stack', '');
  response.value = {};
  try
    request = load (request_path);
    keep = request.keep;
    outputs = request.nargout;
    name = request.name;
    args = request.args;
    request = [];
    response.value = run (name, args, outputs);
    for k = 1:numel (keep)
      place = keep{k};
      if ~isempty (place.path)
        nn_save (place.path, response.value{k}, place.options{:});
        response.value{k} = place.path;
      end
    end
    response.ok = true;
  catch e
    response = failure (response, e);
  end
  try
    warnings = warning ('off', 'all');
    restoring = onCleanup (@() warning (warnings));
    save (response_path, '-struct', 'response', '-v6');
  catch e
    response = failure (response, e);
    response.identifier = 'octcompress:serve:notReturned';
    response.message = ['serve: an output cannot travel: ' e.message];
    save (response_path, '-struct', 'response', '-v6');
  end
end

function value = run (name, args, outputs)
  [callee, shown] = resolve (name);
  if isempty (callee)
    octcompress.internal.fail ('serve', 'unknownFunction', ...
      'there is no public function ''%s''; the names are those of nn_*.m and octcompress.*', shown);
  end
  value = cell (1, outputs);
  if outputs == 0
    given = values_of (args);
    callee (given{:});
  elseif ~isempty (args) && isfield (args{1}, 'name') && isequal (args{1}.take, 1)
    % The model goes on without a name here, so that the callee can change it in its place.
    rest = values_of (args(2:end));
    [value{:}] = callee (only (args{1}), rest{:});
  else
    given = values_of (args);
    [value{:}] = callee (given{:});
  end
end

function given = values_of (args)
  given = {};
  for k = 1:numel (args)
    if isfield (args{k}, 'name')
      outputs = run (args{k}.name, args{k}.args, args{k}.nargout);
      given = [given, outputs(args{k}.take)];
    else
      given{end + 1} = args{k}.value;
    end
  end
end

function value = only (inner)
  value = run (inner.name, inner.args, inner.nargout);
  value = value{1};
end

function [callee, shown] = resolve (name)
  callee = [];
  shown = octcompress.internal.describe (name);
  if ~ischar (name) || ~isrow (name)
    return
  end
  shown = name;
  flat = ~isempty (regexp (name, '^nn_[a-z0-9_]+$', 'once'));
  spaced = ~isempty (regexp (name, '^octcompress(\.[a-z][a-z0-9_]*)+$', 'once'));
  if flat || spaced
    root = fileparts (fileparts (fileparts (mfilename ('fullpath'))));
    parts = regexp (name, '\.', 'split');
    folders = [strcat('+', parts(1:end-1)), {[parts{end} '.m']}];
    if exist (fullfile (root, folders{:}), 'file') == 2
      callee = str2func (name);
    end
  end
end

function response = failure (response, e)
  response.ok = false;
  response.value = {};
  response.identifier = e.identifier;
  response.message = e.message;
  lines = {};
  for k = 1:numel (e.stack)
    if strncmp (e.stack(k).name, 'serve', 5)
      break
    end
    lines{end + 1} = sprintf ('%s, line %d', e.stack(k).name, e.stack(k).line);
  end
  response.stack = strjoin (lines, sprintf ('\n'));
end

%!function response = ask (name, args, outputs)
%!  folder = tempname ();
%!  mkdir (folder);
%!  request = struct ('name', name, 'nargout', outputs);
%!  request.args = args;
%!  request.keep = {};
%!  paths = {fullfile(folder, 'request.mat'), fullfile(folder, 'response.mat')};
%!  save (paths{1}, '-struct', 'request', '-v6');
%!  octcompress.internal.serve (paths{:});
%!  response = load (paths{2});
%!  delete (paths{:});
%!  rmdir (folder);
%!endfunction
%!test % a call and its outputs
%! response = ask ('octcompress.internal.describe', {struct('value', 4)}, 1);
%! assert (response.ok);
%! assert (response.value, {'4'});
%!test % a call within a call
%! name = 'octcompress.internal.describe';
%! inner = struct ('name', name, 'args', {{struct('value', 4)}}, 'nargout', 1, 'take', 1);
%! response = ask (name, {inner}, 1);
%! assert (response.value, {'''4'''});
%!test % the error of a call
%! args = {struct('value', 'f'), struct('value', 'wrong'), struct('value', 'no %s')};
%! response = ask ('octcompress.internal.fail', args, 0);
%! assert (~response.ok);
%! assert (response.identifier, 'octcompress:f:wrong');
%! assert (~isempty (strfind (response.stack, 'fail, line')));
%!test % nothing outside the toolbox is called, and nothing is evaluated
%! for name = {'system', 'octcompress.quant.x;disp(1)', 'nn_x'')', 'octcompress.no.such', ...
%!             'nn_nosuch', 'octcompress', '../nn_load'}
%!   response = ask (name{1}, {}, 0);
%!   assert (response.identifier, 'octcompress:serve:unknownFunction');
%! end
%!test % a name that is no text
%! response = ask (4, {}, 0);
%! assert (response.identifier, 'octcompress:serve:unknownFunction');
