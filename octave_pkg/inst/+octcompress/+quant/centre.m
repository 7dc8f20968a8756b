function [gram, cross] = centre (stats, about_mean)
%CENTRE  A layer's sums of products, about its inputs' mean where a bias takes care of that.
%
%   [gram, cross] = octcompress.quant.centre (stats, about_mean)
%
%   stats       of octcompress.model.input_gram, of one group; cross only with a reference
%   about_mean  true: sum ((u - mean (u)) * (u - mean (u))'); false: the sums as they are
%
%   See also octcompress.quant.refit.

  gram = stats.gram;
  cross = gram;
  if isfield (stats, 'cross')
    cross = stats.cross;
  end
  if about_mean
    gram = gram - stats.total * stats.total' / stats.count;
    gram = (gram + gram') / 2;
    if isfield (stats, 'cross')
      cross = cross - stats.total_reference * stats.total' / stats.count;
    else
      cross = gram;
    end
  end
end

%!test
%! u = [1 2 4; 0 3 3];
%! stats = struct ('gram', u * u', 'total', sum (u, 2), 'count', 3);
%! d = u - mean (u, 2);
%! assert (octcompress.quant.centre (stats, true), d * d', 1e-12);
%! assert (octcompress.quant.centre (stats, false), u * u');
