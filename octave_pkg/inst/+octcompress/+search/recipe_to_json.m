function text = recipe_to_json (recipe)
%RECIPE_TO_JSON  A recipe as text, in one line.
%
%   text = octcompress.search.recipe_to_json (recipe)
%
%   recipe  cell of steps, as octcompress.search.check_recipe gives them
%   text    char: a JSON array of objects; a value by layer is an array of [name, value]
%
%   See also octcompress.search.recipe_from_json, octcompress.search.check_recipe.

  text = jsonencode (recipe);
end

%!test % there and back
%! recipe = {struct('step', 'prune', 'sparsity', {{{'a', 0.1}, {'b', 0.95}}}, 'bias', true), ...
%!           struct('step', 'fold')};
%! text = octcompress.search.recipe_to_json (recipe);
%! assert (isempty (strfind (text, sprintf ('\n'))));
%! back = octcompress.search.check_recipe (octcompress.search.recipe_from_json (text));
%! assert (back, recipe);
%! one = {struct('step', 'quantize', 'bits', {{{'a', 3}}})};
%! text = octcompress.search.recipe_to_json (one);
%! assert (octcompress.search.check_recipe (octcompress.search.recipe_from_json (text)), one);
