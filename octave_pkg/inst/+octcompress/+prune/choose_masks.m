function [masks, limits] = choose_masks (caller, scores, shapes, rule)
%CHOOSE_MASKS  Which weights go, given a score for each.
%
%   [masks, limits] = octcompress.prune.choose_masks (caller, scores, shapes, rule)
%
%   scores  cell of arrays, one for each layer
%   shapes  cell, of octcompress.prune.matrix_shape
%   rule    struct:
%     structure  'weight', or what octcompress.prune.group_map takes
%     scope      'layer'   each layer by itself
%                'row'     each row of each layer's matrix by itself (weights only)
%                'global'  all layers as one
%                'lamp'    all as one by octcompress.prune.lamp_score
%                'erk'     each layer by itself, its share by octcompress.prune.erk_density
%     sparsity   share to remove: a scalar, or one for each layer with the scopes layer and row; []
%     keep       number to keep, of weights or else of groups: in each layer, or of all; []
%     threshold  or the limit below which scores go: cell of scalars, one for each layer; {}
%     spare      groups that each layer keeps at least
%   masks   cell of logicals of the scores' sizes, true where a weight goes
%   limits  1 x K double: the threshold, or the largest score that went, over all layers where
%           they are one; -Inf for none
%
%   Exactly floor (sparsity * number of weights) weights go, of groups as many as hold no more; of
%   equal scores the first.
%
%   Errors: octcompress:CALLER:badValue.
%
%   See also nn_prune, octcompress.prune.smallest_mask, octcompress.prune.smallest_groups.

  count = numel (scores);
  limits = -Inf (1, count);
  masks = cell (1, count);
  is_pattern = ischar (rule.structure) && any (rule.structure == ':');
  if is_pattern
    n_m = sscanf (rule.structure, '%d:%d');
    for k = 1:count
      groups = groups_of (rule.structure, shapes{k}, size (scores{k}));
      masks{k} = octcompress.prune.pattern_mask (scores{k}, groups, n_m(1));
      limits(k) = largest (scores{k}, masks{k});
    end
    return
  end

  by_weights = strcmp (rule.structure, 'weight');
  units = scores;
  sizes = cellfun (@(s) ones (numel (s), 1), cell (1, count), 'UniformOutput', false);
  maps = cell (1, count);
  if ~by_weights
    for k = 1:count
      maps{k} = groups_of (rule.structure, shapes{k}, size (scores{k}));
      [units{k}, sizes{k}] = octcompress.prune.group_score (scores{k}, maps{k});
    end
  end

  if ~isempty (rule.threshold)
    for k = 1:count
      masks{k} = units{k} < rule.threshold{k};
      limits(k) = rule.threshold{k};
    end
  elseif strcmp (rule.scope, 'row')
    for k = 1:count
      masks{k} = smallest_in_rows (scores{k}, shapes{k}, ...
                                   amount (rule, k, shapes{k}.columns, shapes{k}.columns));
      limits(k) = largest (scores{k}, masks{k});
    end
  else
    pools = num2cell (1:count);
    if any (strcmp (rule.scope, {'global', 'lamp'}))
      pools = {1:count};
    end
    if strcmp (rule.scope, 'lamp')
      if any (cellfun (@(u) any (u(:) < 0), units))
        octcompress.internal.fail (caller, 'badValue', ...
          'SCOPE can be ''lamp'' only with a criterion whose scores are not negative');
      end
      units = cellfun (@octcompress.prune.lamp_score, units, 'UniformOutput', false);
    elseif strcmp (rule.scope, 'erk')
      rule = with_erk_shares (rule, scores, shapes);
    end
    for p = 1:numel (pools)
      members = pools{p};
      weights = sum (cellfun (@numel, scores(members)));
      groups = sum (cellfun (@numel, units(members)));
      if by_weights
        [chosen, limit] = octcompress.prune.smallest_mask (one_class (units(members)), ...
                                                           amount (rule, p, weights, weights));
      elseif isempty (rule.keep)
        [chosen, limit] = octcompress.prune.smallest_groups (units(members), sizes(members), ...
              amount (rule, p, weights, groups), rule.spare);
      else
        ones_of = cellfun (@(u) ones (numel (u), 1), units(members), 'UniformOutput', false);
        [chosen, limit] = octcompress.prune.smallest_groups (units(members), ones_of, ...
              amount (rule, p, weights, groups), rule.spare);
      end
      masks(members) = chosen;
      limits(members) = double (limit);
    end
  end
  if ~by_weights
    for k = 1:count
      masks{k} = reshape (masks{k}(maps{k}), size (scores{k}));
    end
  end
end

function scores = one_class (scores)
  % Scores of different classes are compared in double.
  if ~all (cellfun (@(s) strcmp (class (s), class (scores{1})), scores))
    scores = cellfun (@double, scores, 'UniformOutput', false);
  end
end

function groups = groups_of (structure, shape, sizes)
  groups = octcompress.prune.group_map ([shape.rows shape.columns], structure, shape.taps, ...
                                        shape.parts);
  groups = octcompress.prune.from_matrix (groups, shape, sizes);
end

function count = amount (rule, k, weights, groups)
  if isfield (rule, 'counts')
    count = rule.counts(k);
  elseif isempty (rule.keep)
    share = rule.sparsity(min (k, numel (rule.sparsity)));
    count = floor (double (share) * weights);
  else
    count = max (groups - rule.keep, 0);
  end
end

function rule = with_erk_shares (rule, scores, shapes)
  sizes = cell (size (scores));
  for k = 1:numel (scores)
    sizes{k} = size (scores{k});
    if ~shapes{k}.by_rows
      sizes{k} = [sizes{k}, ones(1, 4 - numel (sizes{k}))];
    end
  end
  weights = cellfun (@numel, scores);
  if isempty (rule.keep)
    share = 1 - rule.sparsity;
  else
    share = min (rule.keep / sum (weights), 1);
  end
  rule.keep = [];
  rule.counts = round ((1 - octcompress.prune.erk_density (sizes, share)) .* weights);
end

function mask = smallest_in_rows (score, shape, count)
  matrix = octcompress.prune.to_matrix (score, shape);
  [~, order] = sort (matrix, 2);
  mask = false (size (matrix));
  rows = repmat ((1:shape.rows)', 1, count);
  mask(sub2ind (size (matrix), rows, order(:, 1:count))) = true;
  mask = octcompress.prune.from_matrix (mask, shape, size (score));
end

function limit = largest (score, mask)
  chosen = double (score(mask));
  limit = max ([-Inf; chosen(:)]);
end

%!shared rule
%! rule = struct ('structure', 'weight', 'scope', 'layer', 'sparsity', 0.5, 'keep', [], ...
%!                'threshold', {{}}, 'spare', 0);
%!function [masks, limits] = choose (rule, varargin)
%!  shapes = cellfun (@(s) octcompress.prune.matrix_shape (s, []), varargin, 'UniformOutput', ...
%!                    false);
%!  [masks, limits] = octcompress.prune.choose_masks ('f', varargin, shapes, rule);
%!endfunction
%!test % layers, rows, all as one
%! a = [1 2 3 4; 5 6 7 8];
%! b = [9 10; 0 11];
%! [masks, limits] = choose (rule, a, b);
%! assert (masks, {logical([1 1 1 1; 0 0 0 0]), logical([1 0; 1 0])});
%! assert (limits, [4 9]);
%! masks = choose (setfield (rule, 'scope', 'row'), a, b);
%! assert (masks, {logical([1 1 0 0; 1 1 0 0]), logical([1 0; 1 0])});
%! [masks, limits] = choose (setfield (rule, 'scope', 'global'), a, b);
%! assert (masks, {logical([1 1 1 1; 1 0 0 0]), logical([0 0; 1 0])});
%! assert (limits, [5 5]);
%!test % a share for each layer; a number to keep
%! masks = choose (setfield (rule, 'sparsity', [0.25 0.75]), [1 2 3 4], [1 2 3 4]);
%! assert (masks, {logical([1 0 0 0]), logical([1 1 1 0])});
%! rule.keep = 1;
%! rule.sparsity = [];
%! assert (choose (rule, [1 2 3 4], [4 3]), {logical([1 1 1 0]), logical([0 1])});
%! rule.structure = 'row';
%! assert (choose (rule, [1 2; 3 4; 0 0]), {logical([1 1; 0 0; 1 1])});
%!test % groups: no more weights than were asked for
%! rule = setfield (setfield (rule, 'keep', []), 'sparsity', 0.7);
%! rule.structure = 'row';
%! assert (choose (rule, [1 2; 3 4; 0 0]), {logical([1 1; 0 0; 1 1])});
%! rule.structure = [2 1];
%! assert (choose (rule, [1 2 9; 9 4 0]), {logical([0 1 1; 0 1 1])});
%!test % patterns, lamp, erk
%! rule.structure = '1:2';
%! assert (choose (rule, [1 2 3 1; 5 4 0 0]), {logical([1 0 0 1; 0 1 1 0])});
%! rule.structure = 'weight';
%! rule.sparsity = 0.5;
%! rule.keep = [];
%! rule.scope = 'lamp';
%! assert (choose (rule, [1 1 1 1], [1000 1000 1000 1000]), ...
%!         {logical([1 1 0 0]), logical([1 1 0 0])});
%! rule.scope = 'erk';
%! masks = choose (rule, ones (2), ones (10));
%! assert ([nnz(masks{1}), nnz(masks{2})], [0 52]);
%!error <f: SCOPE can be 'lamp' only with a criterion whose scores are not negative>
%! choose (setfield (rule, 'scope', 'lamp'), [-1 2]);
