function seconds = engine_least (f, repetitions)
%ENGINE_LEAST  The least time of a few calls.
%
%   seconds = engine_least (f, repetitions)

  seconds = Inf;
  for i = 1:repetitions
    started = tic ();
    result = f (); %#ok<NASGU>
    seconds = min (seconds, toc (started));
  end
end
