function [y, trace] = forward (plan, layers, x, training)
%FORWARD  Compute a network on one batch.
%
%   y = octcompress.model.forward (plan, layers, x)
%   [y, trace] = octcompress.model.forward (plan, layers, x, training)
%
%   plan      of octcompress.model.plan
%   layers    cell of layers (their weights may differ from those the plan was made of)
%   x         the batch in the engine's layout (octcompress.model.to_engine)
%   training  true: dropout drops, batch normalisation uses the batch (false)
%   y         cell, the outputs that plan.outputs names, in the engine's layout
%   trace     what octcompress.model.backward needs. Without it, each intermediate result is
%             released after its last use.
%
%   Where layer.quantization.output is a grid, the layer's output is put on it.
%
%   See also octcompress.model.backward, nn_predict.

  if nargin < 4
    training = false;
  end
  keep = nargout > 1;
  count = numel (layers);
  values = cell (1, count);
  states = cell (1, count);
  inside = cell (1, count);
  snap = @octcompress.quant.snap_to_grid;
  for k = 1:count
    in = gather (plan, values, x, k);
    if keep
      [value, states{k}] = plan.run{k} ('forward', layers{k}, in, training);
    else
      value = plan.run{k} ('forward', layers{k}, in, training);
    end
    in = [];
    if isfield (layers{k}, 'quantization') && isfield (layers{k}.quantization, 'output')
      if keep
        [value, ~, inside{k}] = snap (value, layers{k}.quantization.output);
      else
        value = snap (value, layers{k}.quantization.output);
      end
    end
    values{k} = value;
    value = [];
    if ~keep
      for used = plan.inputs{k}
        if used > 0 && plan.last_use(used) == k
          values{used} = [];
        end
      end
    end
  end
  y = values(plan.outputs);
  if keep
    trace = struct ('x', x, 'values', {values}, 'states', {states}, 'inside', {inside});
  end
end

function in = gather (plan, values, x, k)
  reads = plan.inputs{k};
  in = cell (1, numel (reads));
  for i = 1:numel (reads)
    if reads(i) == 0
      in{i} = x;
    else
      in{i} = values{reads(i)};
    end
  end
  if ~plan.several(k)
    in = in{1};
  end
end

%!test
%! model.input_size = 3;
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 0 -1; 1 1 1]), ...
%!                 struct('type', 'relu', 'name', 'b')};
%! plan = octcompress.model.plan ('f', model);
%! assert (octcompress.model.forward (plan, model.layers, [1 2; 1 2; 5 1]), {[0 1; 7 5]});
%!function [y, state] = memory_in_use (varargin)
%!  text = fileread ('/proc/self/status');
%!  y = str2double (regexp (text, 'VmRSS:\s+(\d+)', 'tokens', 'once')) / 1024;
%!  state = [];
%!endfunction
%!test % results are released after their last use, and kept for a backward pass: 11 of 16 MB
%! if exist ('/proc/self/status', 'file')
%!   x = ones (2 ^ 20, 4, 'single');
%!   model = struct ('input_size', 2 ^ 20, 'layers', {repmat({struct('type', 'relu')}, 1, 12)});
%!   model = octcompress.model.tidy ('f', model);
%!   plan = octcompress.model.plan ('f', model);
%!   plan.run{12} = @memory_in_use;
%!   before = memory_in_use ();
%!   released = octcompress.model.forward (plan, model.layers, x);
%!   assert (released{1} - before < 80);
%!   [kept, trace] = octcompress.model.forward (plan, model.layers, x);
%!   assert (kept{1} - before > 160);
%! end
