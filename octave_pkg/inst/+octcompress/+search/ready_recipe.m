function recipe = ready_recipe (name)
%READY_RECIPE  The recipes that come with the toolbox.
%
%   recipe = octcompress.search.ready_recipe (name)
%   names = octcompress.search.ready_recipe ()
%
%   name    'deep-compression'  gradual pruning, a codebook of 32 values, training of both [1]
%           'int8-mobile'       weights and activations in 8 bits, as mobile runtimes want them
%           'int4'              weights in 4 bits by channel, no training
%           'tiny'              3% of the weights, 3 bits, distilled from the original
%           'structured-fast'   half of the units, so that every runtime is faster; 8 bits
%   recipe  cell of steps, as octcompress.search.check_recipe describes them
%   names   cellstr
%
%   They are data: recipes.json beside this function.
%
%   Errors: octcompress:ready_recipe:unknown.
%
%   [1] Han, Mao and Dally, Deep Compression, ICLR 2016, arXiv:1510.00149.
%
%   See also nn_compress, octcompress.search.check_recipe.

  file = fullfile (fileparts (mfilename ('fullpath')), 'recipes.json');
  found = regexp (fileread (file), '"([\w-]+)": (\[\s*\{.*?\}\s*\])', 'tokens');
  names = cellfun (@(pair) pair{1}, found, 'UniformOutput', false);
  if nargin == 0
    recipe = names;
    return
  end
  k = find (strcmp (names, name), 1);
  if isempty (k)
    octcompress.internal.fail ('ready_recipe', 'unknown', ...
                               'there is no ready recipe %s; there are %s', ...
                               octcompress.internal.describe (name), strjoin (names, ', '));
  end
  recipe = octcompress.search.recipe_from_json (found{k}{2});
end

%!test % each is sound
%! for name = octcompress.search.ready_recipe ()
%!   [~, faults] = octcompress.search.check_recipe (octcompress.search.ready_recipe (name{1}));
%!   assert (faults, {});
%! end
%!test
%! recipe = octcompress.search.ready_recipe ('int4');
%! assert (recipe{2}, struct ('step', 'quantize', 'bits', 4, 'granularity', 'channel', ...
%!                            'rounding', 'gptq'));
%!error <ready_recipe: there is no ready recipe 'int5'; there are deep-compression, int8-mobile, int4> octcompress.search.ready_recipe ('int5')
