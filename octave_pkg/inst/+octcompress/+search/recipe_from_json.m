function recipe = recipe_from_json (text)
%RECIPE_FROM_JSON  A recipe from its text.
%
%   recipe = octcompress.search.recipe_from_json (text)
%
%   text    char: a JSON array of objects, each with "step" and the step's options
%   recipe  cell of structs
%
%   Errors: octcompress:recipe_from_json:badText.
%
%   See also octcompress.search.recipe_to_json, octcompress.search.check_recipe.

  try
    recipe = jsondecode (text);
  catch problem
    octcompress.internal.fail ('recipe_from_json', 'badText', ...
                               'the recipe''s text must be a JSON array, but: %s', ...
                               problem.message);
  end
  if isstruct (recipe)
    recipe = num2cell (recipe(:)');
  elseif iscell (recipe) || isempty (recipe)
    recipe = reshape (recipe, 1, []);
  else
    octcompress.internal.fail ('recipe_from_json', 'badText', ...
      'the recipe''s text must be a JSON array of objects, but is %s', ...
      octcompress.internal.describe (recipe));
  end
end

%!test
%! text = '[{"step": "fold"}, {"step": "prune", "keep": 3}]';
%! recipe = octcompress.search.recipe_from_json (text);
%! assert (recipe, {struct('step', 'fold'), struct('step', 'prune', 'keep', 3)});
%! assert (isempty (octcompress.search.recipe_from_json ('[]')));
%!error <recipe_from_json: the recipe's text must be a JSON array of objects, but is 3> octcompress.search.recipe_from_json ('3')
%!error <recipe_from_json: the recipe's text must be a JSON array, but: > octcompress.search.recipe_from_json ('[{')
