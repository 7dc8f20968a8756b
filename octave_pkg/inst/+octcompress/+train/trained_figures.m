function rows = trained_figures (model, places)
%TRAINED_FIGURES  What became of the trained arrays: info.layers of nn_train.
%
%   rows = octcompress.train.trained_figures (model, places)
%
%   model   the trained network
%   places  of octcompress.train.parameters
%   rows    cell of structs: tensor, count, nonzeros, pruned, quantized
%
%   See also nn_train.

  rows = cell (1, numel (places));
  for p = 1:numel (places)
    layer = model.layers{places{p}.layer};
    w = layer.(places{p}.field);
    rows{p} = struct ('tensor', [layer.name '.' places{p}.field], 'count', numel (w), ...
                      'nonzeros', nnz (w), ...
                      'pruned', places{p}.pruned, 'quantized', places{p}.quantized);
  end
end

%!test
%! place = struct ('layer', 1, 'field', 'bias', 'pruned', true, 'quantized', false);
%! rows = octcompress.train.trained_figures (struct ('layers', {{struct('name', 'a', 'bias', ...
%!                                                                     [0; 3])}}), {place});
%! assert (rows, {struct('tensor', 'a.bias', 'count', 2, 'nonzeros', 1, 'pruned', true, ...
%!                       'quantized', false)});
