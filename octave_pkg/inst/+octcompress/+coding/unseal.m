function [tree, data] = unseal (caller, bytes)
%UNSEAL  The parts of a packed file, after its checksum.
%
%   [tree, data] = octcompress.coding.unseal (caller, bytes)
%
%   caller      char, for messages
%   bytes       uint8 column
%   tree, data  uint8 columns
%
%   Errors: octcompress:CALLER:notPacked, :version, :damaged.
%
%   See also octcompress.coding.seal.

  if numel (bytes) < 3 || ~isequal (bytes(1:2), uint8 ('oc')')
    octcompress.internal.fail (caller, 'notPacked', ...
                               'the bytes are not a packed model: they do not begin with ''oc''');
  elseif bytes(3) ~= 1
    octcompress.internal.fail (caller, 'version', ...
      ['the model was packed in version %d, but only version 1 is known; a newer octcompress ' ...
       'may read it'], bytes(3));
  elseif numel (bytes) < 9
    octcompress.internal.fail (caller, 'damaged', ...
          'the packed model is cut off: there are only %d bytes', numel (bytes));
  end
  stated = double (octcompress.coding.byte_values (bytes(4:7), 'uint32'));
  found = octcompress.coding.crc32 (bytes(8:end));
  if stated ~= found
    octcompress.internal.fail (caller, 'damaged', ...
      'the packed model is damaged or cut off: its checksum is %08x, but must be %08x', found, ...
      stated);
  end
  [head, position] = octcompress.coding.read_varint (bytes, 8);
  last = position + floor (head / 4) - 1;
  if last > numel (bytes)
    octcompress.internal.fail (caller, 'damaged', 'the packed model ends within its description');
  end
  tree = bytes(position:last);
  data = bytes(last+1:end);
  form = mod (head, 4);
  if form > 0
    [count, position] = octcompress.coding.read_varint (tree, 1);
    most = 2 ^ 18 * numel (bytes);
    if form == 2
      most = min (16384, 32 * (numel (tree) - position + 1));
    end
    if form == 3 || count > most
      octcompress.internal.fail (caller, 'damaged', ...
                                 'the description of the model is larger than it can be');
    elseif form == 2
      tree = octcompress.coding.decode_text (tree(position:end), count);
    else
      tree = uint8 (octcompress.coding.decode_symbols (tree(position:end), count, 256));
    end
  end
end

%!error <f: > octcompress.coding.unseal ('f', uint8 ((1:30)'))
%!error <f: > octcompress.coding.unseal ('f', zeros (0, 1, 'uint8'))
%!test % cut off anywhere
%! bytes = octcompress.coding.seal (uint8 ((1:50)'), uint8 ((1:20)'), 10);
%! for keep = [1 3 7 10 numel(bytes)-1]
%!   try
%!     octcompress.coding.unseal ('f', bytes(1:keep));
%!     assert (false, sprintf ('%d bytes were taken', keep));
%!   catch e
%!     assert (strncmp (e.identifier, 'octcompress:f:', 14), true, e.message);
%!   end
%! end
