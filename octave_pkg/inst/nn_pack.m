function [packed, info] = nn_pack (model, varargin)
%NN_PACK  A model, or any struct, as few bytes: nothing is lost.
%
%   [packed, info] = nn_pack (model)
%   [packed, info] = nn_pack (model, 'coding', 'rans')
%
%   model   a network or any scalar struct that a .mat file can hold
%   packed  struct with one field, octc: a uint8 column, the packed file of docs/packed-format.md
%   info    struct: bytes (of octc), header (bytes of it that are no array's), rows (cell of
%           structs, one for each array: name, class, count, method, bytes, and of these codes,
%           codebooks, indices, values), totals (struct: codes, codebooks, indices, values, header;
%           their sum is bytes), options
%
%   Options, as name-value pairs or a struct:
%     coding ('auto')  'none': equal bits for each code; 'huffman': canonical Huffman, sparse arrays
%                      by the gaps between their entries, as in Deep Compression [1]; 'rans': rANS
%                      [2] with static or adaptive context models; 'auto': for each array the
%                      smallest
%
%   An array that is promised to lie on a grid (layer.quantization) is written by its codes, one
%   with few values by these, one with zeros by where they are. nn_unpack gives back the same model,
%   all arrays to the bit.
%
%   Errors: octcompress:nn_pack:badType, :badValue, :unknownOption.
%
%   Example:
%     [packed, info] = nn_pack (nn_quantize (nn_prune (model, 'sparsity', 0.9), 4));
%     save ('-v6', 'small.mat', '-struct', 'packed');
%
%   [1] Han, Mao and Dally, Deep Compression, ICLR 2016, arXiv:1510.00149.
%   [2] Duda, Asymmetric numeral systems, 2013, arXiv:1311.2540.
%
%   See also nn_unpack, nn_save.

  options = octcompress.internal.parse_options ('nn_pack', struct ('coding', 'auto'), varargin);
  octcompress.internal.check ('nn_pack', 'coding', options.coding, 'choice', ...
                              {'auto', 'none', 'huffman', 'rans'});
  if ~isstruct (model) || ~isscalar (model)
    octcompress.internal.fail ('nn_pack', 'badType', 'MODEL must be a scalar struct, but is %s', ...
                               octcompress.internal.describe (model));
  end
  [tree, streams, rows] = octcompress.coding.write_tree (model, options.coding);
  bytes = octcompress.coding.seal (tree, vertcat (zeros (0, 1, 'uint8'), streams{:}), ...
                                   sum (cellfun (@(row) row.count, rows)));
  packed = struct ('octc', bytes);

  for k = 1:numel (rows)
    rows{k} = octcompress.coding.describe_row (model, rows{k});
  end
  totals = octcompress.coding.add_up (rows, numel (bytes));
  info = struct ('bytes', numel (bytes), 'header', totals.header, 'rows', {rows}, ...
                 'totals', totals, 'options', options);
end

%!function model = example ()
%!  rand ('twister', 1);
%!  a = struct ('type', 'dense', 'name', 'a', 'weights', single (rand (40, 30) - 0.5), ...
%!              'bias', single (rand (40, 1)));
%!  model = struct ('layers', {{a, struct('type', 'relu')}}, 'note', 'kept', 'list', ...
%!                  {{1, 'x', true}});
%!  model = nn_quantize (nn_prune (model, 'sparsity', 0.9), 4);
%!endfunction
%!test % nothing is lost, and every byte is accounted for
%! model = example ();
%! for coding = {'none', 'huffman', 'rans', 'auto'}
%!   [packed, info] = nn_pack (model, 'coding', coding{1});
%!   assert (isequaln (nn_unpack (packed), model));
%!   assert (info.bytes, numel (packed.octc));
%!   assert (sum (cellfun (@double, struct2cell (info.totals))), info.bytes);
%! end
%!test % a tenth of the weights at four bits
%! [~, info] = nn_pack (example ());
%! names = cellfun (@(row) row.name, info.rows, 'UniformOutput', false);
%! row = info.rows{strcmp (names, 'a.weights')};
%! assert (row.bytes < 1200 / 8 * 1.1);
%!error <nn_pack: MODEL must be a scalar struct, but is 3> nn_pack (3)
%!error <nn_pack: there is no option 'codng'; the options are coding> nn_pack (struct (), 'codng', 1)
%!error <nn_pack: CODING must be one of> nn_pack (struct (), 'coding', 'zip')
