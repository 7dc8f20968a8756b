function bounds = run_outcomes (frequencies, window)
%RUN_OUTCOMES  Where the first 1 among binary decisions may be, as one symbol of 16 bits.
%
%   bounds = octcompress.coding.run_outcomes (frequencies, window)
%
%   frequencies  n x 1, the probability of a 1 for each of the first decisions, in 1/32768
%   window       m, how many decisions there are; at least n
%   bounds       (n + 1) x 1, falling from 2^16: the first 1 is decision k with the frequency
%                bounds(k) - bounds(k+1), and begins at bounds(k+1). If n = m there is none with the
%                frequency bounds(m+1), and it begins at 0
%
%   bounds(k+1) = floor (q(1) ... q(k) (2^16 - m - 1)) + m - k + 1, where q = 1 - frequencies/32768
%   and the product is rounded to double after each factor.
%
%   See also octcompress.coding.decode_runs.

  none = cumprod (1 - frequencies / 32768);
  places = (window:-1:window - numel (frequencies) + 1)';
  bounds = [65536; floor(none * (65535 - window)) + places];
end

%!assert (octcompress.coding.run_outcomes ([16384; 16384], 2), [65536; 32768; 16384], 2)
%!test % every outcome has a frequency, and the first ones do not depend on those behind
%! bounds = octcompress.coding.run_outcomes (repmat (32767, 500, 1), 500);
%! assert (all (diff (bounds) < 0) && bounds(end) > 0);
%! assert (octcompress.coding.run_outcomes (repmat (32767, 9, 1), 500), bounds(1:10));
