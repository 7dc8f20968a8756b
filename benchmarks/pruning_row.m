function pruning_row (what, peer, model, X, Y, seconds)
%PRUNING_ROW  One line of the table of pruning_training: accuracy and weights left.

  result = nn_evaluate (model, X, Y);
  [~, left] = pruning_weights (model);
  fprintf ('| %s | %s | %.2f | %d | %.0f |\n', what, peer, 100 * result.accuracy, left, seconds);
  if exist ('OCTAVE_VERSION', 'builtin')
    fflush (stdout ());
  end
end
