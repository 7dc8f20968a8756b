function group = run_group (count, mean_frequency, most)
%RUN_GROUP  How a single lane takes binary decisions.
%
%   group = octcompress.coding.run_group (count, mean_frequency, most)
%
%   count           how many decisions
%   mean_frequency  whole number, about their mean probability of a 1 in 1/32768
%   most            up to this probability of a 1, or of a 0, it looks ahead for the next one
%   group           1 x 3: count; 1 where zeros are rarer and looked for instead; how far ahead, at
%                   most 512, about 16 times as far as the next one is expected; 0 where decisions
%                   are taken one by one
%
%   See also octcompress.coding.decode_runs.

  flipped = mean_frequency > 16384;
  rare = mean_frequency;
  if flipped
    rare = 32768 - rare;
  end
  window = 0;
  if rare <= most
    window = min (512, floor (524288 / max (rare, 1)));
  end
  group = [count, flipped, window];
end

%!assert (octcompress.coding.run_group (7, 100, 4096), [7 0 512])
%!assert (octcompress.coding.run_group (7, 4096, 4096), [7 0 128])
%!assert (octcompress.coding.run_group (7, 32000, 4096), [7 1 512])
%!assert (octcompress.coding.run_group (7, 4097, 4096), [7 0 0])
