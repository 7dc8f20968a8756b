function names = free_options ()
%FREE_OPTIONS  The options that a resumed training may have otherwise than the one it goes on from.
%
%   names = octcompress.train.free_options ()
%
%   They do not change the numbers, or cannot be written to a file.
%
%   See also octcompress.train.from_checkpoint.

  names = {'epochs', 'patience', 'callback', 'checkpoint', 'checkpoint_minutes', 'resume', ...
           'verbose', ...
           'validation_data'};
end

%!assert (all (isfield (octcompress.train.training_options ('f', struct (), {}), ...
%!                      octcompress.train.free_options ())))
