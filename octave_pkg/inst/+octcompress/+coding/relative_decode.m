function values = relative_decode (gaps, entries, count)
%RELATIVE_DECODE  The inverse of relative_encode.
%
%   values = octcompress.coding.relative_decode (gaps, entries, count)
%
%   gaps     n x 1, zeros before each entry
%   entries  n x 1
%   count    of the values
%   values   count x 1, in the class of the entries
%
%   Errors: octcompress:nn_unpack:damaged if the gaps lead behind the last value.
%
%   See also octcompress.coding.relative_encode.

  place = cumsum (double (gaps(:)) + 1);
  if ~isempty (place) && place(end) > count
    octcompress.internal.fail ('nn_unpack', 'damaged', 'the gaps of a sparse array lead out of it');
  end
  values = zeros (count, 1, class (entries));
  values(place) = entries(:);
end

%!test % there and back, at every width
%! values = int8 (mod ((1:5000)' .^ 2, 97) < 2) .* int8 (mod ((1:5000)', 7) - 3);
%! for bits = [1 4 5 8 16]
%!   [gaps, entries] = octcompress.coding.relative_encode (values, bits);
%!   assert (max (gaps) < 2 ^ bits);
%!   assert (octcompress.coding.relative_decode (gaps, entries, 5000), values);
%! end
%!error <nn_unpack: the gaps of a sparse array lead out of it> octcompress.coding.relative_decode ([1; 1], [1; 1], 3)
