function y = join_batches (plan, parts, class_name)
%JOIN_BATCHES  Outputs of all observations, from those of the batches.
%
%   y = octcompress.model.join_batches (plan, parts, class_name)
%
%   plan   of octcompress.model.plan
%   parts  cell, batches x outputs, in the engine's layout; 0 rows where there is no observation
%   y      cell, each output in the user's layout; of class_name where there is no observation
%
%   See also octcompress.model.predictor.

  y = cell (1, numel (plan.outputs));
  for k = 1:numel (y)
    out_size = plan.sizes{plan.outputs(k)};
    if isempty (parts)
      empty_size = [out_size(1), 0, out_size(2:end)];
      if numel (out_size) == 3
        empty_size = [out_size, 0];
      end
      y{k} = zeros (empty_size, class_name);
    else
      % Observations lie along dimension 3 of images in the engine's layout, else along 2.
      y{k} = cat (2 + (numel (out_size) == 3), parts{:, k});
      y{k} = octcompress.model.from_engine (y{k}, out_size);
    end
  end
end

%!test
%! plan = struct ('outputs', 1, 'sizes', {{2}});
%! assert (octcompress.model.join_batches (plan, {[1; 2]; [3; 4]}, 'double'), {[1 3; 2 4]});
%! assert (octcompress.model.join_batches (plan, cell (0, 1), 'single'), {zeros(2, 0, 'single')});
