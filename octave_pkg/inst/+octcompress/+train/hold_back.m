function [index, held] = hold_back (caller, count, validation, options)
%HOLD_BACK  The observations to train with, and those to judge by.
%
%   [index, held] = octcompress.train.hold_back (caller, count, validation, options)
%
%   count       of observations for training
%   validation  struct with its count, or []: then options.validation is the share to hold back, the
%               first of a random order
%   index, held  numbers, in increasing order
%
%   Errors: octcompress:CALLER:empty.
%
%   See also octcompress.train.loop.

  index = 1:count;
  held = [];
  if ~isempty (validation)
    held = 1:validation.count;
  elseif options.validation > 0
    order = octcompress.train.random ('order', count);
    share = floor (options.validation * count);
    held = sort (order(1:share));
    index = sort (order(share + 1:end));
  end
  if isempty (index) || (options.validation > 0 && isempty (held))
    octcompress.internal.fail (caller, 'empty', ...
      ['X has %d observations, of which %d are for training and %d for validation; there must ' ...
       'be more'], ...
      count, numel (index), numel (held));
  end
end

%!test
%! [index, held] = octcompress.train.hold_back ('f', 10, [], struct ('validation', 0.3));
%! assert ({numel(held), sort([index, held])}, {3, 1:10});
%! [index, held] = octcompress.train.hold_back ('f', 4, struct ('count', 2), ...
%!                                            struct ('validation', 0));
%! assert ({index, held}, {1:4, 1:2});
%!error <f: X has 3 observations, of which 3 are for training and 0 for validation; there must be more>
%! octcompress.train.hold_back ('f', 3, [], struct ('validation', 0.1));
