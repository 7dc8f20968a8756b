function value = fingerprint (thing)
%FINGERPRINT  A number that changes when anything in a network or in data changes.
%
%   value = octcompress.distill.fingerprint (thing)
%
%   thing  struct, cell, text or numbers
%   value  double, 0 to 2^32 - 1, the same in Octave, MATLAB and NumPy
%
%   Of an array: the CRC-32 of its words of 32 bits, added up modulo 2^32 in 4093 places taken in
%   turn, which is fast for large data; singles as they are, all other numbers as doubles. Of a
%   struct or a cell: the CRC-32 of the values of its parts, the fields in the order of their names.
%
%   See also octcompress.distill.open_cache, octcompress.coding.crc32.

  if isstruct (thing)
    names = sort (fieldnames (thing))';
    parts = cell (2, numel (names));
    for k = 1:numel (names)
      parts(:, k) = {names{k}; thing.(names{k})};
    end
    value = of_parts (parts);
  elseif iscell (thing)
    value = of_parts (thing);
  else
    words = zeros (1, 0);
    if ischar (thing)
      words = double (thing(:)');
    elseif ~isempty (thing)
      words = folded (thing);
    end
    dims = size (thing);
    value = octcompress.coding.crc32 (octcompress.coding.value_bytes (uint32 ([dims, words])));
  end
end

function value = of_parts (parts)
  values = cellfun (@octcompress.distill.fingerprint, parts(:)');
  value = octcompress.coding.crc32 (octcompress.coding.value_bytes (uint32 (values)));
end

function sums = folded (numbers)
  places = 4093;
  block = 64 * places;
  width = 1 + ~isa (numbers, 'single');
  sums = zeros (places, 1);
  for first = 1:block:numel (numbers)
    part = numbers(first:min (first + block - 1, numel (numbers)));
    if width == 2
      part = double (part);
    end
    words = double (typecast (part(:), 'uint32'));
    words(end + 1:places * ceil (numel (words) / places)) = 0;
    sums = sums + sum (reshape (words, places, []), 2);
  end
  sums = mod (sums(1:min (places, width * numel (numbers)))', 2 ^ 32);
end

%!shared x
%! x = reshape (sin (1:12000), 4, 3000);
%!test % every entry, its place, the class and the size count
%! whole = octcompress.distill.fingerprint (x);
%! y = x;
%! y(7001) = y(7001) + eps;
%! assert (octcompress.distill.fingerprint (y) ~= whole);
%! assert (octcompress.distill.fingerprint (x(:, [2 1 3:end])) ~= whole);
%! assert (octcompress.distill.fingerprint (single (x)) ~= whole);
%! assert (octcompress.distill.fingerprint (x') ~= whole);
%! assert (octcompress.distill.fingerprint (x), whole);
%!test % what NumPy gives
%! assert (octcompress.distill.fingerprint ([1 2; 3 4]), 2363844971);
%! assert (octcompress.distill.fingerprint (struct ('b', 'text', 'a', {{single(0.5), true}})), ...
%!         2983896240);
