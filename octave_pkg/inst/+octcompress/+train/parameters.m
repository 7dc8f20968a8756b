function list = parameters (model, plan)
%PARAMETERS  What training may change in a network, and what it must keep.
%
%   list = octcompress.train.parameters (model, plan)
%
%   model  a tidy network
%   plan   of octcompress.train.cut; layers that do not reach its output are not trained
%   list   cell of structs, one for each trained array:
%     layer   number of the layer
%     field   its field: weights, bias, ...
%     decays  weight decay applies: the fields that pruning takes, so neither biases nor
%             normalisation
%     pruned, keep        whether layer.pruning has the field; then 0 where the array is zero, else
%                         1
%     quantized, grid     whether layer.quantization has the field; then that grid
%     low, high           the least and greatest value of the grid, shaped to meet the array
%
%   See also octcompress.train.loop, octcompress.layers.types.

  list = {};
  reached = false (1, numel (plan.run));
  reached(plan.outputs) = true;
  for k = numel (reached):-1:1
    reads = plan.inputs{k};
    if reached(k)
      reached(reads(reads > 0)) = true;
    end
  end
  for k = find (reached)
    layer = model.layers{k};
    entry = octcompress.layers.types (layer.type);
    for i = 1:numel (entry.trained)
      field = entry.trained{i};
      if ~isfield (layer, field) || isempty (layer.(field))
        continue
      end
      place = struct ('layer', k, 'field', field, 'decays', ...
                      any (strcmp (field, entry.prunable)), ...
                      'pruned', false, 'keep', [], 'quantized', false, 'grid', [], 'low', [], ...
                      'high', []);
      w = layer.(field);
      if has (layer, 'pruning', field)
        place.pruned = true;
        place.keep = cast (w ~= 0, class (w));
      end
      if has (layer, 'quantization', field)
        place.quantized = true;
        place.grid = layer.quantization.(field);
        [place.low, place.high] = ends_of (place.grid, w);
      end
      list{end + 1} = place; %#ok<AGROW>
    end
  end
end

function [low, high] = ends_of (grid, w)
  if isfield (grid, 'codebook')
    low = cast (min (grid.codebook(:)), class (w));
    high = cast (max (grid.codebook(:)), class (w));
    return
  end
  [scale, zero_point] = octcompress.quant.along_axis (grid, class (w), size (w));
  format = octcompress.quant.float_format (grid.scheme);
  if isempty (format)
    [first, last] = octcompress.quant.code_range (grid);
  else
    first = -format.largest;
    last = format.largest;
  end
  low = (first - zero_point) .* scale;
  high = (last - zero_point) .* scale;
end

function yes = has (layer, kind, field)
  yes = isfield (layer, kind) && isfield (layer.(kind), field) && ~isempty (layer.(kind).(field));
end

%!test
%! grid = octcompress.quant.choose_grid (single ([1 0; -3 2]), 3, 'symmetric', 1);
%! model.layers = {struct('type', 'dense', 'weights', single ([1 0; -3 2]), 'bias', ...
%!                        single ([0; 1]), ...
%!                        'pruning', struct ('weights', struct ()), 'quantization', ...
%!                        struct ('weights', grid)), ...
%!                 struct('type', 'relu'), ...
%!                 struct('type', 'dense', 'weights', single ([1 0]))};
%! model.input_size = 2;
%! model = octcompress.model.tidy ('f', model);
%! list = octcompress.train.parameters (model, octcompress.model.plan ('f', model));
%! assert (cellfun (@(p) p.layer, list), [1 1 3]);
%! assert (cellfun (@(p) p.decays, list), [true false true]);
%! assert (list{1}.keep, single ([1 0; 1 1]));
%! assert ({list{1}.low, list{1}.high}, {single([-1; -3]), single([1; 3])});
%! assert ({list{1}.pruned, list{2}.pruned, list{1}.quantized, list{3}.quantized}, ...
%!         {true, false, true, false});
%!test % a layer that does not reach the output
%! model.layers = {struct('type', 'dense', 'weights', 1, 'name', 'a'), ...
%!                 struct('type', 'dense', 'weights', 2, 'name', 'b', 'inputs', {{'input'}})};
%! model.input_size = 1;
%! model.outputs = {'b'};
%! list = octcompress.train.parameters (model, octcompress.model.plan ('f', model));
%! assert (cellfun (@(p) p.layer, list), 2);
%!test % the ends of every kind of grid are its own values
%! w = single (reshape (sin (1:24), 4, 6));
%! for scheme = {'symmetric', 'signed', 'affine', 'unsigned', 'fp8_e4m3'}
%!   grid = octcompress.quant.choose_grid (w, 8, scheme{1}, 1, 'group', 3);
%!   model.layers = {struct('type', 'dense', 'weights', w, 'quantization', ...
%!                          struct ('weights', grid))};
%!   model.input_size = 6;
%!   list = octcompress.train.parameters (model, octcompress.model.plan ('f', ...
%!         octcompress.model.tidy ('f', model)));
%!   for ends = {list{1}.low + 0 * w, list{1}.high + 0 * w}
%!     assert (octcompress.quant.snap_to_grid (ends{1}, grid), ends{1}, 1e-6);
%!   end
%!   q = octcompress.quant.snap_to_grid (w, grid);
%!   assert (all (q(:) >= reshape (list{1}.low + 0 * w, [], 1)) ...
%!           && all (q(:) <= reshape (list{1}.high + 0 * w, [], 1)));
%! end
