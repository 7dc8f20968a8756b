function bytes = seal (tree, data, entries)
%SEAL  Put the parts of a packed file together.
%
%   bytes = octcompress.coding.seal (tree, data, entries)
%
%   tree     uint8 column, from write_tree
%   data     uint8 column, its streams one after the other
%   entries  how many entries all arrays have together
%   bytes    uint8 column: 'oc', the version (1), the CRC-32 of all behind it (4 bytes, the lowest
%            first), 4 n + c as a varint, the tree in n bytes, the data, and zeros where there are
%            more than 2^18 entries for each byte. c is 0 for the tree as it is; else its length
%            comes first, as a varint, and it is coded by encode_symbols (1) or encode_text (2)
%
%   See also octcompress.coding.unseal.

  % bounds for what a reader may have to do
  form = 2;
  if numel (tree) <= 16384
    coded = octcompress.coding.encode_text (tree);
  end
  if numel (tree) > 16384 || numel (tree) > 32 * numel (coded)
    form = 1;
    coded = octcompress.coding.encode_symbols (tree, 256, 'auto');
  end
  coded = [octcompress.coding.write_varint(numel (tree)); coded];
  if numel (coded) >= numel (tree)
    form = 0;
    coded = tree;
  end
  head = [octcompress.coding.write_varint(4 * numel (coded) + form); coded];
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
