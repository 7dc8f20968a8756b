function group = teachers (caller, given, weights, features)
%TEACHERS  The teachers of a distillation, checked and ready to answer.
%
%   group = octcompress.distill.teachers (caller, given, weights, features)
%
%   given     a network, or a cell of networks
%   weights   one number for each, or [] for equal ones
%   features  of octcompress.distill.read_features
%   group     struct: rows (numbers that all give for one observation), members, a cell of structs:
%     model, plan and layers (folded by octcompress.model.fold_norms), weight (they add up to 1)
%     outputs  cell of structs, the logits first, then the layers that features name: size (of one
%              observation), rows (where they stand among all)
%
%   Errors: octcompress:CALLER:notModel, :badValue, :unknownLayer, and those of planning.
%
%   See also octcompress.distill.teach.

  if ~iscell (given)
    given = {given};
  end
  if isempty (weights)
    weights = ones (1, numel (given));
  end
  if isempty (given) || ~isnumeric (weights) || numel (weights) ~= numel (given) ...
        || ~all (isfinite (weights(:))) || any (weights(:) < 0) || sum (weights(:)) == 0
    octcompress.internal.fail (caller, 'badValue', ...
      'TEACHER_WEIGHTS must be %d numbers of 0 or more, not all 0, but is %s', numel (given), ...
      octcompress.internal.describe (weights));
  end
  weights = double (weights) / sum (double (weights(:)));
  group = struct ('rows', 0, 'members', {cell(1, numel (given))});
  for i = 1:numel (given)
    model = octcompress.distill.tidy_named (caller, 'TEACHER', given{i});
    plan = octcompress.train.cut (caller, model, {'softmax', 'logsoftmax'});
    named = features(cellfun (@(one) one.from == i, features));
    named = cellfun (@(one) one.teacher, named, 'UniformOutput', false);
    plan = octcompress.distill.find_layers (caller, 'TEACHER', model, plan, named);
    outputs = cell (1, numel (plan.outputs));
    for k = 1:numel (outputs)
      out_size = plan.sizes{plan.outputs(k)};
      rows = group.rows + (1:prod (out_size));
      outputs{k} = struct ('size', out_size, 'rows', rows);
      group.rows = rows(end);
    end
    [plan, layers] = octcompress.model.fold_norms (plan, model.layers(1:numel (plan.run)));
    group.members{i} = struct ('model', model, 'plan', plan, 'layers', {layers}, 'weight', ...
                               weights(i), 'outputs', {outputs});
  end
end

%!shared a, b
%! a.layers = {struct('type', 'dense', 'name', 'd', 'weights', [1 0; 0 1; 1 1]), ...
%!             struct('type', 'softmax', 'name', 's')};
%! b.layers = {struct('type', 'dense', 'name', 'd', 'weights', single ([1 2; 3 4; 5 6]))};
%!test
%! features = octcompress.distill.read_features ('f', struct ('teacher', 'd', 'from', 2), 2);
%! group = octcompress.distill.teachers ('f', {a, b}, [1 3], features);
%! assert (group.rows, 9);
%! assert ({group.members{1}.weight, group.members{2}.weight}, {0.25, 0.75});
%! assert (group.members{2}.outputs{2}, struct ('size', 3, 'rows', 7:9));
%!error <f: TEACHER_WEIGHTS must be 2 numbers of 0 or more, not all 0, but is \[1 -1\]> octcompress.distill.teachers ('f', {a, b}, [1 -1], {})
%!error <f: TEACHER must be a struct with a cell LAYERS> octcompress.distill.teachers ('f', {a, 3}, [], {})
%!error <f: FEATURES names the layer 'q' of TEACHER>
%! features = octcompress.distill.read_features ('f', struct ('teacher', 'q'), 1);
%! octcompress.distill.teachers ('f', a, [], features);
