function bytes = container (packed)
%CONTAINER  The .mat file of a packed model.
%
%   bytes = octcompress.coding.container (packed)
%
%   packed  n x 1 uint8, from nn_pack
%   bytes   uint8 column: a file of MATLAB's level 4 with one variable, octc, n x 1, stored as
%           uint8. Level 4 costs 25 bytes where level 5 costs 184, and MATLAB, Octave and SciPy read
%           it as well. load gives the variable as double.
%
%   See also nn_save, nn_unpack.

  % 50: the lowest byte first, uint8, full; then rows, columns, no imaginary part, length of name
  head = uint32 ([50; numel(packed); 1; 0; 5]);
  bytes = [octcompress.coding.value_bytes(head); uint8([111; 99; 116; 99; 0]); packed(:)];
end

%!test % load reads it
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! id = fopen (file, 'w');
%! fwrite (id, octcompress.coding.container (uint8 ([0; 255; 7])));
%! fclose (id);
%! assert (load (file), struct ('octc', [0; 255; 7]));
