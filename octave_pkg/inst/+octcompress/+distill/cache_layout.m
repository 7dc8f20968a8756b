function layout = cache_layout (rows, count, kind, most)
%CACHE_LAYOUT  Where the teachers' outputs stand in a cache file.
%
%   layout = octcompress.distill.cache_layout (rows, count, kind)
%   layout = octcompress.distill.cache_layout (rows, count, kind, most)
%
%   rows, count  numbers for one observation, observations
%   kind    'single' or 'double'
%   most    bytes of one variable (2^30)
%   layout  struct: rows, count, kind, width (bytes of a number), first (for each variable its first
%           observation), columns (their number), places (bytes before its numbers), bytes (of the
%           file)
%
%   The file is MATLAB's level 5, without compression: 128 bytes; the variable fingerprint, 1 x 6
%   double; and outputs_1, outputs_2, ..., rows x columns, so that the numbers of an observation
%   stand side by side and a batch is read without the rest.
%
%   See also octcompress.distill.write_cache, octcompress.distill.open_cache.

  if nargin < 4
    most = 2 ^ 30;
  end
  layout = struct ('rows', rows, 'count', count, 'kind', kind, 'width', 4, 'first', [], ...
                   'columns', [], 'places', [], 'bytes', 0);
  if strcmp (kind, 'double')
    layout.width = 8;
  end
  columns = max (1, floor (most / (layout.width * rows)));
  layout.first = 1:columns:count;
  layout.columns = min (columns, count - layout.first + 1);
  % A variable is 56 bytes of tags and its name in 16; the fingerprint has 48 bytes of numbers.
  place = 128 + 72 + 48;
  for k = 1:numel (layout.first)
    layout.places(k) = place + 72;
    place = layout.places(k) + 8 * ceil (layout.width * rows * layout.columns(k) / 8);
  end
  layout.bytes = place;
end

%!test
%! layout = octcompress.distill.cache_layout (3, 10, 'single', 50);
%! assert (layout.first, [1 5 9]);
%! assert (layout.columns, [4 4 2]);
%! assert (layout.places, [320 440 560]);
%! assert (layout.bytes, 584);
