function read = open_cache (caller, file, mark, layout, most)
%OPEN_CACHE  Teachers' outputs from a cache file, after a look whether they belong.
%
%   read = octcompress.distill.open_cache (caller, file, mark, layout)
%   read = octcompress.distill.open_cache (caller, file, mark, layout, most)
%
%   mark, layout  as octcompress.distill.write_cache wrote them
%   most  bytes up to which all is read into memory (2^30); of larger files each batch is read when
%         it is asked for
%   read  handle: read (which) gives rows x numel (which)
%
%   Errors: octcompress:CALLER:cacheMismatch where the file holds the outputs of another teacher, on
%   other data, of other layers or in another class, or is no cache; those of reading a .mat file.
%
%   See also nn_distill, octcompress.distill.write_cache.

  if nargin < 5
    most = 2 ^ 30;
  end
  found = octcompress.internal.read_mat (caller, file, {'fingerprint'});
  if ~isfield (found, 'fingerprint') || ~isequal (size (found.fingerprint), [1 6])
    refuse (caller, file, 'is no cache of a distillation');
  end
  % The data before the number of observations, which they explain.
  wrong = find (found.fingerprint ~= mark);
  reasons = {'has another format', 'holds outputs on other data', 'holds outputs on other data', ...
             'holds the outputs of another teacher', 'holds the outputs of other layers', ...
             'holds outputs of another class'};
  if ~isempty (wrong)
    refuse (caller, file, reasons{wrong(1)});
  end
  listed = dir (file);
  if listed(1).bytes ~= layout.bytes
    refuse (caller, file, 'was changed since it was written');
  end
  if layout.width * layout.rows * layout.count <= most
    whole = read_columns (file, layout, 1:layout.count);
    read = @(which) whole(:, which);
  else
    read = @(which) read_columns (file, layout, which);
  end
end

function refuse (caller, file, reason)
  octcompress.internal.fail (caller, 'cacheMismatch', ...
    'CACHE ''%s'' %s; give another name, or delete the file', file, reason);
end

function values = read_columns (file, layout, which)
  id = fopen (file, 'r', 'ieee-le');
  closing = onCleanup (@() fclose (id));
  values = zeros (layout.rows, numel (which), layout.kind);
  format = [layout.kind '=>' layout.kind];
  % Neighbours are read at once.
  starts = [1, find(diff (which) ~= 1) + 1];
  ends = [starts(2:end) - 1, numel(which)];
  for i = 1:numel (starts)
    k = starts(i);
    while k <= ends(i)
      variable = find (layout.first <= which(k), 1, 'last');
      before = which(k) - layout.first(variable);
      n = min (ends(i) - k + 1, layout.columns(variable) - before);
      fseek (id, layout.places(variable) + layout.width * layout.rows * before, 'bof');
      values(:, k:k + n - 1) = fread (id, [layout.rows, n], format);
      k = k + n;
    end
  end
end

%!shared x, file, layout, deleting
%! x = reshape (sin (1:3*700), 3, 700);
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! layout = octcompress.distill.cache_layout (3, 700, 'double', 3600);
%! octcompress.distill.write_cache ('f', file, 1:6, layout, @(which) x(:, which));
%!test % from memory and from the file
%! for most = [0 1e9]
%!   read = octcompress.distill.open_cache ('f', file, 1:6, layout, most);
%!   for which = {1:700, [150 151 152 7 699 700 1], 150, 700:-1:1, 145:320}
%!     assert (read (which{1}), x(:, which{1}));
%!   end
%! end
%!error <f: CACHE '.*' holds outputs on other data; give another name, or delete the file> octcompress.distill.open_cache ('f', file, [1 2 4 4 5 6], layout)
%!error <f: CACHE '.*' holds the outputs of another teacher> octcompress.distill.open_cache ('f', file, [1 2 3 5 5 6], layout)
%!error <f: CACHE '.*' is no cache of a distillation>
%! other = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (other));
%! nn_save (other, struct ('a', 1));
%! octcompress.distill.open_cache ('f', other, 1:6, layout);
%!error <f: CACHE '.*' was changed since it was written>
%! longer = octcompress.distill.cache_layout (3, 701, 'double', 3600);
%! octcompress.distill.open_cache ('f', file, 1:6, longer);
