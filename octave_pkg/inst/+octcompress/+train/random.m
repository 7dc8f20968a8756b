function result = random (what, value)
%RANDOM  The random numbers of training: all from rand's twister, so that NumPy can draw the same.
%
%   before = octcompress.train.random ('seed', seed)    seed the generator; its state before that
%   state = octcompress.train.random ('state')          the state, as an array
%   octcompress.train.random ('restore', state)         back to a state
%   order = octcompress.train.random ('order', n)       a permutation of 1:n: [~, order] = sort
%                                                       (rand (1, n))
%   u = octcompress.train.random ('uniform', sizes)     rand (sizes), double, in (0, 1)
%
%   rand ('twister', seed) gives the numbers of numpy.random.RandomState ([seed]).
%
%   See also nn_train, octcompress.train.initial_weights.

  switch what
    case 'seed'
      result = rand ('twister');
      rand ('twister', value);
    case 'state'
      result = rand ('twister');
    case 'restore'
      rand ('twister', value);
    case 'order'
      [~, result] = sort (rand (1, value));
    case 'uniform'
      result = rand (value);
  end
end

%!test % the numbers of numpy.random.RandomState ([7]).random_sample (3)
%! before = octcompress.train.random ('seed', 7);
%! u = octcompress.train.random ('uniform', [1 3]);
%! octcompress.train.random ('restore', before);
%! assert (u, [0.32383276 0.15084917 0.65093447], 5e-9);
%!test % an order is a permutation, and a state gives it again
%! state = octcompress.train.random ('state');
%! order = octcompress.train.random ('order', 50);
%! assert (sort (order), 1:50);
%! octcompress.train.random ('restore', state);
%! assert (octcompress.train.random ('order', 50), order);
%!test % seeding gives back the state before
%! state = octcompress.train.random ('state');
%! before = octcompress.train.random ('seed', 3);
%! assert (before, state);
%! octcompress.train.random ('restore', before);
%! assert (octcompress.train.random ('state'), state);
