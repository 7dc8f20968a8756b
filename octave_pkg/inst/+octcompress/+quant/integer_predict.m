function y = integer_predict (caller, model, x, batch_size, rounding)
%INTEGER_PREDICT  The outputs of a quantized network, computed in integers.
%
%   y = octcompress.quant.integer_predict (caller, model, x, batch_size, rounding)
%
%   model     a tidy network whose weights and activations have grids (nn_quantize with data)
%   x         inputs, as nn_predict takes them; they are put on model.quantization.input
%   rounding  'double' or 'single' (octcompress.quant.fixed_multiply)
%   y         cell, each output in the user's layout: scale * (code - zero_point)
%
%   Errors: octcompress:CALLER:notInteger, :badInput.
%
%   See also nn_predict, octcompress.quant.integer_forward.

  octcompress.internal.check (caller, 'batch_size', batch_size, 'integer', [1 Inf]);
  octcompress.internal.check (caller, 'requantization', rounding, 'choice', ...
                              {'double', 'single', 'litert'});
  model = octcompress.model.tidy (caller, model);
  if ~isfield (model, 'quantization') || ~isfield (model.quantization, 'input') ...
     || isfield (model.quantization.input, 'dynamic') || model.quantization.input.bits > 8
    octcompress.internal.fail (caller, 'notInteger', ...
      ['the network''s input has no static grid of up to 8 bits; use nn_quantize with data, or ' ...
       'nn_calibrate']);
  end
  in_grid = model.quantization.input;
  plan = octcompress.model.plan (caller, model);
  [x, ranges] = octcompress.model.batches (caller, model, x, batch_size);
  parts = cell (size (ranges, 1), numel (plan.outputs));
  for b = 1:size (ranges, 1)
    batch = octcompress.model.take_batch (x, model, ranges(b, 1):ranges(b, 2));
    codes = double (octcompress.quant.encode_grid (batch, in_grid));
    [values, grids] = octcompress.quant.integer_forward (plan, model.layers, codes, in_grid, ...
                                                         rounding);
    for k = 1:numel (values)
      parts{b, k} = octcompress.quant.decode_grid (values{k}, grids{k}, class (batch));
    end
  end
  y = octcompress.model.join_batches (plan, parts, octcompress.model.float_class (model));
end

%!test % on the output's grid, and within a step of the same network in floating point
%! a = struct ('type', 'dense', 'weights', single ([1 -0.5; 0.25 2]), 'bias', single ([0.5; -1]));
%! model = struct ('layers', {{a, struct('type', 'relu')}});
%! x = single (reshape (mod ((1:40) * 0.37, 2) - 1, 2, 20));
%! q = octcompress.model.tidy ('f', nn_quantize (model, 8, 'data', x));
%! y = octcompress.quant.integer_predict ('f', q, x, 7, 'double');
%! grid = q.layers{2}.quantization.output;
%! codes = double (y{1}) / double (grid.scale) + double (grid.zero_point);
%! assert (codes, round (codes), 1e-3);
%! assert (double (y{1}), double (nn_predict (q, x)), 1.01 * double (grid.scale));
%! assert (octcompress.quant.integer_predict ('f', q, x, 20, 'double'), y);
