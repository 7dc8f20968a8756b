function t = logits (caller, teacher, plan, x, batch_size)
%LOGITS  A teacher's outputs for all observations, computed once.
%
%   t = octcompress.distill.logits (caller, teacher, plan, x, batch_size)
%
%   teacher  a tidy network
%   plan     of octcompress.train.cut: without a final softmax
%   x        inputs, as octcompress.model.batches has checked them
%   t        outputs in the engine's layout: K x N, or C x W x N x H of images
%
%   Errors: octcompress:CALLER:notFinite.
%
%   See also nn_distill.

  count = octcompress.model.observations (x, teacher.input_size);
  layers = teacher.layers(1:numel (plan.run));
  parts = cell (1, ceil (count / batch_size));
  for b = 1:numel (parts)
    which = (b - 1) * batch_size + 1:min (b * batch_size, count);
    parts(b) = octcompress.model.forward (plan, layers, octcompress.model.take_batch (x, ...
          teacher, which));
  end
  t = cat (2 + (numel (plan.sizes{plan.outputs}) == 3), parts{:});
  if ~all (isfinite (t(:)))
    octcompress.internal.fail (caller, 'notFinite', ...
      ['the outputs of TEACHER are not all finite on X; scale X as it was in the teacher''s ' ...
       'training']);
  end
end

%!shared teacher
%! teacher.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 0; 0 1; 1 1]), ...
%!                   struct('type', 'softmax', 'name', 's')};
%! teacher.input_size = 2;
%!test
%! plan = octcompress.train.cut ('f', teacher, {'softmax'});
%! x = reshape (1:10, 2, 5);
%! assert (octcompress.distill.logits ('f', teacher, plan, x, 2), [1 0; 0 1; 1 1] * x);
%!test % images
%! net = struct ('layers', {{struct('type', 'identity', 'name', 'i')}}, 'input_size', [4 3 2]);
%! plan = octcompress.train.cut ('f', net, {'softmax'});
%! x = single (reshape (1:120, 4, 3, 2, 5));
%! assert (octcompress.distill.logits ('f', net, plan, x, 2), ...
%!         octcompress.model.to_engine (x, [4 3 2]));
%!error <f: the outputs of TEACHER are not all finite on X>
%! plan = octcompress.train.cut ('f', teacher, {'softmax'});
%! octcompress.distill.logits ('f', teacher, plan, [1e308 1; 1e308 1], 2);
