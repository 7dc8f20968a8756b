function serve (inst, home, mark)
%SERVE  Run test files, one after the other, as told on standard input.
%
%   serve (inst, home, mark)
%
%   inst  char, folder of the package, put on the path
%   home  char, folder that is current while a test runs
%   mark  char, begins each line that is an answer and not output of a test
%
%   A line of input is three paths with tabs between them: a test file, the log that Octave's test
%   function writes, and a further folder for the path (may be empty). An empty line follows:
%   fgetl looks one character ahead before it returns. The answer is what test returns: passed,
%   run, expected failures, bugs, skipped, skipped at run time, regressions.
%
%   This is the other half of tests/octave/collector.py.

  addpath (inst);
  first_path = path ();
  fprintf ('\n%s ready\n', mark);
  fflush (stdout);
  while true
    line = fgetl (stdin);
    if ~ ischar (line)
      break
    elseif isempty (line)
      continue
    end
    job = strsplit (line, char (9));
    if ~ strcmp (path (), first_path)
      path (first_path);
    end
    if ~ isempty (job{3})
      addpath (job{3});
    end
    cd (home);
    rand ('twister', 1);
    randn ('twister', 1);
    lasterr ('');
    warning ('off', 'quiet');  % which test leaves on after an %!error block without an error
    counts = zeros (1, 7);
    [counts(1), counts(2), counts(3), counts(4), counts(5), counts(6), counts(7)] = ...
      test (job{1}, 'quiet', job{2});
    if counts(1) < counts(2)
      print_stack (job{2});
    end
    fprintf ('\n%s%s\n', mark, sprintf (' %d', counts));
    fflush (stdout);
  end
end

function print_stack (log)
  % Where the last error arose, as far as it arose in a file.
  last = lasterror ();
  stack = last.stack;
  fid = fopen (log, 'at');
  for i = 1:numel (stack)
    if strcmp (stack(i).name, 'test')
      break
    end
    if ~ isempty (stack(i).file) && stack(i).line > 0
      fprintf (fid, 'in %s, line %d of %s\n', stack(i).name, stack(i).line, stack(i).file);
    end
  end
  fclose (fid);
end
