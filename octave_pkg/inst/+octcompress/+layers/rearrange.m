function varargout = rearrange (form, layer, x, varargin)
%REARRANGE  Layers flatten, reshape and permute: the same numbers in another shape.
%
%   [y, state] = octcompress.layers.rearrange ('forward', layer, x, training)
%   [dx, gradients] = octcompress.layers.rearrange ('backward', layer, x, y, dy, state, need_dx)
%   [out_size, macs] = octcompress.layers.rearrange ('size', layer, in_size)
%
%   layer.type         'flatten'  an image or a sequence becomes features
%                      'reshape'  an observation gets the size layer.output_size
%                      'permute'  dimension i of the result is dimension layer.dimensions(i)
%   layer.order        ('hwc') flatten, reshape: the order in which the numbers of an image are read
%                      'hwc'    height fastest, then width, then channels: MATLAB's
%                      'chw'    width fastest, then height, then channels: PyTorch's and ONNX's
%                      'keras'  channels fastest, then width, then height: Keras's
%                      A sequence [F T] is always read features fastest.
%   layer.output_size  reshape: F, [H W C] or [F T]; one element may be -1: what is left
%   layer.dimensions   permute: of [H W C] or [F T], e.g. [2 1 3]
%   layer.in_size      of the input, which octcompress.model.plan sets
%
%   Errors: octcompress:rearrange:badSize, :badValue.
%
%   See also octcompress.layers.types.

  switch form
    case 'forward'
      if strcmp (layer.type, 'permute')
        y = permute_user (x, numel (layer.in_size), layer.dimensions);
      else
        out_size = output_size (layer, layer.in_size);
        order = order_of (layer);
        y = from_list (to_list (x, numel (layer.in_size), order), out_size, order);
      end
      varargout = {y, []};

    case 'backward'
      dy = varargin{2};
      if strcmp (layer.type, 'permute')
        back(layer.dimensions) = 1:numel (layer.dimensions);
        dx = permute_user (dy, numel (layer.in_size), back);
      else
        out_size = output_size (layer, layer.in_size);
        in_size = layer.in_size;
        if any (isnan (in_size))
          in_size = [in_size(1) size(x, 3)];
        end
        order = order_of (layer);
        dx = from_list (to_list (dy, numel (out_size), order), in_size, order);
      end
      varargout = {dx, struct()};

    case 'size'
      if strcmp (layer.type, 'permute')
        given = octcompress.layers.option (layer, 'dimensions', 'absent');
        if ~isequal (sort (given(:)'), 1:numel (x))
          octcompress.internal.fail ('rearrange', 'badValue', ...
            'DIMENSIONS must have each of 1 to %d once, for the input is [%s], but is %s', ...
            numel (x), num2str (x), octcompress.internal.describe (given));
        end
        out = x(layer.dimensions);
      else
        order_of (layer);
        out = output_size (layer, x);
      end
      varargout = {out, 0};
  end
end

function order = order_of (layer)
  order = octcompress.layers.option (layer, 'order', 'hwc');
  octcompress.internal.check ('rearrange', 'order', order, 'choice', {'hwc', 'chw', 'keras'});
end

function out = output_size (layer, in_size)
  if strcmp (layer.type, 'flatten')
    out = prod (in_size);
    return
  end
  given = octcompress.layers.option (layer, 'output_size', 'absent');
  fine = isnumeric (given) && any (numel (given) == 1:3);
  if fine
    out = double (given(:)');
    left = out == -1;
    if sum (left) == 1
      out(left) = prod (in_size) / prod (out(~left));
    end
    fine = all (out >= 1 & out == fix (out)) && prod (out) == prod (in_size);
  end
  if ~fine
    octcompress.internal.fail ('rearrange', 'badSize', ...
      ['OUTPUT_SIZE must be F, [H W C] or [F T] with the %g numbers of the input [%s] ' ...
       '(one element may be -1), but is %s'], prod (in_size), num2str (in_size), ...
      octcompress.internal.describe (given));
  end
end

function p = list_order (dims, order)
  % The engine's dimensions in the order in which a list of numbers runs, observations last.
  if dims == 2
    p = [1 3 2];
  else
    switch order
      case 'hwc'
        p = [4 2 1 3];
      case 'chw'
        p = [2 4 1 3];
      case 'keras'
        p = [1 2 4 3];
    end
  end
end

function x = to_list (x, dims, order)
  if dims > 1
    p = list_order (dims, order);
    n = size (x, p(end));
    x = reshape (permute (x, p), [], n);
  end
end

function x = from_list (x, out_size, order)
  dims = numel (out_size);
  if dims > 1
    p = list_order (dims, order);
    s = zeros (1, numel (p));
    if dims == 2
      s([1 3 2]) = [out_size size(x, 2)];
    else
      s([4 2 1 3]) = [out_size size(x, 2)];
    end
    x = ipermute (reshape (x, s(p)), p);
  end
end

function y = permute_user (x, dims, dimensions)
  % user's dimension i is the engine's dimension engine(i)
  if dims == 2
    engine = [1 3];
    order = [1 2 3];
  elseif dims == 3
    engine = [4 2 1];
    order = [1 2 3 4];
  else
    y = x;
    return
  end
  order(engine) = engine(dimensions);
  y = permute (x, order);
end

%!function y = run (layer, x, in_size)
%!  layer.in_size = in_size;
%!  x = octcompress.model.to_engine (x, in_size);
%!  y = octcompress.layers.rearrange ('forward', layer, x, false);
%!endfunction
%!function out = size_after (in_size, varargin)
%!  out = octcompress.layers.rearrange ('size', struct ('type', varargin{:}), in_size);
%!endfunction
%!function worst = gradient (in_size, varargin)
%!  layer = struct ('type', varargin{:}, 'in_size', in_size);
%!  worst = octcompress.layers.check_gradient (layer, in_size);
%!endfunction
%!shared x
%! x = reshape (1:2*3*4*2, 2, 3, 4, 2);
%!test % MATLAB's order
%! assert (run (struct ('type', 'flatten'), x, [2 3 4]), reshape (x, 24, 2));
%!test % the others, from their definition
%! chw = reshape (permute (x, [2 1 3 4]), 24, 2);
%! assert (run (struct ('type', 'flatten', 'order', 'chw'), x, [2 3 4]), chw);
%! keras = reshape (permute (x, [3 2 1 4]), 24, 2);
%! assert (run (struct ('type', 'flatten', 'order', 'keras'), x, [2 3 4]), keras);
%!test % an image of one row, whose array looks like a sequence
%! row = x(1, :, :, :);
%! assert (run (struct ('type', 'flatten'), row, [1 3 4]), reshape (row, 12, 2));
%!test % a sequence
%! s = reshape (1:24, 2, 3, 4);
%! assert (run (struct ('type', 'flatten'), s, [2 4]), reshape (permute (s, [1 3 2]), 8, 3));
%!test % reshape, in each order
%! for order = {'hwc', 'chw', 'keras'}
%!   layer = struct ('type', 'reshape', 'output_size', [3 4 2], 'order', order{1});
%!   y = octcompress.model.from_engine (run (layer, x, [2 3 4]), [3 4 2]);
%!   list = run (struct ('type', 'flatten', 'order', order{1}), x, [2 3 4]);
%!   assert (run (struct ('type', 'flatten', 'order', order{1}), y, [3 4 2]), list);
%! end
%!test % permute as MATLAB does
%! y = run (struct ('type', 'permute', 'dimensions', [2 3 1]), x, [2 3 4]);
%! assert (octcompress.model.from_engine (y, [3 4 2]), permute (x, [2 3 1 4]));
%!test
%! assert (gradient ([2 3 4], 'flatten') < 1e-6);
%! assert (gradient ([2 3 4], 'flatten', 'order', 'chw') < 1e-6);
%! assert (gradient ([2 3 4], 'flatten', 'order', 'keras') < 1e-6);
%! assert (gradient ([2 4], 'flatten') < 1e-6);
%! assert (gradient ([2 3 4], 'reshape', 'output_size', [4 6]) < 1e-6);
%! assert (gradient (24, 'reshape', 'output_size', [6 1 4], 'order', 'chw') < 1e-6);
%! assert (gradient ([2 3 4], 'permute', 'dimensions', [3 1 2]) < 1e-6);
%! assert (gradient ([2 3], 'permute', 'dimensions', [2 1]) < 1e-6);
%!assert (size_after ([2 3 4], 'flatten'), 24)
%!assert (size_after (24, 'reshape', 'output_size', [2 -1 3]), [2 4 3])
%!assert (size_after ([2 3 4], 'permute', 'dimensions', [3 1 2]), [4 2 3])
%!error <rearrange: ORDER must be one of 'hwc', 'chw', 'keras', but is 'whc'> size_after ([2 3 4], 'flatten', 'order', 'whc')
%!error <rearrange: OUTPUT_SIZE must be F, .* with the 24 numbers of the input \[2  3  4\] .* but is \[5 5\]> size_after ([2 3 4], 'reshape', 'output_size', [5 5])
%!error <rearrange: DIMENSIONS must have each of 1 to 3 once, for the input is \[2  3  4\], but is \[1 1 2\]> size_after ([2 3 4], 'permute', 'dimensions', [1 1 2])
