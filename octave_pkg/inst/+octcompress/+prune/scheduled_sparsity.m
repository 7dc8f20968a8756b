function [share, due] = scheduled_sparsity (step, schedule)
%SCHEDULED_SPARSITY  How much is pruned at a step of training, and whether it changes there.
%
%   [share, due] = octcompress.prune.scheduled_sparsity (step, schedule)
%
%   step      steps of training done
%   schedule  struct:
%     schedule  'polynomial'  final + (initial - final) * (1 - t)^power with
%                             t = min (1, max (0, (step - begin_step) / (end_step - begin_step))):
%                             the rule of the TensorFlow model optimization toolkit
%               'agp'         the same with power 3: automated gradual pruning [1]
%               'linear'      the same with power 1
%               'oneshot'     final, from begin_step on
%               'iterative'   in ROUNDS equal ratios of what is kept, from begin_step to end_step
%                             [2]: 1 - (1 - initial) * ((1 - final) / (1 - initial))^(round /
%                             rounds)
%     initial, final  shares, 0 to 1
%     begin_step, end_step  steps
%     frequency       steps from one change to the next
%     power, rounds   of 'polynomial' and 'iterative'
%   share     0 to 1; 0 before begin_step
%   due       true where masks are to be made: from begin_step to end_step, every FREQUENCY steps
%             and at the end; with 'oneshot' at begin_step alone, with 'iterative' when a round
%             begins
%
%   [1] Zhu and Gupta, To prune, or not to prune, 2017, arXiv:1710.01878.
%   [2] Han et al., Learning both weights and connections, NIPS 2015, arXiv:1506.02626.
%
%   See also nn_prune_train.

  first = schedule.begin_step;
  last = max (schedule.end_step, first);
  length = last - first;
  t = min (1, max (0, (step - first) / max (length, 1)));
  if length == 0
    t = double (step >= first);
  end
  inside = step >= first && step <= last;
  switch schedule.schedule
    case 'oneshot'
      share = schedule.final;
      due = step == first;
    case 'iterative'
      starts = first + round ((0:schedule.rounds - 1) * length / max (schedule.rounds - 1, 1));
      round_number = sum (step >= starts);
      kept = 1 - schedule.initial;
      share = 1;
      if kept > 0
        share = 1 - kept * ((1 - schedule.final) / kept) ^ (round_number / schedule.rounds);
      end
      due = any (step == starts);
    otherwise
      power = schedule.power;
      if strcmp (schedule.schedule, 'agp')
        power = 3;
      elseif strcmp (schedule.schedule, 'linear')
        power = 1;
      end
      share = schedule.final + (schedule.initial - schedule.final) * (1 - t) ^ power;
      due = inside && (mod (step - first, schedule.frequency) == 0 || step == last);
  end
  if step < first
    share = 0;
  end
end

%!shared s
%! s = struct ('schedule', 'polynomial', 'initial', 0.5, 'final', 0.9, 'begin_step', 100, ...
%!             'end_step', 1100, 'frequency', 100, 'power', 3, 'rounds', 4);
%!function [share, due] = at (s, step, varargin)
%!  for k = 1:2:numel (varargin)
%!    s.(varargin{k}) = varargin{k + 1};
%!  end
%!  [share, due] = octcompress.prune.scheduled_sparsity (step, s);
%!endfunction
%!test % the toolkit's PolynomialDecay
%! assert (at (s, 100), 0.5);
%! assert (at (s, 600), 0.9 - 0.4 * 0.5 ^ 3, 1e-12);
%! assert (at (s, 1100), 0.9, 1e-12);
%! assert (at (s, 5000), 0.9, 1e-12);
%! assert (at (s, 99), 0);
%!test % when
%! due = arrayfun (@(step) nthargout (2, @octcompress.prune.scheduled_sparsity, step, s), 0:1300);
%! assert (find (due) - 1, 100:100:1100);
%!assert (at (s, 600, 'schedule', 'linear'), 0.7, 1e-12)
%!assert (at (s, 600, 'schedule', 'agp', 'power', 1), 0.85, 1e-12)
%!assert (at (s, 100, 'schedule', 'oneshot'), 0.9)
%!test % rounds of equal ratio, the last at the end
%! steps = [100, 433, 767, 1100];
%! shares = arrayfun (@(step) at (s, step, 'schedule', 'iterative', 'initial', 0), steps);
%! assert (1 - shares, 0.1 .^ ((1:4) / 4), 1e-12);
%! [~, due] = at (s, 433, 'schedule', 'iterative');
%! assert (due);
%! [~, due] = at (s, 434, 'schedule', 'iterative');
%! assert (~due);
