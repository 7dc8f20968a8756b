function name = float_class (model)
%FLOAT_CLASS  The class a network computes in: double if its first weights are, else single.
%
%   name = octcompress.model.float_class (model)

  name = 'single';
  for k = 1:numel (model.layers)
    if isfield (model.layers{k}, 'weights')
      name = class (model.layers{k}.weights);
      return
    end
  end
end

%!assert (octcompress.model.float_class (struct ('layers', {{struct('type', 'relu')}})), 'single')
%!assert (octcompress.model.float_class (struct ('layers', ...
%!             {{struct('type', 'relu'), struct('weights', 1)}})), 'double')
