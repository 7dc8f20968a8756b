function x = batch (x, model, which, augmentation, training)
%BATCH  Some observations for training: augmented, in the engine's layout and the network's class.
%
%   x = octcompress.train.batch (x, model, which, augmentation, training)
%
%   model         struct with input_size, and what octcompress.model.take_batch needs
%   augmentation  of octcompress.train.training_options; [] for none
%   training      false: augmentation does nothing random
%
%   See also octcompress.train.augment, octcompress.model.take_batch.

  if ~isempty (augmentation)
    if numel (model.input_size) == 3
      x = x(:, :, :, which);
    else
      x = x(:, which);
    end
    x = octcompress.train.augment (x, model.input_size, augmentation, training);
    which = 1:numel (which);
  end
  x = octcompress.model.take_batch (x, model, which);
end

%!shared model, x
%! model = struct ('input_size', [2 3 1], 'layers', {{}});
%! x = reshape (1:4*5*6, 4, 5, 1, 6);
%!test
%! augmentation = struct ('flip', 'none', 'shift', 0, 'crop', true, 'pixels', []);
%! y = octcompress.train.batch (x, model, [2 4], augmentation, false);
%! assert (y, octcompress.model.to_engine (single (x(2:3, 2:4, :, [2 4])), [2 3 1]));
%!test
%! y = octcompress.train.batch (x(1:2, 1:3, :, :), model, 5, [], true);
%! assert (y, octcompress.model.to_engine (single (x(1:2, 1:3, :, 5)), [2 3 1]));
