function run_cases (package, request, response)
%RUN_CASES  Run many calls of the toolbox for the parity tests.
%
%   run_cases (package, request, response)
%
%   package   char, the folder octave_pkg/inst
%   request   char, a .mat file: cases, a cell of structs with name (char), args (cell), nargout
%             and seed (of rand; [] for none)
%   response  char, the .mat file written: answers, a cell of structs with ok, value (cell of the
%             outputs), identifier, message

  addpath (package);
  cases = load (request).cases;
  answers = cell (size (cases));
  for k = 1:numel (cases)
    answer = struct ('ok', true, 'value', {{}}, 'identifier', '', 'message', '');
    try
      callee = str2func (cases{k}.name);
      value = cell (1, cases{k}.nargout);
      if ~isempty (cases{k}.seed)
        rand ('twister', cases{k}.seed);
      end
      if isempty (value)
        callee (cases{k}.args{:});
      else
        [value{:}] = callee (cases{k}.args{:});
      end
      answer.value = value;
    catch e
      answer.ok = false;
      answer.identifier = e.identifier;
      answer.message = e.message;
    end
    answers{k} = answer;
  end
  save (response, 'answers', '-v6');
end
