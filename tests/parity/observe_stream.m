function [lo, hi] = observe_stream (batches, kind, bits, scheme)
%OBSERVE_STREAM  The range that an observer finds in some batches, for the parity tests.

  state = octcompress.quant.observer ('start', kind);
  for k = 1:numel (batches)
    state = octcompress.quant.observer ('add', state, batches{k});
  end
  [lo, hi] = octcompress.quant.observer ('range', state, bits, scheme);
end
