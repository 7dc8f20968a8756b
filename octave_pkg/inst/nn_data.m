function [x, y] = nn_data (file, part, varargin)
%NN_DATA  Inputs and labels from a data file.
%
%   [X, Y] = nn_data (file)
%   [X, Y] = nn_data (file, part)
%   [X, Y] = nn_data (file, part, 'limit', 1000, 'input_size', [28 28 1])
%
%   file  a .mat file with train_x, train_y, test_x, test_y (one observation a row, as in
%         DeepLearnToolbox), or with X and Y in the layouts of nn_predict
%         (docs/data-format.md)
%   part  'test' (default) or 'train'; of no effect where the file holds X and Y
%   X     single; integers are divided by the largest of their class (uint8: 0 to 1)
%   Y     1 x N class numbers where the labels are one-hot or class numbers; other targets
%         single, as they are; [] where the file has none
%
%   Options, as name-value pairs or a struct:
%     limit (Inf)           the first observations only
%     input_size ([])       [H W C]: rows of H*W*C pixels become images H x W x C x N
%     pixel_order ('row')   order of the pixels in a row: 'row' (along each line of the image, as
%                           MNIST has it; channels slowest) or 'column' (as reshape has it)
%
%   Errors: octcompress:nn_data:noFile, :badFile, :badValue, :unknownOption.
%
%   See also nn_evaluate, nn_train.

  if nargin < 2
    part = 'test';
  end
  defaults.limit = Inf;
  defaults.input_size = [];
  defaults.pixel_order = 'row';
  options = octcompress.internal.parse_options ('nn_data', defaults, varargin);
  octcompress.internal.check ('nn_data', 'part', part, 'choice', {'test', 'train'});
  octcompress.internal.check ('nn_data', 'pixel_order', options.pixel_order, 'choice', ...
                              {'row', 'column'});
  if ~isinf (options.limit)
    octcompress.internal.check ('nn_data', 'limit', options.limit, 'integer', [0 Inf]);
  end
  names = {[part '_x'], [part '_y'], 'X', 'Y'};
  found = octcompress.internal.read_mat ('nn_data', file, names);
  in_rows = isfield (found, names{1});
  if in_rows
    x = found.(names{1})';
    y = labels_of (found, names{2});
  elseif isfield (found, 'X')
    x = found.X;
    y = labels_of (found, 'Y');
  else
    octcompress.internal.fail ('nn_data', 'badFile', ...
      '''%s'' must hold %s and %s, or X and Y; see docs/data-format.md', file, names{1}, names{2});
  end
  if ~(isnumeric (x) || islogical (x)) || ~isreal (x)
    octcompress.internal.fail ('nn_data', 'badFile', ...
                               'the inputs in ''%s'' must be numbers, but are %s', ...
                               file, octcompress.internal.describe (x));
  end

  is_image = ndims (x) == 4;
  if is_image
    x = x(:, :, :, 1:min (options.limit, size (x, 4)));
    count = size (x, 4);
  else
    x = x(:, 1:min (options.limit, size (x, 2)), :);
    count = size (x, 2);
  end
  if isinteger (x)
    x = single (x) / single (intmax (class (x)));
  else
    x = single (x);
  end
  if numel (options.input_size) == 3 && ~is_image
    x = to_images (x, options, file);
  end
  if ~isempty (y)
    if size (y, 2) < count
      octcompress.internal.fail ('nn_data', 'badFile', ...
        '''%s'' has %d observations but %d labels', file, count, size (y, 2));
    end
    y = y(:, 1:count);
  end
end

function y = labels_of (found, name)
  y = [];
  if ~isfield (found, name)
    return
  end
  y = double (found.(name));
  if strcmp (name, 'Y')
    if iscolumn (y)
      y = y';
    end
  else
    y = y';
  end
  if size (y, 1) > 1 && all (y(:) == 0 | y(:) == 1) && all (sum (y, 1) == 1)
    [~, y] = max (y, [], 1);
  elseif size (y, 1) > 1
    y = single (y);
  end
end

function x = to_images (x, options, file)
  shape = options.input_size(:)';
  if size (x, 1) ~= prod (shape)
    octcompress.internal.fail ('nn_data', 'badValue', ...
      'INPUT_SIZE must have as many pixels as the %d features in ''%s'', but is %s', ...
      size (x, 1), file, ...
      octcompress.internal.describe (shape));
  end
  if strcmp (options.pixel_order, 'row')
    x = permute (reshape (x, shape(2), shape(1), shape(3), []), [2 1 3 4]);
  else
    x = reshape (x, shape(1), shape(2), shape(3), []);
  end
end

%!shared file, s
%! file = [tempname() '.mat'];
%! s.train_x = uint8 ([255 0 0 51; 0 0 255 0; 1 2 3 4]);
%! s.train_y = uint8 ([1 0; 0 1; 0 1]);
%! s.test_x = s.train_x(2:3, :);
%! s.test_y = s.train_y(2:3, :);
%! save (file, '-struct', 's', '-v6');
%!test
%! [X, Y] = nn_data (file, 'train');
%! assert (X, single (double (s.train_x') / 255), eps ('single'));
%! assert (Y, [1 2 2]);
%!test
%! [X, Y] = nn_data (file);
%! assert (size (X), [4 2]);
%! assert (Y, [2 2]);
%!test % images: pixels along the lines
%! X = nn_data (file, 'train', 'input_size', [2 2 1], 'limit', 2);
%! assert (X, single (cat (4, [1 0; 0 0.2], [0 0; 1 0])), eps ('single'));
%! X = nn_data (file, 'train', 'input_size', [2 2 1], 'pixel_order', 'column');
%! assert (X(:, :, 1, 1), single ([1 0; 0 0.2]), eps ('single'));
%! assert (size (X), [2 2 1 3]);
%!test % X and Y
%! X = rand (3, 4);
%! Y = [1; 2; 1; 2];
%! other = [tempname() '.mat'];
%! save (other, 'X', 'Y', '-v6');
%! [a, b] = nn_data (other);
%! delete (other);
%! assert (a, single (X));
%! assert (b, Y');
%!error <nn_data: INPUT_SIZE must have as many pixels as the 4 features> nn_data (file, 'test', 'input_size', [3 3 1])
%!error <nn_data: PART must be one of 'test', 'train', but is 'tset'> nn_data (file, 'tset')
%!error <nn_data: there is no file 'nowhere.mat'> nn_data ('nowhere.mat')
