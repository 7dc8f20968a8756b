function yes = meets (result, options)
%MEETS  Whether a result keeps the budgets.
%
%   yes = octcompress.search.meets (result, options)
%
%   result   struct: bytes, drop
%   options  struct: max_bytes, max_drop; [] where there is none
%
%   See also nn_compress.

  yes = (isempty (options.max_bytes) || result.bytes <= options.max_bytes) ...
        && (isempty (options.max_drop) || result.drop <= options.max_drop);
end

%!test
%! found = struct ('bytes', 5, 'drop', 1);
%! assert (octcompress.search.meets (found, struct ('max_bytes', 5, 'max_drop', [])));
%! assert (~octcompress.search.meets (found, struct ('max_bytes', 9, 'max_drop', 0.9)));
