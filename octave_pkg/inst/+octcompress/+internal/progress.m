function progress (task, done, total, varargin)
%PROGRESS  Report how far a long task is.
%
%   octcompress.internal.progress (task, done, total)
%   octcompress.internal.progress (task, done, total, template, ...)
%
%   task         char, a word or two
%   done, total  numbers; a line is printed at each call
%   template     as for sprintf: figures to show beside
%
%   A person sees 'training 3/25: loss 0.1234'. Where the environment variable
%   OCTCOMPRESS_PROGRESS is 'lines' (the Python bridge sets it), the line is
%   '@progress <tab> task <tab> done <tab> total <tab> figures'.

  figures = '';
  if nargin > 3
    figures = sprintf (varargin{:});
  end
  if strcmp (getenv ('OCTCOMPRESS_PROGRESS'), 'lines')
    fprintf ('@progress\t%s\t%.15g\t%.15g\t%s\n', task, done, total, figures);
  elseif isempty (figures)
    fprintf ('%s %g/%g\n', task, done, total);
  else
    fprintf ('%s %g/%g: %s\n', task, done, total, figures);
  end
  if exist ('OCTAVE_VERSION', 'builtin')
    fflush (stdout ());
  end
end

%!test % both forms
%! kept = getenv ('OCTCOMPRESS_PROGRESS');
%! setenv ('OCTCOMPRESS_PROGRESS', '');
%! a = evalc ('octcompress.internal.progress (''training'', 3, 25, ''loss %.2f'', 0.5)');
%! setenv ('OCTCOMPRESS_PROGRESS', 'lines');
%! b = evalc ('octcompress.internal.progress (''training'', 3, 25)');
%! setenv ('OCTCOMPRESS_PROGRESS', kept);
%! assert (a, sprintf ('training 3/25: loss 0.50\n'));
%! assert (b, sprintf ('@progress\ttraining\t3\t25\t\n'));
