function count = channels (out_size)
%CHANNELS  The number of channels of an image, or of features.
%
%   count = octcompress.model.channels (out_size)
%
%   out_size  of one observation: F, [H W C] or [F T]
%
%   See also octcompress.model.plan.

  count = out_size(end);
  if numel (out_size) == 2
    count = out_size(1);
  end
end

%!assert (cellfun (@octcompress.model.channels, {3, [5 4 2], [7 NaN]}), [3 2 7])
