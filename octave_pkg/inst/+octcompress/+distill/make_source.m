function source = make_source (caller, group, model, plan, features, x, y, options, cache, name)
%MAKE_SOURCE  Observations and what a distillation learns of them, for the training loop.
%
%   source = octcompress.distill.make_source (caller, group, model, plan, features, x, y, ...
%                                             options, cache, name)
%
%   group     of octcompress.distill.teachers
%   model, plan, features  of octcompress.distill.attach_features
%   x, y      inputs, and labels or []
%   options   of nn_distill
%   cache     file of the teachers' outputs, or ''
%   name      {'X', 'Y'} as the user knows them, for messages
%   source    as octcompress.train.loop has it
%
%   Errors: octcompress:CALLER:badInput, :notFinite, :empty, :badLabels, :badOutput, :badValue,
%   :cacheMismatch, :notWritten.
%
%   See also nn_distill, octcompress.distill.mixed_loss.

  wanted = struct ('loss', 'crossentropy', 'augmentation', options.augmentation, ...
                   'label_smoothing', 0, 'class_weights', []);
  single_plan = plan;
  single_plan.outputs = plan.outputs(1);
  source = octcompress.train.data_source (caller, model, single_plan, x, y, wanted, name);
  if isempty (y) && min (options.alpha) < 1
    octcompress.internal.fail (caller, 'badValue', ...
                               'ALPHA must be 1 where %s is left out, but is %g', ...
                               name{2}, min (options.alpha));
  end
  kind = octcompress.model.float_class (model);
  if isempty (options.augmentation)
    [read, total] = octcompress.distill.all_outputs (caller, group, source.x, source.count, ...
                                                     kind, cache);
    source.check = source.check + total;
    answers = @(which, x) read (which);
  else
    answers = @(which, x) octcompress.distill.teach (group, x, [], kind);
  end
  parts = [true, min(options.alpha) < 1, ~isempty(features)];
  source.parts = {'teacher_loss', 'label_loss', 'feature_loss'};
  source.parts = source.parts(parts);
  spec = struct ('answers', answers, 'members', {group.members}, 'call', ...
                 octcompress.distill.logit_loss (options.loss), 'temperature', ...
                 options.temperature, 'alpha', options.alpha, 'ramp', options.ramp, ...
                 'features', {features}, 'label_loss', source.loss, 'sizes', ...
                 {plan.sizes(plan.outputs)}, 'parts', parts);
  mixed_loss = @octcompress.distill.mixed_loss;
  source.loss = @(outputs, which, x) mixed_loss (spec, outputs, which, x, 1);
  if numel (options.temperature) > 1 || numel (options.alpha) > 1
    source.loss_at = @(moment) @(outputs, which, x) mixed_loss (spec, outputs, which, x, moment);
  end
end

%!test
%! net.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 2; 3 4])};
%! net = octcompress.model.tidy ('f', net);
%! plan = octcompress.train.cut ('f', net, {'softmax'});
%! group = octcompress.distill.teachers ('f', net, [], {});
%! options = struct ('augmentation', [], 'alpha', [1 0], 'temperature', 4, 'ramp', 'linear', ...
%!                   'loss', 'mse');
%! x = [1 2 3; 4 5 6];
%! source = octcompress.distill.make_source ('f', group, net, plan, {}, x, [1 2 1], options, ...
%!                                           '', {'X', 'Y'});
%! assert (source.parts, {'teacher_loss', 'label_loss'});
%! y = {net.layers{1}.weights * x(:, [1 3])};
%! label_loss = octcompress.train.cross_entropy (y{1}, [1 1]);
%! assert (source.loss (y, [1 3], []), [label_loss 0 label_loss], 1e-14);
%! at_first = source.loss_at (0);
%! assert (at_first (y, [1 3], []), [0 0 0], 1e-14);
%!error <f: ALPHA must be 1 where Y is left out, but is 0.5>
%! net.layers = {struct('type', 'dense', 'name', 'a', 'weights', [1 2; 3 4])};
%! net = octcompress.model.tidy ('f', net);
%! plan = octcompress.train.cut ('f', net, {'softmax'});
%! group = octcompress.distill.teachers ('f', net, [], {});
%! options = struct ('augmentation', [], 'alpha', 0.5);
%! octcompress.distill.make_source ('f', group, net, plan, {}, [1; 2], [], options, '', ...
%!                                  {'X', 'Y'});
