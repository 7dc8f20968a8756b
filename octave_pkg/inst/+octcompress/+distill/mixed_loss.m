function [value, dy] = mixed_loss (spec, outputs, which, x, moment)
%MIXED_LOSS  The loss of a batch: teachers' outputs, labels and features together.
%
%   [value, dy] = octcompress.distill.mixed_loss (spec, outputs, which, x, moment)
%
%   spec     struct:
%     answers      handle: answers (which, x) gives the teachers' outputs, group.rows x n
%     members      of octcompress.distill.teachers
%     call         of octcompress.distill.logit_loss
%     temperature, alpha  numbers, or [from to]; ramp says how they go: 'linear' or 'cosine'
%     features     of octcompress.distill.attach_features
%     label_loss   as octcompress.train.loop has a loss; [] where there are no labels
%     sizes        cell: of one observation of each output
%     parts        cellstr, of what value tells beside the loss: 'teacher_loss', 'label_loss',
%                  'feature_loss'
%   outputs  cell: the student's logits and features, in the engine's layout
%   moment   0 to 1: how far the training is
%   value    row: alpha * teacher + (1 - alpha) * labels + features, and its parts
%   dy       cell: the gradient by each output
%
%   Of several teachers the losses are averaged by their weights. For 'kl' and 'mse' that has the
%   gradient of the loss to the average of their probabilities, or of their logits [1].
%
%   [1] You et al., Learning from multiple teacher networks, KDD 2017.
%
%   See also nn_distill.

  n = numel (which);
  t = spec.answers (which, x);
  alpha = at_moment (spec.alpha, spec.ramp, moment);
  teacher_loss = 0;
  label_loss = 0;
  feature_loss = 0;
  gradient = zeros (size (outputs{1}), class (outputs{1}));
  if alpha > 0 && ~isempty (spec.call)
    s = outputs{1};
    vector = isscalar (spec.sizes{1});
    if ~vector
      s = reshape (octcompress.distill.to_features (s, spec.sizes{1}), [], n);
    end
    temperature = at_moment (spec.temperature, spec.ramp, moment);
    total = 0;
    for i = 1:numel (spec.members)
      member = spec.members{i};
      [one, d] = spec.call (t(member.outputs{1}.rows, :), s, temperature);
      teacher_loss = teacher_loss + member.weight * one;
      total = total + (alpha * member.weight) * d;
    end
    gradient = total;
    if ~vector
      gradient = octcompress.distill.from_features (total, spec.sizes{1});
    end
  end
  if alpha < 1 && ~isempty (spec.label_loss)
    [label_loss, d] = spec.label_loss (outputs, which, x);
    gradient = gradient + (1 - alpha) * d{1};
  end
  dy = [{gradient}, cell(1, numel (spec.features))];
  for k = 1:numel (spec.features)
    one = spec.features{k};
    theirs = reshape (t(one.rows, :), octcompress.model.channels (one.size), [], n);
    own = octcompress.distill.to_features (outputs{1 + k}, spec.sizes{1 + k});
    [each, d] = one.call (theirs, own);
    feature_loss = feature_loss + one.weight * each;
    dy{1 + k} = octcompress.distill.from_features (one.weight * d, spec.sizes{1 + k});
  end
  parts = struct ('teacher_loss', teacher_loss, 'label_loss', label_loss, 'feature_loss', ...
                  feature_loss);
  value = alpha * teacher_loss + (1 - alpha) * label_loss + feature_loss;
  for k = 1:numel (spec.parts)
    value(k + 1) = parts.(spec.parts{k});
  end
end

function value = at_moment (ends, ramp, moment)
  value = ends(1);
  if numel (ends) > 1
    if strcmp (ramp, 'cosine')
      moment = (1 - cos (pi * moment)) / 2;
    end
    value = ends(1) + (ends(2) - ends(1)) * moment;
  end
end

%!function spec = some_spec ()
%!  t = [1 2 0.5; 0 1 -1; 0.3 0.2 0.1; 5 4 3];
%!  spec = struct ('answers', @(which, x) t(:, which), 'call', ...
%!                 octcompress.distill.logit_loss ('kl'), 'temperature', 3, 'alpha', 0.7, ...
%!                 'ramp', 'linear', 'features', {{}}, 'label_loss', [], 'sizes', {{2, 2}}, ...
%!                 'parts', {{'teacher_loss', 'label_loss', 'feature_loss'}});
%!  member = @(rows, weight) struct ('weight', weight, 'outputs', {{struct('rows', rows)}});
%!  spec.members = {member(1:2, 0.25), member(3:4, 0.75)};
%!  spec.label_loss = @(outputs, which, x) deal_pair (outputs{1});
%!  one = struct ('rows', 3:4, 'weight', 2, 'size', 2, 'call', @octcompress.distill.hint);
%!  spec.features = {one};
%!endfunction
%!function [value, dy] = deal_pair (y)
%!  [value, d] = octcompress.train.cross_entropy (y, [2 1]);
%!  dy = {d};
%!endfunction
%!test % the parts by hand
%! spec = some_spec ();
%! t = spec.answers ([1 3], []);
%! y = {[0.1 0.4; 0.9 -0.2], [1 1; 2 0]};
%! [value, dy] = octcompress.distill.mixed_loss (spec, y, [1 3], [], 0);
%! [a, da] = octcompress.distill.kl (t(1:2, :), y{1}, 3);
%! [b, db] = octcompress.distill.kl (t(3:4, :), y{1}, 3);
%! [c, dc] = octcompress.train.cross_entropy (y{1}, [2 1]);
%! [h, dh] = octcompress.distill.hint (t(3:4, :), y{2});
%! both = 0.25 * a + 0.75 * b;
%! assert (value, [0.7 * both + 0.3 * c + 2 * h, both, c, 2 * h], 1e-14);
%! assert (dy, {0.7 * (0.25 * da + 0.75 * db) + 0.3 * dc, 2 * dh}, 1e-14);
%!test % for kl two teachers pull as the mean of their probabilities does
%! spec = some_spec ();
%! spec.alpha = 1;
%! t = spec.answers ([1 3], []);
%! y = {[0.1 0.4; 0.9 -0.2], [1 1; 2 0]};
%! [~, dy] = octcompress.distill.mixed_loss (spec, y, [1 3], [], 0);
%! soft = @(z) exp (octcompress.distill.log_softmax (z, 3));
%! p = 0.25 * soft (t(1:2, :)) + 0.75 * soft (t(3:4, :));
%! assert (dy{1}, 3 / 2 * (soft (y{1}) - p), 1e-14);
%!test % schedules
%! spec = some_spec ();
%! y = {[0.1 0.4; 0.9 -0.2], [1 1; 2 0]};
%! spec.alpha = [1 0];
%! spec.temperature = [8 2];
%! for ramp = {'linear', 'cosine'; 0.25, (1 - cos(pi / 4)) / 2}
%!   spec.ramp = ramp{1};
%!   value = octcompress.distill.mixed_loss (spec, y, [1 3], [], 0.25);
%!   fixed = spec;
%!   fixed.alpha = 1 - ramp{2};
%!   fixed.temperature = 8 - 6 * ramp{2};
%!   assert (value, octcompress.distill.mixed_loss (fixed, y, [1 3], [], 0), 1e-14);
%! end
