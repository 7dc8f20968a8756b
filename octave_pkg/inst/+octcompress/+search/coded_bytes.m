function [rows, total, nonzeros] = coded_bytes (model)
%CODED_BYTES  About how many bytes a network's arrays take when coded, without coding them.
%
%   rows = octcompress.search.coded_bytes (model)
%   [rows, total, nonzeros] = octcompress.search.coded_bytes (model)
%
%   model     a network
%   rows      cell of structs, one for each array that training learns: tensor, bytes
%   total     bytes of all
%   nonzeros  of the weights
%
%   The bytes of an array are the least of
%     its entropy:  n * H / 8 + 2 * (different values), H = -sum (p .* log2 (p)) over its values
%     its entries:  n * H0 / 8 + width * (entries that are not zero), H0 the same for zero or not
%   The coders of nn_pack use neighbours too, and come out below that on large sparse arrays.
%
%   See also nn_pack, octcompress.search.layer_curves.

  tensors = octcompress.model.tensors (model, true);
  rows = cell (1, numel (tensors));
  total = 0;
  nonzeros = 0;
  for k = 1:numel (tensors)
    w = subsref (model, tensors{k}.path);
    rows{k} = struct ('tensor', tensors{k}.name, 'bytes', bytes_of (w));
    total = total + rows{k}.bytes;
    if strcmp (tensors{k}.field, 'weights')
      nonzeros = nonzeros + nnz (w);
    end
  end
end

function bytes = bytes_of (w)
  n = numel (w);
  if n == 0
    bytes = 0;
    return
  end
  width = 4 + 4 * isa (w, 'double');
  share = nnz (w) / n;
  bytes = n * entropy ([share; 1 - share]) / 8 + width * n * share;
  if numel (unique (w(1:ceil (n / 2000):end))) < 1000
    [values, ~, place] = unique (w(:));
    own = entropy (accumarray (place(:), 1) / n);
    bytes = min (bytes, n * own / 8 + 2 * numel (values));
  end
end

function h = entropy (p)
  p = p(p > 0);
  h = -sum (p .* log2 (p));
end

%!test % by hand
%! layer = struct ('type', 'dense', 'name', 'a', 'weights', single ([0 0 1 1; 0 0 0 0]), ...
%!                 'bias', [1; 2]);
%! [rows, total, nonzeros] = octcompress.search.coded_bytes (struct ('layers', {{layer}}));
%! h = -(0.25 * log2 (0.25) + 0.75 * log2 (0.75));
%! assert (rows{1}, struct ('tensor', 'a.weights', 'bytes', h + 4), 1e-12);
%! assert (rows{2}.bytes, 0.25 + 4, 1e-12);
%! assert ({total, nonzeros}, {h + 8.25, 2}, 1e-12);
