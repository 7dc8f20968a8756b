function model = text_model ()
%TEXT_MODEL  The state of the byte model after the descriptions of some typical networks.
%
%   model = octcompress.coding.text_model ()
%
%   model  struct for text_pass. It begins with all counts even, and has then seen the bytes of
%          typical_trees
%
%   See also octcompress.coding.text_pass, octcompress.coding.typical_trees.

  persistent kept
  if isempty (kept)
    model = struct ('p', repmat (32768, 1, 5 * 65536), 'n', zeros (1, 5 * 65536), ...
                    'matched', 32768 + 2000 * (0:15)', 'trusted', zeros (16, 1), ...
                    'weights', repmat (20000, 6, 3), 'last', zeros (65536, 1), ...
                    'seen', [0 0 0 0], 'text', zeros (0, 1), 'here', 0, 'matching', 0, 'place', 0);
    kept = octcompress.coding.text_pass (model, octcompress.coding.typical_trees ());
  end
  model = kept;
end

%!test
%! model = octcompress.coding.text_model ();
%! assert (model.here, numel (octcompress.coding.typical_trees ()));
