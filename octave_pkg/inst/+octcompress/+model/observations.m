function count = observations (x, input_size)
%OBSERVATIONS  How many observations an array of inputs holds.
%
%   count = octcompress.model.observations (x, input_size)
%
%   The fourth dimension of images, the second of features and sequences.

  if numel (input_size) == 3
    count = size (x, 4);
  else
    count = size (x, 2);
  end
end

%!assert (octcompress.model.observations (ones (3, 5), 3), 5)
%!assert (octcompress.model.observations (ones (3, 5, 7), [3 7]), 5)
%!assert (octcompress.model.observations (ones (4, 4, 1, 6), [4 4 1]), 6)
%!assert (octcompress.model.observations (ones (4, 4), [4 4 1]), 1)
