function write_cache (caller, file, mark, layout, outputs)
%WRITE_CACHE  Write teachers' outputs to a .mat file, batch by batch, whole or not at all.
%
%   octcompress.distill.write_cache (caller, file, mark, layout, outputs)
%
%   file     a file of that name is replaced
%   mark     1 x 6 double: format, count, and the fingerprints of data, teachers, layers and class
%   layout   of octcompress.distill.cache_layout
%   outputs  handle: outputs (which) gives rows x numel (which)
%
%   No more than 256 observations are in memory at a time. The file is written under another name in
%   the same folder and then renamed.
%
%   Errors: octcompress:CALLER:notWritten.
%
%   See also octcompress.distill.open_cache.

  [~, unique] = fileparts (tempname ());
  written = [file '.' unique '.part'];
  [id, message] = fopen (written, 'w', 'ieee-le');
  if id < 0
    octcompress.internal.fail (caller, 'notWritten', 'CACHE ''%s'' cannot be written: %s', file, ...
                               message);
  end
  deleting = onCleanup (@() discard (id, written));
  text = 'MATLAB 5.0 MAT-file, written by octcompress: outputs of teachers';
  fwrite (id, [text, repmat(' ', 1, 124 - numel (text))], 'char*1');
  fwrite (id, [256, 19785], 'uint16');
  begin_variable (id, 'fingerprint', [1 6], 'double', 48);
  fwrite (id, mark, 'double');
  done = true;
  for k = 1:numel (layout.first)
    bytes = layout.width * layout.rows * layout.columns(k);
    begin_variable (id, sprintf ('outputs_%d', k), [layout.rows, layout.columns(k)], ...
                    layout.kind, bytes);
    last = layout.first(k) + layout.columns(k) - 1;
    for first = layout.first(k):256:last
      part = outputs (first:min (first + 255, last));
      done = done && fwrite (id, part, layout.kind) == numel (part);
    end
    fwrite (id, zeros (1, mod (-bytes, 8)), 'uint8');
  end
  done = done && ftell (id) == layout.bytes && fclose (id) == 0;
  listed = dir (written);
  if ~done || listed(1).bytes ~= layout.bytes
    octcompress.internal.fail (caller, 'notWritten', ...
                               'CACHE ''%s'' could not be written whole; is the disk full?', file);
  end
  octcompress.internal.replace_file (caller, written, file);
end

function begin_variable (id, name, dims, kind, bytes)
  % The classes of level 5: double is 6, its numbers 9; single is 7 in both.
  codes = [7 7];
  if strcmp (kind, 'double')
    codes = [6 9];
  end
  padded = 8 * ceil (bytes / 8);
  fwrite (id, [14, 64 + padded, 6, 8, codes(1), 0, 5, 8, dims, 1, numel(name)], 'uint32');
  fwrite (id, [double(name), zeros(1, 16 - numel (name))], 'uint8');
  fwrite (id, [codes(2), bytes], 'uint32');
end

function discard (id, file)
  if any (fopen ('all') == id)
    fclose (id);
  end
  if isfile (file)
    delete (file);
  end
end

%!test % a .mat file like any other
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! for kind = {'single', 'double'}
%!   x = cast (reshape (sin (1:3*700), 3, 700), kind{1});
%!   layout = octcompress.distill.cache_layout (3, 700, kind{1}, 3600);
%!   octcompress.distill.write_cache ('f', file, 1:6, layout, @(which) x(:, which));
%!   found = load (file);
%!   assert (found.fingerprint, 1:6);
%!   parts = cell (1, numel (layout.first));
%!   for k = 1:numel (parts)
%!     parts{k} = found.(sprintf ('outputs_%d', k));
%!   end
%!   assert ([parts{:}], x);
%! end
%!error <f: CACHE '.*' cannot be written>
%! layout = octcompress.distill.cache_layout (1, 1, 'single');
%! octcompress.distill.write_cache ('f', fullfile (tempname (), 'a.mat'), 1:6, layout, @(which) 1);
%!test % where it fails, what was there before is as it was
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! before = 1;
%! save (file, 'before');
%! layout = octcompress.distill.cache_layout (1, 3, 'single');
%! try
%!   octcompress.distill.write_cache ('f', file, 1:6, layout, @(which) error ('stop:now', 'now'));
%! catch problem
%! end
%! assert (problem.identifier, 'stop:now');
%! assert (load (file), struct ('before', 1));
%! assert (numel (dir ([file '*'])), 1);
