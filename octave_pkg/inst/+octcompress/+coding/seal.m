function bytes = seal (tree, data, entries)
%SEAL  Put the parts of a packed file together.
%
%   bytes = octcompress.coding.seal (tree, data, entries)
%
%   tree     uint8 column, from write_tree
%   data     uint8 column, its streams one after the other
%   entries  how many entries all arrays have together
%   bytes    uint8 column: 'oc', the version (1), the CRC-32 of all behind it (4 bytes, the lowest
%            first), 2 n + c as a varint, where n is the length of the tree and c tells whether it
%            is coded, the tree, the data, and zeros where there are more than 2^18 entries for each
%            byte
%
%   See also octcompress.coding.unseal.

  coded = octcompress.coding.encode_symbols (tree, 256, 'auto');
  coded = [octcompress.coding.write_varint(numel (tree)); coded];
  if numel (coded) < numel (tree)
    head = [octcompress.coding.write_varint(2 * numel (coded) + 1); coded];
  else
    head = [octcompress.coding.write_varint(2 * numel (tree)); tree];
  end
  body = [head; data];
  body = [body; zeros(max (0, ceil (entries / 2 ^ 18) - 7 - numel (body)), 1, 'uint8')];
  crc = octcompress.coding.value_bytes (uint32 (octcompress.coding.crc32 (body)));
  bytes = [uint8([111; 99; 1]); crc; body];
end

%!test % the parts come out again; a changed byte is noticed
%! tree = uint8 ((1:50)');
%! data = uint8 ((200:-1:1)');
%! bytes = octcompress.coding.seal (tree, data, 10);
%! [a, b] = octcompress.coding.unseal ('f', bytes);
%! assert (a, tree);
%! assert (b(1:200), data);
%! assert (char (bytes(1:2)'), 'oc');
%! bytes(end) = 255 - bytes(end);
%! try
%!   octcompress.coding.unseal ('f', bytes);
%!   assert (false);
%! catch e
%!   assert (e.identifier, 'octcompress:f:damaged');
%! end
