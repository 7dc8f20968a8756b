function [zero, other, sizes] = code_bits (codes, most, context)
%CODE_BITS  What each code of a matrix would cost in bits, were its codes coded adaptively.
%
%   [zero, other, sizes] = octcompress.quant.code_bits (codes, most, context)
%
%   codes    out x in, whole numbers
%   most     the largest magnitude to give a price for
%   context  true: zeros are more likely in rows and columns that have many
%   zero     out x in: bits of a zero at each place
%   other    out x in: bits of another code there, with its sign and without its magnitude
%   sizes    most x 1: bits of the magnitudes 1 to MOST
%
%   The odds of a zero are those of its row times those of its column, over those of all; each share
%   is drawn a little towards that of all. Magnitudes have the prices of their histogram, drawn a
%   little towards the geometric distribution of the same mean, so that none is impossible.
%
%   See also octcompress.quant.rdoq.

  used = codes ~= 0;
  [out, in] = size (codes);
  share = (nnz (used) + 0.5) / (numel (codes) + 1);
  odds = repmat (log (share / (1 - share)), out, in);
  if context
    odds = log_odds ((sum (used, 2) + 4 * share) / (in + 4)) ...
           + log_odds ((sum (used, 1) + 4 * share) / (out + 4)) - odds;
  end
  zero = (max (odds, 0) + log1p (exp (-abs (odds)))) / log (2);
  other = zero - odds / log (2) + 1;

  m = abs (codes(used));
  m = m(:);
  counts = accumarray (m, 1, [most, 1]);
  ratio = (sum (m) - numel (m) + 0.5) / (sum (m) + 1);
  likely = (1 - ratio) * ratio .^ (0:most-1)';
  sizes = -log2 (max ((counts + 4 * likely) / (numel (m) + 4), 2 ^ -60));
end

function odds = log_odds (p)
  odds = log (p ./ (1 - p));
end

%!shared codes
%! codes = zeros (20, 30);
%! codes(1:2, :) = 1;
%! codes(3, 1:5) = -2;
%!test % without context the bits of all codes are the entropy of zeros, signs and magnitudes
%! [zero, other, sizes] = octcompress.quant.code_bits (codes, 3, false);
%! p = 65 / 600;
%! assert (zero(1), -log2 (1 - p), 0.01);
%! assert (other(1), -log2 (p) + 1, 0.05);
%! assert (2 .^ -sizes(1:2), [60; 5] / 65, 0.01);
%! assert (sizes(3) < 60);
%!test % with it, full rows are cheap and empty ones too
%! [zero, other] = octcompress.quant.code_bits (codes, 3, true);
%! assert (other(1, 9) < 1.5 && zero(1, 9) > 3);
%! assert (zero(9, 9) < 0.05 && other(9, 9) > 5);
%!assert (octcompress.quant.code_bits (zeros (2), 1, true) < 1)
