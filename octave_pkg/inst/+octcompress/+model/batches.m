function [x, ranges] = batches (caller, model, x, batch_size)
%BATCHES  Check a network's inputs and cut them into batches.
%
%   [x, ranges] = octcompress.model.batches (caller, model, x, batch_size)
%
%   model   a tidy network
%   x       F x N, H x W x C x N, or F x N x T; any numeric class or logical
%   ranges  one row a batch: its first and last observation
%
%   Errors: octcompress:CALLER:badInput, :notFinite.
%
%   See also octcompress.model.take_batch.

  in = model.input_size;
  if ~(isnumeric (x) || islogical (x)) || ~isreal (x)
    octcompress.internal.fail (caller, 'badInput', 'X must be a real numeric array, but is %s', ...
                               octcompress.internal.describe (x));
  end
  switch numel (in)
    case 1
      fits = size (x, 1) == in && ismatrix (x);
      wanted = sprintf ('%d features in each column', in);
    case 2
      fits = size (x, 1) == in(1) && ndims (x) <= 3 && (isnan (in(2)) || size (x, 3) == in(2));
      wanted = sprintf ('%d features x N observations x %g steps', in);
    otherwise
      fits = ndims (x) <= 4 && isequal ([size(x, 1), size(x, 2), size(x, 3)], in(:)');
      wanted = sprintf ('%d x %d x %d x N images', in);
  end
  if ~fits
    octcompress.internal.fail (caller, 'badInput', 'X must have %s, but is %s', wanted, ...
                               octcompress.internal.describe (x));
  end
  if isfloat (x) && ~all (isfinite (x(:)))
    octcompress.internal.check (caller, 'x', x, 'finite');
  end
  count = octcompress.model.observations (x, in);
  first = (1:batch_size:count)';
  ranges = [first, min(first + batch_size - 1, count)];
end

%!shared model
%! model.input_size = 2;
%!test
%! [~, ranges] = octcompress.model.batches ('f', model, ones (2, 5), 2);
%! assert (ranges, [1 2; 3 4; 5 5]);
%!test
%! [~, ranges] = octcompress.model.batches ('f', model, ones (2, 0), 2);
%! assert (size (ranges), [0 2]);
%!test % one image
%! [~, ranges] = octcompress.model.batches ('f', struct ('input_size', [4 3 1]), ones (4, 3), 2);
%! assert (ranges, [1 1]);
%!error <f: X must have 2 features in each column, but is 3x2 double> octcompress.model.batches ('f', model, ones (3, 2), 2)
%!error <f: X must have 4 x 3 x 1 x N images, but is 4x4 double> octcompress.model.batches ('f', struct ('input_size', [4 3 1]), ones (4), 2)
%!error <f: X must have 2 x 2 x 1 x N images, but is 2x2x1x1x2 double> octcompress.model.batches ('f', struct ('input_size', [2 2 1]), ones (2, 2, 1, 1, 2), 2)
%!error <f: X must be finite, but element 2 of 2 is NaN> octcompress.model.batches ('f', model, [1; NaN], 2)
%!error <f: X must be a real numeric array, but is 'ab'> octcompress.model.batches ('f', model, 'ab', 2)
