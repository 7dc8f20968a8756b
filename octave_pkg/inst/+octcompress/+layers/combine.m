function varargout = combine (form, layer, x, varargin)
%COMBINE  Layers add, subtract and multiply: elementwise work on several inputs.
%
%   [y, state] = octcompress.layers.combine ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.combine ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.combine ('size', layer, in_sizes)
%
%   layer.type     'add' or 'multiply' (two inputs or more), 'subtract' (the second from the first)
%   layer.in_size  cell of the inputs' sizes, which octcompress.model.plan sets
%   x              cell of inputs in the engine's layout
%
%   A size of 1 is stretched to that of the others, so that an image [1 1 C] weighs the channels of
%   an image [H W C]; a feature vector of C beside an image is taken as [1 1 C].
%
%   Errors: octcompress:combine:badSize.
%
%   See also octcompress.layers.concat.

  switch form
    case 'forward'
      x = align (x, layer.in_size);
      y = x{1};
      for i = 2:numel (x)
        switch layer.type
          case 'add'
            y = y + x{i};
          case 'subtract'
            y = y - x{i};
          case 'multiply'
            y = y .* x{i};
        end
      end
      varargout = {y, []};

    case 'backward'
      dy = varargin{2};
      aligned = align (x, layer.in_size);
      dx = cell (1, numel (x));
      for i = 1:numel (x)
        d = dy;
        if strcmp (layer.type, 'subtract') && i == 2
          d = -d;
        elseif strcmp (layer.type, 'multiply')
          for other = [1:i-1, i+1:numel(x)]
            d = d .* aligned{other};
          end
        end
        for dim = 1:4
          if size (aligned{i}, dim) == 1 && size (d, dim) > 1
            d = sum (d, dim);
          end
        end
        dx{i} = reshape (d, size (x{i}));
      end
      varargout = {dx, struct()};

    case 'size'
      out = full_size (x{1}, x);
      for i = 2:numel (x)
        s = full_size (x{i}, x);
        % two lengths of a sequence that are both open agree
        fits = numel (s) == numel (out) ...
             && all (s == out | s == 1 | out == 1 | (isnan (s) & isnan (out)));
        if ~fits
          octcompress.internal.fail ('combine', 'badSize', ...
            'the inputs must have one size, or 1 where they differ, but they have [%s]', ...
            strjoin (cellfun (@num2str, x, 'UniformOutput', false), '], ['));
        end
        out(out == 1) = s(out == 1);
      end
      varargout = {out, 0};
  end
end

function s = full_size (s, all_sizes)
  % Features beside an image or a sequence count as an image of one pixel, a sequence of one step.
  dims = max (cellfun (@numel, all_sizes));
  if numel (s) == 1 && dims == 3
    s = [1 1 s];
  elseif numel (s) == 1 && dims == 2
    s = [s 1];
  end
end

function x = align (x, sizes)
  dims = cellfun (@numel, sizes);
  for i = find (dims == 1 & max (dims) == 3)
    x{i} = reshape (x{i}, size (x{i}, 1), 1, []);
  end
end

%!function worst = gradient (type, sizes)
%!  worst = octcompress.layers.check_gradient (struct ('type', type, 'in_size', {sizes}), sizes);
%!endfunction
%!function y = run (type, x, sizes)
%!  y = octcompress.layers.combine ('forward', struct ('type', type, 'in_size', {sizes}), x, false);
%!endfunction
%!assert (run ('add', {[1; 2], [3; 4], [5; 6]}, {2, 2, 2}), [9; 12])
%!assert (run ('subtract', {[1; 2], [3; 5]}, {2, 2}), [-2; -3])
%!assert (run ('multiply', {[1; 2], [3; 5]}, {2, 2}), [3; 10])
%!test % a gate of features weighs the channels of each observation
%! x = rand (3, 4, 2, 5);
%! gate = rand (3, 2);
%! y = run ('multiply', {x, gate}, {[5 4 3], 3});
%! assert (y(:, 2, 2, 3), x(:, 2, 2, 3) .* gate(:, 2));
%!test
%! assert (gradient ('add', {[3 2 4], [3 2 4], [3 2 4]}) < 1e-6);
%! assert (gradient ('add', {[3 2 4], [1 1 4]}) < 1e-6);
%! assert (gradient ('subtract', {5, 5}) < 1e-6);
%! assert (gradient ('subtract', {[1 2 4], [3 2 1]}) < 1e-6);
%! assert (gradient ('multiply', {[3 2 4], [1 1 4], [3 2 4]}) < 1e-6);
%! assert (gradient ('multiply', {4, [3 2 4]}) < 1e-6);
%! assert (gradient ('multiply', {[4 5], [4 5]}) < 1e-6);
%! assert (gradient ('multiply', {[4 5], 4}) < 1e-6);
%!assert (octcompress.layers.combine ('size', struct (), {[1 1 4], [5 6 4]}), [5 6 4])
%!assert (octcompress.layers.combine ('size', struct (), {4, [5 6 4]}), [5 6 4])
%!error <combine: the inputs must have one size, or 1 where they differ, but they have \[5  6  4\], \[5  6  3\]> octcompress.layers.combine ('size', struct (), {[5 6 4], [5 6 3]})
%!error <combine: the inputs must have one size, or 1 where they differ, but they have \[4  2\], \[5  6  3\]> octcompress.layers.combine ('size', struct (), {[4 2], [5 6 3]})
