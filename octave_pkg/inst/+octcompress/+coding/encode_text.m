function bytes = encode_text (text)
%ENCODE_TEXT  Code bytes that follow one another, as those of write_tree, with the adaptive model.
%
%   bytes = octcompress.coding.encode_text (text)
%
%   text   uint8 column
%   bytes  uint8 column
%
%   See also octcompress.coding.decode_text, octcompress.coding.text_pass.

  model = octcompress.coding.text_model ();
  [~, ~, bits, frequencies] = octcompress.coding.text_pass (model, double (text(:)));
  bytes = octcompress.coding.encode_runs (bits, frequencies, [numel(bits), 0, 0]);
end

%!test % a description of a network becomes several times smaller
%! model = nn_quantize (nn_new ('input', 20, 'dense', 10, 'relu', 'dense', 5), 4);
%! tree = octcompress.coding.write_tree (model, 'none');
%! bytes = octcompress.coding.encode_text (tree);
%! assert (numel (bytes) < 0.6 * numel (tree));
%! assert (octcompress.coding.decode_text (bytes, numel (tree)), tree);
