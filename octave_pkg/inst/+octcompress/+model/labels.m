function labels = labels (caller, y, classes)
%LABELS  Class numbers of a batch, from class numbers or one-hot columns.
%
%   labels = octcompress.model.labels (caller, y, classes)
%
%   y        N class numbers 1 to K; or one-hot, K x N or N x K (any numeric class or logical)
%   classes  K
%   labels   1 x N double
%
%   Errors: octcompress:CALLER:badLabels.

  given = octcompress.internal.describe (y);
  if isvector (y) && (classes > 1 || numel (y) == 1) && ~(numel (y) == classes && is_one_hot (y(:)))
    labels = reshape (double (y), 1, []);
    wrong = find (~(labels >= 1 & labels <= classes & labels == fix (labels)), 1);
    if ~isempty (wrong)
      octcompress.internal.fail (caller, 'badLabels', ...
        'Y must hold class numbers from 1 to %d, but element %d is %g', classes, wrong, ...
        labels(wrong));
    end
    return
  end
  if ismatrix (y) && (size (y, 1) ~= classes || ~is_one_hot (y))
    y = y.';
  end
  if size (y, 1) ~= classes || ~is_one_hot (y)
    octcompress.internal.fail (caller, 'badLabels', ...
      'Y must hold class numbers from 1 to %d, or be one-hot of %d x N, but is %s', classes, ...
      classes, ...
      given);
  end
  [~, labels] = max (y, [], 1);
end

function yes = is_one_hot (y)
  yes = ndims (y) == 2 && all (y(:) == 0 | y(:) == 1) && all (sum (double (y), 1) == 1);
end

%!assert (octcompress.model.labels ('f', [3; 1; 2], 3), [3 1 2])
%!assert (octcompress.model.labels ('f', uint8 ([0 1; 0 0; 1 0]), 3), [3 1])
%!assert (octcompress.model.labels ('f', [0 1; 0 0; 1 0]', 3), [3 1])
%!assert (octcompress.model.labels ('f', [0; 1; 0], 3), 2)
%!error <f: Y must hold class numbers from 1 to 3, but element 2 is 4> octcompress.model.labels ('f', [1 4], 3)
%!error <f: Y must hold class numbers from 1 to 3, but element 1 is 0> octcompress.model.labels ('f', [0 2], 3)
%!error <f: Y must hold class numbers from 1 to 3, or be one-hot of 3 x N, but is 4x2 double> octcompress.model.labels ('f', ones (4, 2), 3)
%!error <f: Y must hold class numbers from 1 to 2, or be one-hot of 2 x N, but is 2x2x2 double> octcompress.model.labels ('f', ones (2, 2, 2), 2)
