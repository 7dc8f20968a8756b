function step = step_of (places)
%STEP_OF  From one window to the next, in lines of the image.
%
%   step = octcompress.layers.step_of (places)
%
%   places  g.rows or g.columns of octcompress.layers.window
%   step    1 where there is one window
%
%   See also octcompress.layers.window.

  step = max (1, places(1, min (2, end)) - places(1, 1));
end

%!assert (octcompress.layers.step_of ([1 3 5; 2 4 6]), 2)
%!assert (octcompress.layers.step_of ([4; 5]), 1)
