function groups = group_map (sizes, structure, taps, parts)
%GROUP_MAP  Which weights of a matrix are removed together.
%
%   groups = octcompress.prune.group_map (sizes, structure)
%   groups = octcompress.prune.group_map (sizes, structure, taps, parts)
%
%   sizes      [out in] of the weights as a matrix (octcompress.model.weights_matrix)
%   structure  'row'      all weights of one output: a filter, a neuron
%              'column'   all weights of one entry of the (unrolled) input
%              'channel'  all weights of one input channel: TAPS neighbouring columns
%              [r c]      blocks of r rows and c columns; those at the ends may be smaller
%              'n:m'      as '2:4': M neighbours in a row, of a convolution M neighbouring
%                         channels at the same place of the kernel [1]
%   taps       (1) places of the kernel: its height times its width
%   parts      (1) groups of the convolution, which read different channels
%   groups     out x in double: the number of each weight's group, from 1
%
%   [1] Mishra et al., Accelerating sparse deep neural networks, 2021, arXiv:2104.08378.
%
%   See also nn_prune, octcompress.prune.group_score.

  if nargin < 3
    taps = 1;
    parts = 1;
  end
  rows = (1:sizes(1))';
  columns = 1:sizes(2);
  channels = ceil (columns / taps);
  place = columns - (channels - 1) * taps;
  part = ceil (rows * parts / max (sizes(1), 1));
  if isnumeric (structure)
    block = double (structure);
    groups = ceil (rows / block(1)) + ceil (sizes(1) / block(1)) * (ceil (columns / block(2)) - 1);
  elseif strcmp (structure, 'row')
    groups = rows + 0 * columns;
  elseif strcmp (structure, 'column')
    groups = columns + sizes(2) * (part - 1);
  elseif strcmp (structure, 'channel')
    groups = channels + sizes(2) / taps * (part - 1);
  else
    n_m = sscanf (structure, '%d:%d');
    groups = rows + sizes(1) * (place - 1 + taps * (ceil (channels / n_m(2)) - 1));
  end
end

%!assert (octcompress.prune.group_map ([2 3], 'row'), [1 1 1; 2 2 2])
%!assert (octcompress.prune.group_map ([2 3], 'column'), [1 2 3; 1 2 3])
%!assert (octcompress.prune.group_map ([3 3], [2 2]), [1 1 3; 1 1 3; 2 2 4])
%!assert (octcompress.prune.group_map ([2 5], '1:2'), [1 1 3 3 5; 2 2 4 4 6])
%!assert (octcompress.prune.group_map ([1 6], 'channel', 2, 1), [1 1 2 2 3 3])
%!assert (octcompress.prune.group_map ([4 2], 'channel', 2, 2), [1 1; 1 1; 2 2; 2 2])
%!assert (octcompress.prune.group_map ([4 1], 'column', 1, 4), [1; 2; 3; 4])
%!assert (octcompress.prune.group_map ([1 6], '1:2', 2, 1), [1 2 1 2 3 4])
