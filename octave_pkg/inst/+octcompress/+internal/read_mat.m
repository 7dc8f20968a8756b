function [found, packing] = read_mat (caller, file, names)
%READ_MAT  Load variables of a .mat file after a look at what the file really is.
%
%   found = octcompress.internal.read_mat (caller, file)
%   [found, packing] = octcompress.internal.read_mat (caller, file, names)
%
%   names    cellstr: the variables to read, those that are there; all
%   found    struct with a field for each
%   packing  the info of nn_unpack for a packed file, [] for any other
%
%   MATLAB v4, v6 and v7, and in Octave its own text, binary and HDF5 files. Of a packed file
%   (nn_save) the model is read that it holds. Refused, for Octave would read half of them: MATLAB
%   v7.3 (it loses its cells with no more than a warning) and other HDF5 that it did not write,
%   Keras's say (it loses the classes of single, logical and char arrays), MATLAB objects. Refused
%   too: Git LFS pointers, empty and truncated files.
%
%   Errors: octcompress:CALLER:noFile, :badFile, :version73, :foreignHdf5, :objects, :gitLfs,
%   :truncated, :damaged, :version (packed by a later octcompress).
%
%   See also nn_load, nn_data.

  octcompress.internal.check (caller, 'file', file, 'text');
  if ~isfile (file)
    octcompress.internal.fail (caller, 'noFile', 'there is no file ''%s''', file);
  end
  examine (caller, file);
  packing = [];
  try
    if nargin > 2
      present = whos ('-file', file);
      present = {present.name};
      wanted = names(ismember (names, present));
      if ismember ('octc', present)
        wanted = {'octc'};
      end
      found = struct ();
      if ~isempty (wanted)
        found = load (file, wanted{:});
      end
    else
      found = load (file);
    end
    if isfield (found, 'octc')
      [found, packing] = nn_unpack (found);
      if nargin > 2
        others = fieldnames (found);
        found = rmfield (found, others(~ismember (others, names)));
      end
    end
  catch problem
    tag = 'damaged';
    more = '; ''octcompress convert IN OUT.mat'' reads more, and says what is wrong';
    if strcmp (problem.identifier, 'octcompress:nn_unpack:version')
      tag = 'version';
      more = '';
    end
    octcompress.internal.fail (caller, tag, '''%s'' cannot be read: %s%s', file, ...
                               problem.message, more);
  end
  if ~isstruct (found)
    octcompress.internal.fail (caller, 'badFile', ...
                               '''%s'' holds a bare array, not named variables', file);
  end
  place = first_object (found, '');
  if ~isempty (place)
    octcompress.internal.fail (caller, 'objects', ...
      ['''%s'' holds a MATLAB object (%s), which Octave cannot read; make a file that it ' ...
       'reads by ''octcompress convert IN OUT.mat'''], file, place(2:end));
  end
end

function place = first_object (value, here)
  % Octave gives a struct with a field MCOS for an object, of which only the number is right.
  place = '';
  if isstruct (value)
    names = fieldnames (value);
    if numel (value) == 1 && isfield (value, 'MCOS') && isa (value.MCOS, 'uint32')
      place = here;
      return
    end
    cells = struct2cell (value);
    for k = 1:numel (cells)
      if isempty (place) && (isstruct (cells{k}) || iscell (cells{k}))
        place = first_object (cells{k}, [here '.' names{mod(k - 1, numel (names)) + 1}]);
      end
    end
  elseif iscell (value)
    for k = 1:numel (value)
      if isempty (place) && (isstruct (value{k}) || iscell (value{k}))
        place = first_object (value{k}, sprintf ('%s{%d}', here, k));
      end
    end
  end
end

function examine (caller, file)
  id = fopen (file, 'r', 'ieee-le');
  if id < 0
    octcompress.internal.fail (caller, 'noFile', '''%s'' cannot be opened for reading', file);
  end
  closing = onCleanup (@() fclose (id));
  fseek (id, 0, 'eof');
  bytes = ftell (id);
  fseek (id, 0, 'bof');
  head = fread (id, 128, 'uint8=>uint8')';
  text = char (head);
  if bytes == 0
    octcompress.internal.fail (caller, 'truncated', '''%s'' is empty (0 bytes)', file);
  elseif strncmp (text, 'version https://git-lfs', 23)
    octcompress.internal.fail (caller, 'gitLfs', ...
      '''%s'' is a Git LFS pointer, not the file itself; fetch it with git lfs pull', file);
  elseif strncmp (text, 'MATLAB 7.3', 10)
    octcompress.internal.fail (caller, 'version73', ...
      ['''%s'' is a MATLAB v7.3 file, of which Octave loses cells and classes; make one it ' ...
       'reads by ''octcompress convert IN OUT.mat'', or in MATLAB by saving with ''-v7'''], file);
  elseif strncmp (text, 'MATLAB 5.0', 10)
    walk_elements (caller, file, id, bytes, head);
  elseif is_packed (head)
    stated = 25 + double (typecast (head(5:8), 'uint32'));
    if stated ~= bytes
      octcompress.internal.fail (caller, 'truncated', ...
        '''%s'' is cut off or damaged: it must have %d bytes, but has %d', file, stated, bytes);
    end
  elseif is_hdf5 (head)
    if ~is_octaves (id)
      octcompress.internal.fail (caller, 'foreignHdf5', ...
        ['''%s'' is an HDF5 file (of Keras?) of which Octave loses classes; make one that it ' ...
         'reads by ''octcompress convert IN OUT.mat'''], file);
    end
  elseif ~(strncmp (text, '# ', 2) || strncmp (text, 'Octave-1-', 9) || is_v4 (head))
    octcompress.internal.fail (caller, 'badFile', ...
      ['''%s'' is not a .mat file: it begins with ''%s''; models of other frameworks become ' ...
       'one by ''octcompress convert IN OUT.mat'''], file, printable (text(1:min (end, 16))));
  end
end

function yes = is_octaves (id)
  % Octave marks each variable; the mark of the first may stand behind its numbers.
  mark = 'OCTAVE_NEW_FORMAT';
  yes = false;
  fseek (id, 0, 'bof');
  before = '';
  block = fread (id, 2 ^ 20, 'uint8=>char')';
  while ~yes && ~isempty (block)
    yes = ~isempty (strfind ([before, block], mark));
    before = block(max (1, end - numel (mark)):end);
    block = fread (id, 2 ^ 20, 'uint8=>char')';
  end
end

function walk_elements (caller, file, id, bytes, head)
  % Each variable is an element: 4 bytes of type, 4 bytes of length, and its data.
  place = 128;
  swap = numel (head) == 128 && isequal (head(127:128), uint8 ('MI'));
  while place < bytes
    fseek (id, place, 'bof');
    tag = fread (id, 2, 'uint32=>uint32');
    if numel (tag) < 2
      place = Inf;
    else
      if swap
        tag = swapbytes (tag);
      end
      place = place + 8 + double (tag(2));
    end
  end
  if place ~= bytes || numel (head) < 128
    octcompress.internal.fail (caller, 'truncated', ...
      '''%s'' is cut off or damaged: its variables do not end where the file does (%d bytes)', ...
      file, bytes);
  end
end

function yes = is_hdf5 (head)
  yes = numel (head) > 8 && isequal (head(1:8), uint8 ([137 72 68 70 13 10 26 10]));
end

function yes = is_packed (head)
  % As octcompress.coding.container writes it.
  yes = numel (head) > 25 && isequal (head([1:4, 9:25]), ...
        uint8 ([50 0 0 0, 1 0 0 0, 0 0 0 0, 5 0 0 0, 111 99 116 99 0]));
end

function yes = is_v4 (head)
  % Level 4 has no signature: type (four decimal digits MOPT), rows, columns, imaginary, name
  % length.
  yes = false;
  if numel (head) >= 20
    for word = {typecast(head(1:20), 'uint32'), swapbytes(typecast (head(1:20), 'uint32'))}
      w = double (word{1});
      yes = yes || (w(1) <= 4052 && mod (w(1), 10) <= 2 && w(4) <= 1 && w(5) >= 1 && w(5) <= 64);
    end
  end
end

function text = printable (text)
  text(text < 32 | text > 126) = '.';
end

%!function file = file_with (bytes)
%!  file = [tempname() '.mat'];
%!  id = fopen (file, 'w');
%!  fwrite (id, bytes);
%!  fclose (id);
%!endfunction
%!function refuse (bytes)
%!  file = file_with (bytes);
%!  deleting = onCleanup (@() delete (file));
%!  octcompress.internal.read_mat ('f', file);
%!endfunction
%!test % what was saved comes back, in each format Octave can truly read
%! for format = {'-v4', '-v6', '-v7', '-text', '-binary', '-hdf5'}
%!   A = [1 2; 3 4.5];
%!   B = 7;
%!   file = [tempname() '.mat'];
%!   deleting = onCleanup (@() delete (file));
%!   save (format{1}, file, 'A', 'B');
%!   assert (octcompress.internal.read_mat ('f', file), struct ('A', A, 'B', B));
%!   assert (octcompress.internal.read_mat ('f', file, {'B', 'C'}), struct ('B', B));
%!   clear deleting
%! end
%!test % the model in a packed file, or some of it
%! model = struct ('A', [1 2; 3 4.5], 'B', 'b');
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_save (file, model, 'coding', 'auto');
%! assert (octcompress.internal.read_mat ('f', file), model);
%! [found, packing] = octcompress.internal.read_mat ('f', file, {'B', 'C'});
%! assert (found, struct ('B', 'b'));
%! assert (packing.rows{1}.name, 'A');
%!test % a packed file that is cut off or changed
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! nn_save (file, struct ('A', magic (4)), 'coding', 'auto');
%! id = fopen (file);
%! bytes = fread (id);
%! fclose (id);
%! tags = {'truncated', 'damaged'};
%! for k = 1:2
%!   try
%!     if k == 1
%!       refuse (bytes(1:end-3));
%!     else
%!       refuse ([bytes(1:end-1); 255 - bytes(end)]);
%!     end
%!     assert (false);
%!   catch e
%!     assert (e.identifier, ['octcompress:f:' tags{k}]);
%!   end
%! end
%!test % any truncation is noticed
%! A = single (rand (50));
%! file = [tempname() '.mat'];
%! for format = {'-v6', '-v7'}
%!   save (format{1}, file, 'A');
%!   id = fopen (file);
%!   bytes = fread (id);
%!   fclose (id);
%!   for keep = [0, 60, 127, 130, 500, numel(bytes) - 1]
%!     try
%!       refuse (bytes(1:keep));
%!       assert (false, sprintf ('%d bytes were taken', keep));
%!     catch e
%!       assert (e.identifier, 'octcompress:f:truncated');
%!     end
%!   end
%! end
%! delete (file);
%!test % an object, as Octave reads it, is not taken for a struct
%! file = [tempname() '.mat'];
%! deleting = onCleanup (@() delete (file));
%! s.a = {struct(), struct('MCOS', uint32 ([3707764736; 2; 1]))};
%! save ('-v6', file, 's');
%! try
%!   octcompress.internal.read_mat ('f', file);
%!   assert (false);
%! catch e
%!   assert (e.identifier, 'octcompress:f:objects');
%!   assert (~isempty (strfind (e.message, 'a MATLAB object (s.a{2}), which Octave')));
%! end
%!error <f: there is no file 'nowhere.mat'> octcompress.internal.read_mat ('f', 'nowhere.mat')
%!error <is a Git LFS pointer> refuse ('version https://git-lfs.github.com/spec/v1')
%!error <is a MATLAB v7.3 file, .* 'octcompress convert IN OUT.mat'> refuse (['MATLAB 7.3 MAT-file' blanks(600)])
%!error <is an HDF5 file .* 'octcompress convert IN OUT.mat'> refuse ([137 72 68 70 13 10 26 10, zeros(1, 99)])
%!error <is not a .mat file: it begins with 'PK..'; models of other .* 'octcompress convert IN OUT.mat'> refuse (['PK' 3 4])
%!error <f: FILE must be text, but is 3> octcompress.internal.read_mat ('f', 3)
