function write_bytes (file, bytes)
%WRITE_BYTES  A file with these bytes, whole or not at all.
%
%   octcompress.search.write_bytes (file, bytes)
%
%   bytes  uint8
%
%   Errors: octcompress:nn_compress:notWritten.

  [~, unique] = fileparts (tempname ());
  written = [file '.' unique '.part'];
  handle = fopen (written, 'w');
  count = -1;
  if handle >= 0
    count = fwrite (handle, bytes);
    fclose (handle);
  end
  if count ~= numel (bytes)
    if handle >= 0
      delete (written);
    end
    octcompress.internal.fail ('nn_compress', 'notWritten', ...
                               '''%s'' could not be written; is the disk full?', file);
  end
  octcompress.internal.replace_file ('nn_compress', written, file);
end

%!test
%! file = tempname ();
%! deleting = onCleanup (@() delete (file));
%! octcompress.search.write_bytes (file, uint8 ([1 2 200]));
%! handle = fopen (file);
%! assert (fread (handle)', [1 2 200]);
%! fclose (handle);
%!error <nn_compress: '.*' could not be written> octcompress.search.write_bytes (fullfile (tempname (), 'a', 'b'), uint8 (1))
