function report (state, options, parts)
%REPORT  The line of an epoch: the loss and its parts, validation, rate and speed.
%
%   octcompress.train.report (state, options, parts)
%
%   state    of octcompress.train.loop
%   options  verbose, epochs
%   parts    cellstr, fields of the history that are parts of the loss
%
%   See also octcompress.train.loop, octcompress.internal.progress.

  if ~options.verbose
    return
  end
  history = state.history;
  text = sprintf ('loss %.4f', history.loss(end));
  if numel (parts) > 1
    figures = cellfun (@(name) sprintf ('%s %.4f', strrep (name, '_loss', ''), ...
                                        history.(name)(end)), parts, 'UniformOutput', false);
    text = sprintf ('%s (%s)', text, strjoin (figures, ', '));
  end
  if ~isempty (history.validation_loss)
    text = sprintf ('%s, validation loss %.4f', text, history.validation_loss(end));
    if ~isnan (history.validation_accuracy(end))
      text = sprintf ('%s, accuracy %.2f%%', text, 100 * history.validation_accuracy(end));
    end
    name = ['validation_' options.monitor];
    if ~any (strcmp (options.monitor, {'loss', 'accuracy'})) && isfield (history, name)
      text = sprintf ('%s, %s %.4g', text, options.monitor, history.(name)(end));
    end
  end
  octcompress.internal.progress ('training', state.epoch, options.epochs, ...
                                 '%s, rate %.3g, %.0f/s', text, ...
                                 history.learning_rate(end), ...
                                 numel (state.order) / history.seconds(end));
end

%!test
%! history = struct ('loss', 0.5, 'teacher_loss', 0.4, 'label_loss', 0.6, ...
%!                   'validation_loss', 0.7, 'validation_accuracy', 0.9, ...
%!                   'learning_rate', 0.01, 'seconds', 2);
%! state = struct ('history', history, 'epoch', 3, 'order', 1:100);
%! options = struct ('verbose', true, 'epochs', 5, 'monitor', 'loss');
%! parts = {'teacher_loss', 'label_loss'};
%! text = evalc ('octcompress.train.report (state, options, parts)');
%! assert (strtrim (text), ['training 3/5: loss 0.5000 (teacher 0.4000, label 0.6000), ' ...
%!                          'validation loss 0.7000, accuracy 90.00%, rate 0.01, 50/s']);
%! state.history.validation_auc = 0.875;
%! options.monitor = 'auc';
%! text = evalc ('octcompress.train.report (state, options, parts)');
%! assert (~isempty (strfind (text, 'accuracy 90.00%, auc 0.875, rate 0.01')));
%! assert (evalc ('octcompress.train.report (state, struct (''verbose'', false), {})'), '');
