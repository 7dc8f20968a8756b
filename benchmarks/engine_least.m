function seconds = engine_least (f, repetitions, clock)
%ENGINE_LEAST  The least time of a few calls.
%
%   seconds = engine_least (f, repetitions)
%   seconds = engine_least (f, repetitions, clock)   by this function of no arguments

  if nargin < 3
    clock = @() double (tic ()) / 1e6;
  end
  seconds = Inf;
  for i = 1:repetitions
    started = clock ();
    result = f (); %#ok<NASGU>
    seconds = min (seconds, clock () - started);
  end
end
