function values = teach (group, x, which, kind)
%TEACH  What all teachers give for some observations.
%
%   values = octcompress.distill.teach (group, x, which, kind)
%   values = octcompress.distill.teach (group, batch, [], kind)
%
%   group   of octcompress.distill.teachers
%   x       inputs, as octcompress.model.batches has checked them; or a batch in the engine's layout
%   which   numbers of the observations
%   kind    'single' or 'double', the class of the values
%   values  group.rows x n: an observation a column, the outputs of all teachers one after the other
%
%   See also octcompress.distill.all_outputs.

  parts = cell (1, numel (group.members));
  for i = 1:numel (parts)
    member = group.members{i};
    if isempty (which)
      batch = cast (x, octcompress.model.float_class (member.model));
    else
      batch = octcompress.model.take_batch (x, member.model, which);
    end
    y = octcompress.model.forward (member.plan, member.layers, batch);
    for k = 1:numel (y)
      y{k} = octcompress.distill.to_features (y{k}, member.outputs{k}.size);
      y{k} = cast (reshape (y{k}, numel (member.outputs{k}.rows), []), kind);
    end
    parts{i} = vertcat (y{:});
  end
  values = vertcat (parts{:});
end

%!test
%! a.layers = {struct('type', 'dense', 'name', 'd', 'weights', [1 0; 0 1; 1 1]), ...
%!             struct('type', 'softmax', 'name', 's')};
%! b.layers = {struct('type', 'dense', 'name', 'd', 'weights', single ([1 2; 3 4; 5 6]))};
%! features = octcompress.distill.read_features ('f', struct ('teacher', 'd', 'from', 2), 2);
%! group = octcompress.distill.teachers ('f', {a, b}, [], features);
%! x = reshape (1:10, 2, 5);
%! w = [a.layers{1}.weights; b.layers{1}.weights; b.layers{1}.weights];
%! assert (octcompress.distill.teach (group, x, [2 4], 'single'), single (w * x(:, [2 4])));
%! assert (octcompress.distill.teach (group, x, [], 'double'), double (w * x));
%!test % what a layer gives is taken before the batch normalisation that reads it
%! a.layers = {struct('type', 'dense', 'name', 'd', 'weights', [1 2]), ...
%!             struct('type', 'batchnorm', 'name', 'n', 'scale', 2, 'offset', 1, 'mean', 0, ...
%!                    'variance', 1, 'epsilon', 0)};
%! features = octcompress.distill.read_features ('f', struct ('teacher', 'd', 'from', 1), 1);
%! group = octcompress.distill.teachers ('f', {a}, [], features);
%! assert (octcompress.distill.teach (group, [1; 1], [], 'double'), [7; 3]);
