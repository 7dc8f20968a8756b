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
%     parts        1 x 3 logical: whether value tells the loss to teachers, labels and features
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
  y = outputs{1};
  alpha = spec.alpha;
  temperature = spec.temperature;
  if numel (alpha) + numel (temperature) > 2
    alpha = at_moment (alpha, spec.ramp, moment);
    temperature = at_moment (temperature, spec.ramp, moment);
  end
  % The total, and what is of the teachers, the labels and the features.
  losses = [0 0 0 0];
  gradient = zeros (size (y), class (y));
  if alpha > 0 && ~isempty (spec.call)
    s = y;
    vector = isscalar (spec.sizes{1});
    if ~vector
      s = reshape (octcompress.distill.to_features (y, spec.sizes{1}), [], n);
    end
    total = 0;
    for i = 1:numel (spec.members)
      member = spec.members{i};
      theirs = t;
      if size (t, 1) ~= size (s, 1)
        theirs = t(member.outputs{1}.rows, :);
      end
      [one, d] = spec.call (theirs, s, temperature);
      losses(2) = losses(2) + member.weight * one;
      share = alpha * member.weight;
      if share ~= 1
        d = share * d;
      end
      total = total + d;
    end
    if ~vector
      total = octcompress.distill.from_features (total, spec.sizes{1});
    end
    gradient = gradient + total;
  end
  if alpha < 1 && ~isempty (spec.label_loss)
    [losses(3), d] = spec.label_loss (outputs, which, x);
    gradient = gradient + (1 - alpha) * d{1};
  end
  dy = [{gradient}, cell(1, numel (spec.features))];
  for k = 1:numel (spec.features)
    one = spec.features{k};
    theirs = reshape (t(one.rows, :), octcompress.model.channels (one.size), [], n);
    own = octcompress.distill.to_features (outputs{1 + k}, spec.sizes{1 + k});
    [each, d] = one.call (theirs, own);
    losses(4) = losses(4) + one.weight * each;
    dy{1 + k} = octcompress.distill.from_features (one.weight * d, spec.sizes{1 + k});
  end
  losses(1) = alpha * losses(2) + (1 - alpha) * losses(3) + losses(4);
  value = losses([true, spec.parts]);
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
%!                 'parts', true (1, 3));
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
%! soft = @(z) exp (z / 3) ./ sum (exp (z / 3), 1);
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
