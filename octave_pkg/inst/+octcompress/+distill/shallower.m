function model = shallower (caller, model, depth)
%SHALLOWER  A network with a share of the layers: blocks that keep the size of what they get go.
%
%   model = octcompress.distill.shallower (caller, model, depth)
%
%   model  a tidy network
%   depth  0 to 1: the share of the layers with weights that stay, as nearly as whole blocks allow
%
%   A block is a run of layers with weights that reads one result and gives one of the same size,
%   and of which nothing else is read: a layer as wide as the one before with its normalisation and
%   activation, or a residual branch with its addition. Those that go lie evenly over the depth, as
%   every second layer of DistilBERT [1]; what read a block reads what the block read.
%
%   Errors: octcompress:CALLER:noBlocks where there is none.
%
%   [1] Sanh et al., DistilBERT, 2019, arXiv:1910.01108.
%
%   See also nn_student, octcompress.distill.thinner.

  plan = octcompress.model.plan (caller, model);
  weighted = cellfun (@(layer) isfield (layer, 'weights'), model.layers);
  blocks = blocks_of (model, plan, weighted);
  excess = nnz (weighted) - max (1, round (depth * nnz (weighted)));
  if isempty (blocks) && excess > 0
    octcompress.internal.fail (caller, 'noBlocks', ...
      ['no layer or residual branch of TEACHER gives what is of the size of what it reads, so ' ...
       'none can be left out; give WIDTH or BYTES']);
  end
  in_block = arrayfun (@(b) nnz (weighted(blocks(b, 1) + 1:blocks(b, 2))), 1:size (blocks, 1));
  wanted = min (size (blocks, 1), round (excess / mean (in_block)));
  blocks = blocks(ceil (((1:wanted) - 0.5) * size (blocks, 1) / wanted), :);

  source = 0:numel (model.layers);  % source(1 + k): the layer that stands for k; 0 is the input
  stays = true (1, numel (model.layers));
  for b = 1:size (blocks, 1)
    stays(blocks(b, 1) + 1:blocks(b, 2)) = false;
    source(1 + blocks(b, 2)) = source(1 + blocks(b, 1));
  end
  names = [{'input'}, cellfun(@(layer) layer.name, model.layers, 'UniformOutput', false)];
  before = 0;
  for k = find (stays)
    reads = source(1 + plan.inputs{k});
    if isfield (model.layers{k}, 'inputs') || ~isequal (reads, before)
      model.layers{k}.inputs = names(1 + reads);
    end
    before = k;
  end
  model.layers = model.layers(stays);
end

function blocks = blocks_of (model, plan, weighted)
  % Rows [a b]: layers a + 1 to b may go, and b's readers then read a.
  count = numel (model.layers);
  earliest = cellfun (@min, plan.inputs);
  sizes = [{reshape(model.input_size, 1, [])}, plan.sizes];
  last_use = [find(cellfun (@(reads) any (reads == 0), plan.inputs), 1, 'last'), plan.last_use];
  light = false (1, count + 1);  % goes with the layer before: nothing else reads that
  for k = 1:count
    light(k) = ~weighted(k) && isequal (plan.inputs{k}, k - 1) && last_use(k) == k ...
               && strcmp (octcompress.prune.channel_kind (model, plan, k), 'same');
  end
  blocks = zeros (0, 2);
  a = 0;
  while a < count
    b = a + 1;
    while b <= count && ~(isequal (sizes{1 + a}, sizes{1 + b}) && any (weighted(a + 1:b)) ...
                          && all (earliest(a + 1:b) >= a) && all (last_use(a + 1:b) <= b))
      b = b + 1;
    end
    while b < count && light(b + 1)
      b = b + 1;
    end
    if b <= count && ~light(a + 1) && isfinite (last_use(1 + b))
      blocks(end + 1, :) = [a b]; %#ok<AGROW>
      a = b;
    else
      a = a + 1;
    end
  end
end

%!function names = names_of (model)
%!  names = cellfun (@(layer) layer.name, model.layers, 'UniformOutput', false);
%!endfunction
%!test % layers as wide as the one before, with their activations
%! model = nn_new ('input', 3, 'dense', {4, 'name', 'a'}, 'relu', {'name', 'ra'}, ...
%!                 'dense', {4, 'name', 'b'}, 'relu', {'name', 'rb'}, 'dense', {4, 'name', 'c'}, ...
%!                 'batchnorm', {'name', 'n'}, 'relu', {'name', 'rc'}, 'dense', {2, 'name', 'd'});
%! small = octcompress.distill.shallower ('f', model, 0.5);
%! assert (names_of (small), {'a', 'ra', 'd'});
%! small = octcompress.distill.shallower ('f', model, 0.75);
%! assert (names_of (small), {'a', 'ra', 'c', 'n', 'rc', 'd'});
%! assert (isfield (small.layers{3}, 'inputs'), false);
%! assert (size (nn_predict (small, ones (3, 2, 'single'))), [2 2]);
%! assert (octcompress.distill.shallower ('f', model, 1), model);
%!test % a residual branch goes as a whole
%! model = nn_new ('input', [6 6 2], 'conv2d', {3, 3, 'name', 'a'}, 'relu', {'name', 'r'}, ...
%!   'conv2d', {3, 3, 'padding', 'same', 'name', 'b'}, 'relu', ...
%!   'conv2d', {3, 3, 'padding', 'same', 'name', 'c'}, 'add', {'inputs', {'r', 'c'}}, ...
%!   'relu', {'name', 'q'}, 'flatten', {'name', 'f'}, 'dense', {2, 'name', 'd'});
%! small = octcompress.distill.shallower ('f', model, 0.5);
%! assert (names_of (small), {'a', 'r', 'f', 'd'});
%! assert (size (nn_predict (small, ones (6, 6, 2, 'single'))), [2 1]);
%!error <f: no layer or residual branch of TEACHER gives what is of the size of what it reads>
%! octcompress.distill.shallower ('f', nn_new ('input', 3, 'dense', 4, 'relu', 'dense', 2), 0.5);
