function [model, plan, features] = attach_features (caller, student, plan, group, features, seed)
%ATTACH_FEATURES  Make named layers of a student outputs, with learnt projections where they differ.
%
%   [model, plan, features] = octcompress.distill.attach_features (caller, student, plan, group, ...
%                                                                  features, seed)
%
%   student, plan  a tidy network, and of octcompress.train.cut
%   group, features  of octcompress.distill.teachers and read_features
%   model     the student, with a layer more for each hint whose widths differ, after the layer that
%             gives its logits: dense, or a convolution of 1 x 1 [1]
%   plan      its outputs are the logits and, one for each of features, what is compared
%   features  with the fields size (of the teacher's features), rows (where they stand among the
%             teachers' outputs) and call (the loss's handle)
%
%   The weights of projections are drawn as by octcompress.train.initial_weights after seeding.
%
%   Errors: octcompress:CALLER:unknownLayer, :sizesDiffer.
%
%   [1] Romero et al., FitNets: hints for thin deep nets, ICLR 2015, arXiv:1412.6550.
%
%   See also nn_distill.

  model = student;
  if isempty (features)
    return
  end
  before = octcompress.train.random ('seed', seed);
  restoring = onCleanup (@() octcompress.train.random ('restore', before));
  names = cellfun (@(one) one.student, features, 'UniformOutput', false);
  [~, places] = octcompress.distill.find_layers (caller, 'STUDENT', student, plan, names);
  taken = cellfun (@(layer) layer.name, student.layers, 'UniformOutput', false);
  last = numel (plan.run);
  extra = {};
  used = zeros (1, numel (group.members));
  for k = 1:numel (features)
    one = features{k};
    used(one.from) = used(one.from) + 1;
    output = group.members{one.from}.outputs{1 + used(one.from)};
    own = plan.sizes{places(k)};
    require_fit (caller, one, output.size, own);
    features{k}.size = output.size;
    features{k}.rows = output.rows;
    features{k}.call = call_of (one.loss);
    widths = [octcompress.model.channels(output.size), octcompress.model.channels(own)];
    if strcmp (one.loss, 'hint') && widths(1) ~= widths(2)
      layer = projection (widths, own, octcompress.model.float_class (student));
      layer.name = sprintf ('hint_%d', k);
      while any (strcmp (taken, layer.name))
        layer.name = [layer.name '_'];
      end
      layer.inputs = {one.student};
      extra{end + 1} = layer; %#ok<AGROW>
      names{k} = layer.name;
    end
  end
  rest = student.layers(last + 1:end);
  if ~isempty (rest) && ~isfield (rest{1}, 'inputs')
    rest{1}.inputs = {student.layers{last}.name};
  end
  whole = octcompress.model.plan (caller, student);
  model.outputs = taken(whole.outputs);
  model.layers = [student.layers(1:last), extra, rest];
  part = model;
  part.layers = [student.layers(1:last), extra];
  part.outputs = [taken(last), names];
  plan = octcompress.model.plan (caller, part);
end

function require_fit (caller, one, theirs, own)
  fits = true;
  wanted = '';
  if any (strcmp (one.loss, {'hint', 'attention'}))
    fits = numel (theirs) == numel (own) && isequal (places_of (theirs), places_of (own));
    wanted = 'of the same height and width (or steps)';
    if strcmp (one.loss, 'attention')
      fits = fits && numel (own) > 1;
      wanted = 'images or sequences of the same height and width (or steps)';
    end
  end
  if ~fits
    octcompress.internal.fail (caller, 'sizesDiffer', ...
      ['the loss ''%s'' needs features %s, but layer ''%s'' of TEACHER gives [%s] and ''%s'' ' ...
       'of STUDENT [%s]'], one.loss, wanted, one.teacher, num2str (theirs), one.student, ...
      num2str (own));
  end
end

function places = places_of (out_size)
  switch numel (out_size)
    case 1
      places = [];
    case 2
      places = out_size(2);
    otherwise
      places = out_size(1:2);
  end
end

function layer = projection (widths, own, kind)
  if numel (own) == 3
    sizes = [1, 1, widths([2 1])];
    layer.type = 'conv2d';
  else
    sizes = widths;
    layer.type = 'dense';
  end
  layer.weights = cast (octcompress.train.initial_weights (sizes), kind);
  layer.weights_size = sizes;
  layer.bias = zeros (widths(1), 1, kind);
end

function call = call_of (loss)
  % With columns of observations; hints and attention take the channels and places apart.
  switch class (loss)
    case 'function_handle'
      call = loss;
    otherwise
      call = str2func (['octcompress.distill.' loss]);
      if ~any (strcmp (loss, {'hint', 'attention'}))
        call = @(t, s) in_columns (call, t, s);
      end
  end
end

function [value, gradient] = in_columns (call, t, s)
  n = size (s, 3);
  [value, gradient] = call (reshape (t, [], n), reshape (s, [], n));
  gradient = reshape (gradient, size (s));
end

%!function [teacher, student, plan] = pair ()
%!  dense = @(name, sizes) struct ('type', 'dense', 'name', name, 'weights', ...
%!                                 reshape (sin (1:prod (sizes)), sizes));
%!  teacher.layers = {dense('a', [5 2]), struct('type', 'relu', 'name', 'r'), dense('b', [3 5])};
%!  student.layers = {dense('a', [4 2]), struct('type', 'relu', 'name', 'r'), ...
%!                    dense('b', [3 4]), struct('type', 'softmax', 'name', 's')};
%!  student = octcompress.model.tidy ('f', student);
%!  plan = octcompress.train.cut ('f', student, {'softmax'});
%!endfunction
%!test % a projection of the hint, none of the others; the network gives what it gave
%! [teacher, student, plan] = pair ();
%! given = struct ('teacher', 'r', 'loss', {'hint', 'similarity'});
%! features = octcompress.distill.read_features ('f', given, 1);
%! group = octcompress.distill.teachers ('f', teacher, [], features);
%! [model, plan, features] = octcompress.distill.attach_features ('f', student, plan, group, ...
%!                                                                features, 3);
%! assert (plan.outputs, [3 4 2]);
%! assert (size (model.layers{4}.weights), [5 4]);
%! assert ({model.layers{4}.name, model.layers{4}.inputs}, {'hint_1', {'r'}});
%! assert (nn_predict (model, [1 2; 3 4]), nn_predict (student, [1 2; 3 4]));
%! assert (features{2}.rows, 9:13);
%!function [value, gradient] = through_network (w, model, plan, spec, layer)
%!  model.layers{layer}.weights = w;
%!  layers = model.layers(1:numel (plan.run));
%!  x = reshape (cos ((1:12) .^ 2), 2, 6);
%!  [y, trace] = octcompress.model.forward (plan, layers, x, true);
%!  [value, dy] = octcompress.distill.mixed_loss (spec, y, 1:6, x, 1);
%!  gradients = octcompress.model.backward (plan, layers, trace, dy);
%!  gradient = gradients{layer}.weights;
%!endfunction
%!test % central differences through the network, of inner layers and of the projection
%! [teacher, student, plan] = pair ();
%! given = struct ('teacher', {'r', 'r', 'a', 'b'}, 'weight', {2, 1, 3, 1}, ...
%!                 'loss', {'hint', 'similarity', 'rkd_distance', 'rkd_angle'});
%! features = octcompress.distill.read_features ('f', given, 1);
%! group = octcompress.distill.teachers ('f', teacher, [], features);
%! [model, plan, features] = octcompress.distill.attach_features ('f', student, plan, group, ...
%!                                                                features, 3);
%! spec = struct ('answers', @(which, x) octcompress.distill.teach (group, x, [], 'double'), ...
%!                'call', octcompress.distill.logit_loss ('kl'), 'temperature', 2, 'alpha', 1, ...
%!                'ramp', 'linear', 'features', {features}, 'label_loss', [], ...
%!                'members', {group.members}, 'sizes', {plan.sizes(plan.outputs)}, ...
%!                'parts', false (1, 3));
%! for layer = [1 3 4]
%!   octcompress.internal.check_derivative ( ...
%!     @(w) through_network (w, model, plan, spec, layer), model.layers{layer}.weights);
%! end
%!error <f: the loss 'attention' needs features images or sequences of the same height and width \(or steps\), but layer 'r' of TEACHER gives \[5\] and 'r' of STUDENT \[4\]>
%! [teacher, student, plan] = pair ();
%! given = struct ('teacher', 'r', 'loss', 'attention');
%! features = octcompress.distill.read_features ('f', given, 1);
%! group = octcompress.distill.teachers ('f', teacher, [], features);
%! octcompress.distill.attach_features ('f', student, plan, group, features, 3);
