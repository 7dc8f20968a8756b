function variables = readable (bytes)
%READABLE  A packed model beside what of it is not coded.
%
%   variables = octcompress.coding.readable (bytes)
%
%   bytes      uint8 column, from nn_pack
%   variables  struct: octc, the bytes; and the fields of the model, in which each coded array is
%              empty. nn_unpack looks at octc only
%
%   See also nn_save.

  [tree, ~] = octcompress.coding.unseal ('nn_save', bytes);
  variables = octcompress.coding.read_tree (tree, [], 2 ^ 18 * numel (bytes));
  variables.octc = bytes;
end

%!test
%! model = struct ('note', 'x', 'w', single (reshape (1:600, 20, 30)), 'w_size', [20 30]);
%! packed = nn_pack (model);
%! assert (octcompress.coding.readable (packed.octc), ...
%!         struct ('note', 'x', 'w', [], 'w_size', [20 30], 'octc', packed.octc));
