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
%   trace     what octcompress.model.backward needs; trace.values is a cell of x and all layers'
%             outputs. Without it, each intermediate result is released after its last use, and a
%             batch normalisation after a product that nobody else reads is computed with it: its
%             factors go into the weights (octcompress.model.fold_norms).
%
%   Where layer.quantization.output is a grid, the layer's output is put on it.
%
%   See also octcompress.model.backward, nn_predict.

  if nargin < 4
    training = false;
  end
  keep = nargout > 1;
  count = numel (layers);
  values = [{x}, cell(1, count)];   % values{1 + k} is of layer k
  states = cell (1, count);
  inside = cell (1, count);
  snap = @octcompress.quant.snap_to_grid;
  if ~keep && ~training
    [plan, layers] = octcompress.model.fold_norms (plan, layers);
  end
  for k = 1:count
    reads = 1 + plan.inputs{k};
    if plan.several(k)
      in = values(reads);
    else
      in = values{reads};
    end
    if keep
      [value, states{k}] = plan.run{k} ('forward', layers{k}, in, training);
    else
      value = plan.run{k} ('forward', layers{k}, in, training);
    end
    in = [];
    if has_grid (layers{k})
      if keep
        [value, ~, inside{k}] = snap (value, layers{k}.quantization.output);
      else
        value = snap (value, layers{k}.quantization.output);
      end
    end
    values{1 + k} = value;
    value = [];
    if ~keep
      reads = reads(reads > 1);
      values(reads(plan.last_use(reads - 1) == k)) = {[]};
    end
  end
  y = values(1 + plan.outputs);
  if keep
    trace = struct ('values', {values}, 'states', {states}, 'inside', {inside});
  end
end

function yes = has_grid (layer)
  yes = isfield (layer, 'quantization') && isfield (layer.quantization, 'output');
end

%!test
%! model.input_size = 3;
%! model.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 0 -1; 1 1 1]), ...
%!                 struct('type', 'relu', 'name', 'b')};
%! plan = octcompress.model.plan ('f', model);
%! assert (octcompress.model.forward (plan, model.layers, [1 2; 1 2; 5 1]), {[0 1; 7 5]});
%!test % a batch normalisation computed with the layer before it, and by itself
%! rand ('twister', 3);
%! norm = struct ('type', 'batchnorm', 'scale', [2; -3; 0], 'offset', [0.5; 3; 1], ...
%!                'mean', [1; 2; 0], 'variance', [4; 0.25; 1], 'epsilon', 0.1);
%! model.input_size = [5 4 2];
%! model.layers = {struct('type', 'conv2d', 'weights', rand (2, 2, 2, 3)), norm, ...
%!                 struct('type', 'conv2d', 'weights', rand (2, 2, 1, 3), 'weights_size', ...
%!                        [2 2 1 3], 'groups', 3, 'bias', [1; 2; 3]), norm, ...
%!                 struct('type', 'flatten'), struct('type', 'dense', 'weights', rand (3, 18), ...
%!                                                   'bias', [3; 2; 1]), norm};
%! model = octcompress.model.tidy ('f', model);
%! plan = octcompress.model.plan ('f', model);
%! x = rand (2, 4, 6, 5);
%! y = octcompress.model.forward (plan, model.layers, x);
%! [kept, trace] = octcompress.model.forward (plan, model.layers, x);
%! assert (y{1}, kept{1}, 1e-12);
%! grid = octcompress.quant.choose_grid (trace.values{2}, 4);
%! model.layers{1}.quantization.output = grid;
%! y = octcompress.model.forward (plan, model.layers, x);
%! kept = cell (1, 2);
%! [kept{:}] = octcompress.model.forward (plan, model.layers, x);
%! assert (y, kept{1}, 1e-12);
%!test % another reader of the product, or an output
%! for outputs = {{}, {'a', 'n'}}
%!   m.input_size = 1;
%!   m.outputs = outputs{1};
%!   m.layers = {struct('type', 'dense', 'name', 'a', 'weights', 2), ...
%!               struct('type', 'batchnorm', 'name', 'n', 'scale', 3, 'offset', 0, 'mean', 0, ...
%!                      'variance', 1, 'epsilon', 0), ...
%!               struct('type', 'relu', 'name', 'r', 'inputs', {{'a'}})};
%!   m.layers = m.layers(1:3 - ~isempty (m.outputs));
%!   y = octcompress.model.forward (octcompress.model.plan ('f', m), m.layers, 5);
%!   assert (sort ([y{:}]), [10 30]);
%! end
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
