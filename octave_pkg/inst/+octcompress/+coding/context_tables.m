function t = context_tables ()
%CONTEXT_TABLES  The integer tables of the context coder.
%
%   t = octcompress.coding.context_tables ()
%
%   t.stretch  65536 x 1: round (256 * ln (p / (1-p))), p = (k + 1/2) / 65536, k = 0..65535
%   t.squash   6145 x 1: round (32768 / (1 + exp (-x/256))) within 1..32767, x = -3072..3072
%   t.price    32767 x 1: round (4096 * log2 (32768 / k)): bits * 4096 of a probability k / 32768
%   t.level    61 x 1: 0..11, the level of a size 0..60 (60 stands for all above)
%   t.floor    1 x 32: the smallest magnitude of bucket 0..31
%   t.extra    1 x 32: how many bits tell the magnitudes of a bucket apart
%
%   No value lies within 1e-6 of a rounding boundary, so every machine makes the same tables.
%
%   See also octcompress.coding.context_encode.

  persistent table
  if isempty (table)
    p = ((0:65535)' + 0.5) / 65536;
    table.stretch = floor (256 * log (p ./ (1 - p)) + 0.5);
    x = (-3072:3072)' / 256;
    table.squash = min (max (floor (32768 ./ (1 + exp (-x)) + 0.5), 1), 32767);
    table.price = floor (4096 * log2 (32768 ./ (1:32767)') + 0.5);
    steps = [1 2 3 4 6 9 13 19 28 41 60];
    table.level = sum (bsxfun (@ge, (0:60)', steps), 2);
    k = 1:13;
    table.extra = [0 0 0 0 0, reshape([k; k], 1, []), 14];
    table.floor = [0, cumsum([1, 2 .^ table.extra(2:end-1)])];
  end
  t = table;
end

%!test % the tables are symmetric and their ends are as documented
%! t = octcompress.coding.context_tables ();
%! assert (t.stretch, -flipud (t.stretch));
%! assert (t.squash(3073), 16384);
%! assert (all (t.squash + flipud (t.squash) == 32768));
%! assert (t.price([16384; 8192; 1])', 4096 * [1 2 15]);
%! assert (t.level([1 2 5 6 7 61])', [0 1 4 4 5 11]);
%! assert (t.floor(1:10), [0 1 2 3 4 5 7 9 13 17]);
%! assert (t.floor(32) + 2 ^ t.extra(32) - 1, 49152);
