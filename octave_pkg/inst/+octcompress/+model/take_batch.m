function batch = take_batch (x, model, which)
%TAKE_BATCH  Some observations, in the engine's layout and the network's class.
%
%   batch = octcompress.model.take_batch (x, model, which)
%
%   x      as octcompress.model.batches has checked it
%   which  numbers of the observations
%   batch  single, or double where the network's weights are
%
%   Where model.quantization.input is a grid, the batch is put on it.
%
%   See also octcompress.model.forward.

  if numel (model.input_size) == 3
    batch = x(:, :, :, which);
  else
    batch = x(:, which, :);
  end
  batch = cast (batch, octcompress.model.float_class (model));
  batch = octcompress.model.to_engine (batch, model.input_size);
  if isfield (model, 'quantization') && isfield (model.quantization, 'input')
    batch = octcompress.quant.snap_to_grid (batch, model.quantization.input);
  end
end

%!test
%! model = struct ('input_size', 2, 'layers', {{struct('type', 'dense', 'weights', ones (2, ...
%!       'single'))}});
%! assert (octcompress.model.take_batch (uint8 ([1 2 3; 4 5 6]), model, [1 3]), ...
%!         single ([1 3; 4 6]));
%! model.quantization.input = struct ('bits', 8, 'scheme', 'symmetric', 'scale', 2, ...
%!                                    'zero_point', 0, 'axis', 0);
%! assert (octcompress.model.take_batch ([1 2 3; 4 5 6], model, 1), single ([2; 4]));
