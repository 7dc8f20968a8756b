function report_record (what, model, X, Y, started)
%REPORT_RECORD  A line about a step of a record: weights left, bytes when packed, error.
%
%   report_record (what, model, X, Y, started)
%
%   what     char, the step's name
%   X, Y     the images that judge
%   started  of tic

  [~, packed] = nn_pack (only_what_counts (model));
  result = nn_evaluate (model, X, Y);
  left = cellfun (@(layer) nnz (layer.weights), ...
                  model.layers(cellfun (@(layer) isfield (layer, 'weights'), model.layers)));
  fprintf ('%-10s %6d weights (%s), %6d bytes packed, error %.2f%%, %.0f s\n', what, sum (left), ...
           strtrim (sprintf ('%d ', left)), packed.bytes, 100 * result.error, toc (started));
end
