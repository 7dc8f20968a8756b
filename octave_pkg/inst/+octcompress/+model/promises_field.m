function name = promises_field ()
%PROMISES_FIELD  The variable that keeps the promises of a model that is not a network.
%
%   name = octcompress.model.promises_field ()
%
%   A network keeps them in its layers. In any other model this variable is a cell of structs:
%   tensor (its name), pruning, quantization.
%
%   See also octcompress.model.promise.

  name = 'octcompress_promises';
end

%!assert (octcompress.model.promises_field (), 'octcompress_promises')
