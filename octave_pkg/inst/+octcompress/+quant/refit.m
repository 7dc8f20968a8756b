function [w, bias] = refit (stats, w, bias, damping)
%REFIT  The weights that give a layer's old outputs from its new inputs.
%
%   [w, bias] = octcompress.quant.refit (stats, w, bias, damping)
%
%   stats    of octcompress.model.input_gram with a reference: gram, cross, total,
%            total_reference, count, of one group
%   w        out x in: the weights before; double comes back
%   bias     out x 1, or [] for a layer that has none
%   damping  0.01: how hard the old weights hold on, in shares of the mean diagonal of gram
%
%   The least squares solution of w_new * u + b_new = w * u_reference + b over the data, where u
%   are the inputs that the layers before, already compressed, now give. With a bias, the mean is
%   its affair, and the weights fit the differences from it.
%
%   See also octcompress.quant.centre, octcompress.quant.gptq.

  w = double (w);
  [gram, cross] = octcompress.quant.centre (stats, ~isempty (bias));
  hold = damping * mean (diag (gram));
  if hold == 0
    return
  end
  right = w * cross + hold * w;
  gram(1:size (gram, 1)+1:end) = diag (gram) + hold;
  new = right / gram;
  if ~isempty (bias)
    bias = octcompress.quant.corrected_bias (stats, w, bias, new);
  end
  w = new;
end

%!test % inputs scaled and moved: weights and bias make up for it
%! u = reshape (mod ((1:300) * 0.7548776662, 1), 3, 100);
%! v = 2 * u + [1; 2; 3];
%! stats = struct ('gram', v * v', 'cross', u * v', 'total', sum (v, 2), 'total_reference', ...
%!                 sum (u, 2), 'count', 100);
%! w = [1 2 3; -1 0 1];
%! [new, bias] = octcompress.quant.refit (stats, w, [1; 2], 1e-9);
%! assert (new, w / 2, 1e-6);
%! assert (new * v + bias, w * u + [1; 2], 1e-6);
%!test % nothing to fit to
%! stats = struct ('gram', zeros (2), 'cross', zeros (2), 'total', [0; 0], 'total_reference', ...
%!                 [0; 0], 'count', 5);
%! assert (octcompress.quant.refit (stats, [1 2], [], 0.01), [1 2]);
