function target = target (caller, y, out_size, count, loss, name)
%TARGET  Check what a network's outputs should be, for the losses that compare numbers.
%
%   target = octcompress.train.target (caller, y, out_size, count, loss, name)
%
%   y         the targets as the user gave them
%   out_size  of one observation: F, [H W C] or [F T]
%   count     how many observations there are
%   loss      char, of nn_train; 'binary_crossentropy' wants numbers from 0 to 1
%   name      char, what the user calls y, for messages
%   target    y; for one output a row
%
%   Errors: octcompress:CALLER:badTarget, :notFinite.
%
%   See also nn_train, nn_evaluate.

  target = y;
  if isvector (y) && isequal (out_size, 1)
    target = reshape (y, 1, []);
  end
  if ~(isnumeric (y) || islogical (y)) || ~isreal (y)
    octcompress.internal.fail (caller, 'badTarget', ...
                               '%s must be a real numeric array, but is %s', name, ...
                               octcompress.internal.describe (y));
  end
  if numel (out_size) == 3
    wanted = [out_size(:)', count];
  else
    wanted = [out_size(1), count, out_size(2:end)];
  end
  given = arrayfun (@(d) size (target, d), 1:max (numel (wanted), ndims (target)));
  wanted(end + 1:numel (given)) = 1;
  if ~isequal (given, wanted)
    octcompress.internal.fail (caller, 'badTarget', ...
      'with the loss ''%s'' %s must be of the output''s size, %s, but is %s', loss, name, ...
      strjoin (arrayfun (@(n) sprintf ('%d', n), wanted, 'UniformOutput', false), 'x'), ...
      octcompress.internal.describe (target));
  end
  if isfloat (y)
    octcompress.internal.check (caller, name, y, 'finite');
  end
  if strcmp (loss, 'binary_crossentropy') && (any (y(:) < 0) || any (y(:) > 1))
    octcompress.internal.fail (caller, 'badTarget', ...
      'with the loss ''binary_crossentropy'' %s must lie from 0 to 1, but goes from %g to %g', ...
      name, min (y(:)), max (y(:)));
  end
end

%!test % features, images, sequences; one output may be a column
%! target = @(y, out) octcompress.train.target ('f', y, out, 2, 'mse', 'Y');
%! assert (target ([1 2; 3 4; 5 6], 3), [1 2; 3 4; 5 6]);
%! assert (size (target (ones (2, 3, 1, 2), [2 3 1])), [2 3 1 2]);
%! assert (size (target (ones (2, 2, 5), [2 5])), [2 2 5]);
%! assert (target ([1; 2], 1), [1 2]);
%!error <f: with the loss 'mae' T must be of the output's size, 2x3x1x4, but is 2x3 double> octcompress.train.target ('f', ones (2, 3), [2 3 1], 4, 'mae', 'T')
%!error <f: T must be a real numeric array, but is 'a'> octcompress.train.target ('f', 'a', 1, 1, 'mae', 'T')
%!error <f: T must be finite, but element 1 of 1 is NaN> octcompress.train.target ('f', NaN, 1, 1, 'mae', 'T')
%!error <f: with the loss 'binary_crossentropy' T must lie from 0 to 1, but goes from 2 to 2> octcompress.train.target ('f', 2, 1, 1, 'binary_crossentropy', 'T')
