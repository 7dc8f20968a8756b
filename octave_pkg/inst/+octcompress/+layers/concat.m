function varargout = concat (form, layer, x, varargin)
%CONCAT  Put several inputs side by side along one dimension.
%
%   [y, state] = octcompress.layers.concat ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.concat ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.concat ('size', layer, in_sizes)
%
%   layer.axis     'H', 'W' or 'C' (images), 'F' (features, sequences) or 'T' (sequences); the
%                  channels or features if left out
%   layer.in_size  cell of the inputs' sizes, which octcompress.model.plan sets
%   x              cell of inputs in the engine's layout
%
%   Errors: octcompress:concat:badSize, :badValue.
%
%   See also octcompress.layers.combine.

  switch form
    case 'forward'
      [~, dim] = axis_of (layer, numel (layer.in_size{1}));
      varargout = {cat(dim, x{:}), []};

    case 'backward'
      dy = varargin{2};
      [~, dim] = axis_of (layer, numel (layer.in_size{1}));
      dx = cell (1, numel (x));
      last = 0;
      for i = 1:numel (x)
        range = last + 1:last + size (x{i}, dim);
        switch dim
          case 1
            dx{i} = dy(range, :, :, :);
          case 2
            dx{i} = dy(:, range, :, :);
          case 3
            dx{i} = dy(:, :, range, :);
          case 4
            dx{i} = dy(:, :, :, range);
        end
        last = last + size (x{i}, dim);
      end
      varargout = {dx, struct()};

    case 'size'
      place = axis_of (layer, numel (x{1}));
      out = x{1};
      for i = 2:numel (x)
        others = 1:numel (out) ~= place;
        if numel (x{i}) ~= numel (out) || ~isequaln (x{i}(others), out(others))
          octcompress.internal.fail ('concat', 'badSize', ...
            'the inputs must have the same size except along the axis, but they have [%s]', ...
            strjoin (cellfun (@num2str, x, 'UniformOutput', false), '], ['));
        end
        out(place) = out(place) + x{i}(place);
      end
      varargout = {out, 0};
  end
end

function [place, dim] = axis_of (layer, dims)
  % Where the axis stands in the size of an observation, and which dimension of the engine it is.
  names = {'F', 'FT', 'HWC'};
  engine = {1, [1 3], [4 2 1]};
  axis = octcompress.layers.option (layer, 'axis', names{dims}(max (1, dims * (dims == 3))));
  octcompress.internal.check ('concat', 'axis', axis, 'choice', num2cell (names{dims}));
  place = find (names{dims} == axis);
  dim = engine{dims}(place);
end

%!function y = run (axis, x, sizes)
%!  y = octcompress.layers.concat ('forward', struct ('axis', axis, 'in_size', {sizes}), x, false);
%!endfunction
%!function worst = gradient (axis, sizes)
%!  layer = struct ('type', 'concat', 'axis', axis, 'in_size', {sizes});
%!  worst = octcompress.layers.check_gradient (layer, sizes);
%!endfunction
%!assert (run ('', {[1 2], [3 4; 5 6]}, {1, 2}), [1 2; 3 4; 5 6])
%!assert (size (run ('', {ones(3, 4, 2, 5), ones(1, 4, 2, 5)}, {[5 4 3], [5 4 1]})), [4 4 2 5])
%!assert (size (run ('H', {ones(3, 4, 2, 5), ones(3, 4, 2)}, {[5 4 3], [1 4 3]})), [3 4 2 6])
%!assert (size (run ('W', {ones(3, 4, 2, 5), ones(3, 1, 2, 5)}, {[5 4 3], [5 1 3]})), [3 5 2 5])
%!assert (size (run ('T', {ones(3, 2, 5), ones(3, 2)}, {[3 5], [3 1]})), [3 2 6])
%!test
%! assert (gradient ('', {3, 2, 4}) < 1e-6);
%! assert (gradient ('C', {[3 2 4], [3 2 1]}) < 1e-6);
%! assert (gradient ('H', {[3 2 4], [1 2 4]}) < 1e-6);
%! assert (gradient ('W', {[3 2 4], [3 1 4]}) < 1e-6);
%! assert (gradient ('T', {[3 2], [3 4]}) < 1e-6);
%! assert (gradient ('F', {[3 2], [1 2]}) < 1e-6);
%!assert (octcompress.layers.concat ('size', struct (), {[5 6 4], [5 6 3]}), [5 6 7])
%!error <concat: the inputs must have the same size except along the axis, but they have \[5  6  4\], \[5  5  3\]> octcompress.layers.concat ('size', struct (), {[5 6 4], [5 5 3]})
%!error <concat: AXIS must be one of 'H', 'W', 'C', but is 'T'> octcompress.layers.concat ('size', struct ('axis', 'T'), {[5 6 4], [5 5 3]})
