function [bytes, parts] = encode_codes (codes, method, alone)
%ENCODE_CODES  Code an array of whole numbers by the smallest of the methods there are.
%
%   [bytes, parts] = octcompress.coding.encode_codes (codes, method)
%   [bytes, parts] = octcompress.coding.encode_codes (codes, method, alone)
%
%   codes   double array of whole numbers whose range is below 65536; 0 stands for a zero weight
%   method  'none': equal bits for each; 'huffman': Huffman, of the codes or of the nonzeros and the
%           gaps between them; 'rans': rANS, static or with contexts; 'auto': the smallest
%   alone   true: only as single symbols, without gaps and contexts (false)
%   bytes   uint8 column. First, as a varint, 4 z + kind, where z is the least code (2 c, or -2 c -
%           1 where it is negative); what follows depends on the kind:
%             0  a varint, the range of the codes; the codes less the least, by encode_symbols
%             1  the codes as a matrix, by context_encode
%             2  bits of a gap (a byte), how many entries (varint), bytes of the gaps (varint), the
%                gaps and the entries, both by encode_symbols, behind the range (varint)
%           Of kind 1, and of codes all equal, the least code may be any that all can be told from.
%   parts   struct: codes, indices; their sum is numel (bytes)
%
%   A matrix has the last dimension of the array as its rows and all others as its columns where
%   there are more than two.
%
%   See also octcompress.coding.decode_codes.

  least = min (codes(:));
  range = max (codes(:)) - least;
  if isempty (codes)
    least = 0;
    range = 0;
  end
  head = octcompress.coding.write_varint (4 * zigzag (least));
  spread = octcompress.coding.write_varint (range);
  bytes = [head; spread];
  parts = struct ('codes', numel (bytes), 'indices', 0);
  if range == 0
    return
  end
  alphabet = range + 1;
  bytes = [bytes; octcompress.coding.encode_symbols(codes(:) - least, alphabet, method)];
  parts.codes = numel (bytes);
  if nargin > 2 && alone
    return
  end

  if any (strcmp (method, {'huffman', 'auto'})) && least <= 0 && least + range >= 0 ...
     && 2 * nnz (codes) < numel (codes)
    for bits = [4 5 8]
      [gaps, entries] = octcompress.coding.relative_encode (codes, bits);
      indices = octcompress.coding.encode_symbols (gaps, 2 ^ bits, 'huffman');
      values = octcompress.coding.encode_symbols (entries - least, alphabet, 'huffman');
      trial = [octcompress.coding.write_varint(4 * zigzag (least) + 2); spread; uint8(bits); ...
               octcompress.coding.write_varint(numel (entries)); ...
               octcompress.coding.write_varint(numel (indices)); indices; values];
      if numel (trial) < numel (bytes)
        bytes = trial;
        parts.indices = numel (indices);
        parts.codes = numel (trial) - numel (indices);
      end
    end
  end

  base = 0;
  if least > 0 || least + range < 0
    base = least;
  end
  most = max (abs ([least, least + range] - base));
  if any (strcmp (method, {'rans', 'auto'})) && worth_contexts (numel (codes), numel (bytes), most)
    trial = [octcompress.coding.write_varint(4 * zigzag (base) + 1); ...
             octcompress.coding.context_encode(as_matrix (codes) - base)];
    if numel (trial) < numel (bytes)
      bytes = trial;
      parts.indices = 0;
      parts.codes = numel (trial);
    end
  end
end

function yes = worth_contexts (count, size_so_far, most)
%  Large numbers, and many entries of many bits each, take long and gain little.
  yes = count >= 16 && most <= 512 && (count <= 2 ^ 20 || (count <= 2 ^ 25 ...
                                                           && 2 * size_so_far < count));
end

function z = zigzag (value)
  z = 2 * abs (value) - (value < 0);
end

function matrix = as_matrix (codes)
  matrix = codes;
  if ndims (codes) > 2
    matrix = reshape (codes, [], size (codes, ndims (codes)))';
  end
end

%!test % there and back by every method; auto is no longer than any
%! codes = round (3 * sin ((1:30)' * (1:20)));
%! codes(abs (codes) < 2) = 0;
%! sizes = zeros (1, 4);
%! methods = {'none', 'huffman', 'rans', 'auto'};
%! for k = 1:4
%!   [bytes, parts] = octcompress.coding.encode_codes (codes, methods{k});
%!   assert (parts.codes + parts.indices, numel (bytes));
%!   assert (octcompress.coding.decode_codes (bytes, size (codes)), codes);
%!   sizes(k) = numel (bytes);
%! end
%! assert (sizes(4), min (sizes));
