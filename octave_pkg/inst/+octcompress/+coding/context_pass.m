function [buckets, bits, frequencies, groups] = context_pass (buckets, frame, coder)
%CONTEXT_PASS  One pass of the adaptive context model over an integer matrix, either way.
%
%   [~, bits, frequencies, groups] = octcompress.coding.context_pass (buckets, frame)
%   buckets = octcompress.coding.context_pass ([], frame, coder)
%
%   buckets      lanes x lines double, -31..31: sign times bucket of the magnitude
%   frame        struct: lanes, lines; stride (0 = none, else the lines between two rows of a
%                picture); chunk (entries whose zeros are modelled at once); top (1..31, the largest
%                bucket)
%   coder        struct of the decoder, as decode_bits wants it
%   bits         every binary decision in order, column of 0 and 1
%   frequencies  the model's probability of a 1 for each, in 1/32768
%   groups       how many decisions were coded side by side, in order
%
%   Line by line: of each entry, is it zero; of those that are not, the signs; of these, which
%   buckets exceed 1; of these, which exceed 2, and so on. Every decision is predicted from five
%   counts of ones: in its lane, in its line, under two contexts made of the neighbours' values, and
%   overall. A logistic mixture of the five learns its weights as it goes [1]. All arithmetic is on
%   integers below 2^53, so that every machine makes the same predictions. docs/packed-format.md has
%   each formula.
%
%   [1] Mahoney, Adaptive weighing of context models for lossless data compression, 2005.
%
%   See also octcompress.coding.context_encode, octcompress.coding.context_decode.

  t = octcompress.coding.context_tables ();
  lanes = frame.lanes;
  lines = frame.lines;
  kinds = frame.top + 1;
  decoding = nargin > 2;
  if decoding
    buckets = zeros (lanes, lines);
  else
    sizes = abs (buckets);
    count = numel (buckets) + sum (buckets(:) ~= 0) + sum (min (sizes(:), frame.top - 1));
    bits = zeros (count, 1);
    frequencies = zeros (count, 1);
    groups = zeros (lines * (ceil (lanes / frame.chunk) + kinds - 1), 1);
    done = 0;
    group = 0;
  end

  before = max (2 * frame.stride, 3);
  history = zeros (lanes, before + lines);
  line_counts = zeros (kinds, 2, before + lines);
  many = 2 ^ 26;   % a count holds ones + many * all
  lane_counts = zeros (lanes, kinds);
  context_counts = zeros (156, kinds);
  total = zeros (kinds, 2);
  weights = repmat (13107, 5, kinds);
  strength = [8 3 3];

  for line = 1:lines
    o = before + line;
    [size_context, sign_context, past] = look_back (history, line_counts, o, frame.stride, t.level);
    here = zeros (kinds, 2);
    chunks = ceil (lanes / frame.chunk);
    for step = 1:chunks + kinds - 1
      kind = max (1, step - chunks + 1);
      if kind == 1
        index = ((step - 1) * frame.chunk + 1:min (step * frame.chunk, lanes))';
      elseif kind == 2
        index = find (buckets(:, line));
      elseif kind > 3
        index = index(bit > 0);
      end
      if isempty (index)
        break
      end
      if kind == 2
        context = sign_context(index, :);
      else
        context = size_context(index, :);
      end
      overall = floor ((65536 * total(kind, 1) + 32768) / (total(kind, 2) + 1));
      overall = min (max (overall, 1), 65535);
      of_line = floor ((65536 * past(kind, 1) + 2 * overall) / (past(kind, 2) + 2));
      of_line = floor ((65536 * here(kind, 1) + 8 * of_line) / (here(kind, 2) + 8));
      of_lane = lane_counts(index, kind);
      of_context = context_counts(:, kind);
      counts = [of_lane, reshape(of_context(context), [], 2)];
      trials = floor (counts / many);
      p = floor ((262144 * (counts - many * trials) + overall * strength) ...
                 ./ (4 * trials + strength));
      inputs = reshape (t.stretch(p + 1), [], 3);
      shared = [t.stretch(of_line + 1); t.stretch(overall + 1)];
      w = weights(:, kind);
      x = floor ((inputs * w(1:3) + w(4:5)' * shared) / 65536);
      frequency = t.squash(min (max (x, -3072), 3072) + 3073);

      if decoding
        [bit, coder] = octcompress.coding.decode_bits (frequency, coder);
        if kind == 1
          buckets(index, line) = bit;
        elseif kind == 2
          buckets(index, line) = 2 * bit - 1;
        else
          buckets(index, line) = buckets(index, line) + bit .* sign (buckets(index, line));
        end
      else
        if kind == 2
          bit = double (buckets(index, line) > 0);
        else
          bit = double (sizes(index, line) >= max (kind - 1, 1));
        end
        span = done + 1:done + numel (bit);
        bits(span) = bit;
        frequencies(span) = frequency;
        done = span(end);
        group = group + 1;
        groups(group) = numel (bit);
      end

      wrong = 32768 * bit - frequency;
      rate = max (65536, 1024 * numel (bit));
      weights(:, kind) = w + floor (([inputs' * wrong; shared * sum(wrong)] + rate / 2) / rate);
      lane_counts(index, kind) = of_lane + (bit + many);
      context_counts(:, kind) = of_context + full (sparse (context(:), 1, [bit; bit] + many, ...
                                                           156, 1));
      seen = [sum(bit), numel(bit)];
      here(kind, :) = here(kind, :) + seen;
      total(kind, :) = total(kind, :) + seen;
    end
    line_counts(:, :, o) = here;
    history(:, o) = buckets(:, line);
  end
  if ~decoding
    groups = groups(1:group);
  end
end

function [size_context, sign_context, past] = look_back (history, line_counts, o, stride, level)
  v1 = history(:, o - 1);
  v2 = history(:, o - 2);
  if stride
    u1 = history(:, o - stride);
    u2 = history(:, o - 2 * stride);
    left = history(:, o - stride - 1);
    right = history(:, o - stride + 1);
    near = abs (v1) + abs (u1);
    far = abs (v2) + abs (u2) + abs (left) + abs (right);
    guess = 2 * (v1 + u1) + right - left;
    other = v2 + u2 + left + right;
    past = 2 * (line_counts(:, :, o - 1) + line_counts(:, :, o - stride)) ...
           + line_counts(:, :, o - stride - 1) + line_counts(:, :, o - stride + 1);
  else
    v3 = history(:, o - 3);
    near = abs (v1);
    far = abs (v2) + abs (v3);
    guess = 2 * v1 + v2;
    other = v2 + v3;
    past = 2 * line_counts(:, :, o - 1) + line_counts(:, :, o - 2) + line_counts(:, :, o - 3);
  end
  guess_level = level(min (abs (guess), 60) + 1);
  other_level = level(min (abs (other), 60) + 1);
  size_context = [12 * level(min (near, 60) + 1) + level(min (far, 60) + 1) + 1, guess_level + 145];
  sign_context = [sign(guess) .* min(guess_level, 6) + 7, sign(other) .* min(other_level, 4) + 24];
end

%!test % one probability for each decision, and every magnitude below the top is a run of ones
%! buckets = [0 1 0; -2 0 1];
%! frame = struct ('lanes', 2, 'lines', 3, 'stride', 0, 'chunk', 2, 'top', 2);
%! [~, bits, frequencies, groups] = octcompress.coding.context_pass (buckets, frame);
%! assert (numel (frequencies), numel (bits));
%! assert (sum (groups), numel (bits));
%! assert (all (frequencies >= 1 & frequencies <= 32767));
%! assert (all (bits == 0 | bits == 1));
