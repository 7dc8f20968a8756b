function score = random_score (sizes, seed)
%RANDOM_SCORE  Scores without any sense: the baseline that a criterion must beat.
%
%   score = octcompress.prune.random_score (sizes, seed)
%
%   sizes  of the array
%   seed   whole number from 0; the generator of rand is put back as it was
%   score  uniform in (0, 1), double: rand ('twister', seed), which NumPy can draw too
%
%   See also nn_prune.

  before = octcompress.train.random ('seed', seed);
  score = octcompress.train.random ('uniform', sizes);
  octcompress.train.random ('restore', before);
end

%!test
%! a = octcompress.prune.random_score ([3 4], 7);
%! rand ('twister', 1);
%! b = octcompress.prune.random_score ([3 4], 7);
%! r = rand ();
%! rand ('twister', 1);
%! assert (r, rand ());
%! assert (a, b);
%! assert (size (a), [3 4]);
%! assert (~isequal (a, octcompress.prune.random_score ([3 4], 8)));
