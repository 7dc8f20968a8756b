function need_image (caller, in_size)
%NEED_IMAGE  Refuse an input that is not an image.
%
%   octcompress.layers.need_image (caller, in_size)
%
%   caller   char, the layer function, for the message
%   in_size  of one observation
%
%   Errors: octcompress:CALLER:badSize.

  if numel (in_size) ~= 3
    octcompress.internal.fail (caller, 'badSize', ...
      'the input must be an image [height width channels], but has the size [%s]', ...
      num2str (in_size));
  end
end

%!test
%! octcompress.layers.need_image ('f', [8 8 1]);
%!error <f: the input must be an image \[height width channels\], but has the size \[3  7\]> octcompress.layers.need_image ('f', [3 7])
