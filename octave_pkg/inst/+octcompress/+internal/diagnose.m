function found = diagnose ()
%DIAGNOSE  What a report on this Octave or MATLAB needs.
%
%   found = octcompress.internal.diagnose ()
%
%   found  struct: program ('Octave' or 'MATLAB'), version, blas (the library's name for itself),
%          gflops (of a product of two 1000 x 1000 single matrices, the best of three after one
%          to warm up), folder (of the package)

  if exist ('OCTAVE_VERSION', 'builtin')
    found.program = 'Octave';
  else
    found.program = 'MATLAB';
  end
  found.version = version ();
  found.blas = version ('-blas');
  n = 1000;
  a = ones (n, n, 'single');
  seconds = Inf;
  for k = 1:4
    start = tic ();
    b = a * a;
    if k > 1
      seconds = min (seconds, toc (start));
    end
  end
  found.gflops = 2 * n ^ 3 / seconds / 1e9;
  if b(1) ~= n
    octcompress.internal.fail ('diagnose', 'wrongProduct', ...
      'the matrix product is wrong: %g in place of %d; install another BLAS library', b(1), n);
  end
  found.folder = fileparts (fileparts (fileparts (mfilename ('fullpath'))));
end

%!test
%! found = octcompress.internal.diagnose ();
%! assert (isfield (found, {'program', 'version', 'blas', 'gflops', 'folder'}), true (1, 5));
%! assert (found.gflops > 0 && isfinite (found.gflops));
%! assert (exist (fullfile (found.folder, 'nn_load.m'), 'file'), 2);
