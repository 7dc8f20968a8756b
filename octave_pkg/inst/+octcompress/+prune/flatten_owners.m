function owners = flatten_owners (model, plan, k)
%FLATTEN_OWNERS  Which channel each feature after a flatten layer comes from.
%
%   owners = octcompress.prune.flatten_owners (model, plan, k)
%
%   model, plan  a tidy network, and of octcompress.model.plan
%   k            number of the flatten layer
%   owners       a column of channels
%
%   See also octcompress.prune.shrink.

  in_size = model.input_size;
  if plan.inputs{k} > 0
    in_size = plan.sizes{plan.inputs{k}};
  end
  x = octcompress.prune.even_image ((1:octcompress.model.channels (in_size))', in_size);
  owners = plan.run{k} ('forward', model.layers{k}, x, false);
end

%!test
%! model.input_size = [1 2 2];
%! model.layers = {struct('type', 'flatten', 'name', 'f', 'order', 'hwc')};
%! plan = octcompress.model.plan ('f', model);
%! assert (octcompress.prune.flatten_owners (model, plan, 1), [1; 1; 2; 2]);
