function model = text_model ()
%TEXT_MODEL  The state of the byte model after the descriptions of some typical networks.
%
%   model = octcompress.coding.text_model ()
%
%   model  struct for text_pass. It begins with all counts even, and has then seen the bytes of
%          typical_trees
%
%   text_pass takes a second for these bytes. What it leaves in its tables is computed at once here;
%   the few numbers that every bit had a part in are written down.
%
%   See also octcompress.coding.text_pass, octcompress.coding.typical_trees.

  persistent kept
  if isempty (kept)
    text = octcompress.coding.typical_trees ();
    count = numel (text);
    kept = blank_model ();
    [kept.p, kept.n] = count_bits (kept, text);
    kept.matched = [32768 58677 63634 62563 64206 63542 64107 64735 65268 64855 62674 63928 ...
                    65105 65083 62889 64078]';
    kept.trusted = [0 254 254 254 254 254 254 254 254 254 254 214 182 171 151 254]';
    kept.weights = [20378 32672 30865 18091 19615 20000; 13544 22715 28674 23341 19909 22222; ...
                    15128 19369 22122 21978 21153 27018]';
    behind = (3:count)';
    key = mod (30011 * (65536 * text(behind) + 256 * text(behind - 1) + text(behind - 2)), 65536);
    kept.last(key + 1) = behind + 1;   % of equal keys the last one stays
    kept.seen = text(end:-1:end-3)';
    kept.text = text;
    kept.here = count;
    kept.matching = 1;
    kept.place = 776;
  end
  model = kept;
end

function model = blank_model ()
  model = struct ('p', repmat (32768, 1, 5 * 65536), 'n', zeros (1, 5 * 65536), ...
                  'matched', 32768 + 2000 * (0:15)', 'trusted', zeros (16, 1), ...
                  'weights', repmat (20000, 6, 3), 'last', zeros (65536, 1), ...
                  'seen', [0 0 0 0], 'text', zeros (0, 1), 'here', 0, 'matching', 0, 'place', 0);
end

function [p, n] = count_bits (model, text)
%  The cells of the five tables; the first visits of all cells together, then the second ones, ...
  p = model.p;
  n = model.n;
  text = text';
  before = [zeros(1, 4), text(1:end-1)];
  pair = 256 * before(4:end) + before(3:end-1);
  three = 256 * pair + before(2:end-2);
  h = {0 * text, 256 * before(4:end), 40503 * pair, 30011 * three, ...
       10007 * (256 * three + before(1:end-3))};
  spread = [1 1 4106 6159 8212];
  shift = (7:-1:0)';
  node = 2 .^ (7 - shift) + floor (text ./ 2 .^ (shift + 1));
  bit = mod (floor (text ./ 2 .^ shift), 2);
  cells = zeros (numel (bit), 5);
  for k = 1:5
    at = mod (h{k} + spread(k) * node, 65536) + 65536 * (k - 1) + 1;
    cells(:, k) = at(:);
  end
  bit = repmat (bit(:), 5, 1);
  [cells, order] = sort (cells(:));
  bit = bit(order);
  fresh = [true; diff(cells) > 0];
  first = find (fresh);
  visit = (1:numel (cells))' - first(cumsum (fresh));
  [visit, order] = sort (visit);
  stop = cumsum (accumarray (visit + 1, 1));
  start = 0;
  for k = 1:numel (stop)
    which = order(start+1:stop(k));
    at = cells(which);
    q = p(at)';
    p(at) = q + floor (2 * (65535 * bit(which) - q) / (2 * min (k - 1, 30) + 3));
    n(at) = min (k, 30);
    start = stop(k);
  end
end

%!test % as text_pass makes it, bit by bit
%! model = octcompress.coding.text_model ();
%! blank = struct ('p', repmat (32768, 1, 5 * 65536), 'n', zeros (1, 5 * 65536), ...
%!                 'matched', 32768 + 2000 * (0:15)', 'trusted', zeros (16, 1), ...
%!                 'weights', repmat (20000, 6, 3), 'last', zeros (65536, 1), ...
%!                 'seen', [0 0 0 0], 'text', zeros (0, 1), 'here', 0, 'matching', 0, 'place', 0);
%! slow = octcompress.coding.text_pass (blank, octcompress.coding.typical_trees ());
%! for field = fieldnames (slow)'
%!   assert (model.(field{1}), slow.(field{1}));
%! end
