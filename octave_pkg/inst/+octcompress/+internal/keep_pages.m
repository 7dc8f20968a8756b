function keep_pages ()
%KEEP_PAGES  Make the allocator keep the memory of arrays that come and go.
%
%   octcompress.internal.keep_pages ()
%
%   glibc gives freed memory back to the system and pays for every page again. After one array of
%   almost 32 MB was freed it keeps what is smaller: training steps, inference and quantization
%   then take a tenth to a third less. Done once, for 10 to 20 milliseconds.
%
%   See also octcompress.train.loop, octcompress.model.predictor.

  persistent done
  if isempty (done)
    large = zeros (1, 2 ^ 23 - 2 ^ 12, 'single'); %#ok<NASGU>
    done = true;
  end
end

%!test
%! octcompress.internal.keep_pages ();
%! octcompress.internal.keep_pages ();
