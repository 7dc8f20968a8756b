function [buckets, bits, frequencies, groups] = context_pass (buckets, frame, coder)
%CONTEXT_PASS  One pass of the adaptive context model over an integer matrix, either way.
%
%   [~, bits, frequencies, groups] = octcompress.coding.context_pass (buckets, frame)
%   buckets = octcompress.coding.context_pass ([], frame, coder)
%
%   buckets      lanes x lines double, -31..31: sign times bucket of the magnitude
%   frame        struct: lanes, lines; stride (0 = none, else the lines between two rows of a
%                picture); top (1..31, the largest bucket); alone (whether one lane of rANS codes
%                all, so that an entry may know of those before it in its line)
%   coder        struct of the decoder, from open_stream
%   bits         every binary decision in order, column of 0 and 1
%   frequencies  the model's probability of a 1 for each, in 1/32768
%   groups       g x 3, the decisions coded side by side, as run_group gives them, in order
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
  stretch = t.stretch;
  squash = t.squash;
  alone = frame.alone;
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
    groups = zeros (lines * kinds, 3);
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
  models = min (1:kinds, 3);   % a decision on zero, on the sign, on a bucket
  weights = [45875 13107 19661; 19661 19661 13107; 6554 13107 13107; 45875 6554 13107; ...
             -39322 6554 0];
  weights = weights(:, models);
  lean = [16 8 8; 8 8 8; 8 8 8];
  lean = lean(models, :);
  slowness = [131072 32768 65536];
  slowness = slowness(models);
  trust = [20 2 2];
  trust = trust(models);
  first_ones = [3277 32768 32768];
  first_ones = first_ones(models);
  reach = 10;
  if frame.stride
    reach = 24;
  end
  all_lanes = (1:lanes)';
  in_front = all_lanes - 1 + reach;
  grow = struct ('reach', reach, 'stretch', stretch, 'squash', squash);

  for line = 1:lines
    o = before + line;
    [size_context, sign_context, past] = look_back (history, line_counts, o, frame.stride, t.level);
    for kind = 1:kinds
      if kind == 1
        index = all_lanes;
      elseif kind == 2
        index = find (buckets(:, line));
      elseif kind > 3
        index = index(bit > 0);
      end
      m = numel (index);
      if m == 0
        break
      end
      if kind == 2
        context = sign_context(index, :);
      else
        context = size_context(index, :);
      end
      overall = floor ((65536 * total(kind, 1) + first_ones(kind)) / (total(kind, 2) + 1));
      overall = min (max (overall, 1), 65535);
      of_line = floor ((65536 * past(kind, 1) + trust(kind) * overall) ...
                       / (past(kind, 2) + trust(kind)));
      of_lane = lane_counts(index, kind);
      of_context = context_counts(:, kind);
      counts = [of_lane, reshape(of_context(context), [], 2)];
      trials = floor (counts / many);
      p = floor ((262144 * (counts - many * trials) + overall * lean(kind, :)) ...
                 ./ (4 * trials + lean(kind, :)));
      inputs = reshape (stretch(p + 1), [], 3);
      w = weights(:, kind);
      growing = false;
      if kind == 1 && alone
        run = octcompress.coding.run_group (m, floor (of_line / 2), 12288);
        growing = run(3) > 0;
      end
      if growing
        shared = stretch(overall + 1);
        x = inputs * w(1:3) + w(5) * shared;
      else
        shared = stretch([min(of_line, 65535); overall] + 1);
        x = floor ((inputs * w(1:3) + w(4:5)' * shared) / 65536);
        frequency = squash(min (max (x, -3072), 3072) + 3073);
        run = octcompress.coding.run_group (m, floor (sum (frequency) / m), 4096);
      end

      if ~decoding
        if kind == 2
          bit = double (buckets(index, line) > 0);
        else
          bit = double (sizes(index, line) >= max (kind - 1, 1));
        end
      else
        if growing
          grow.mixed = x;
          grow.weight = w(4);
          grow.share = of_line;
          [bit, coder] = octcompress.coding.decode_runs (run, [], grow, coder);
        elseif alone && run(3) > 0
          [bit, coder] = octcompress.coding.decode_runs (run, frequency, [], coder);
        elseif alone
          [bit, coder] = octcompress.coding.decode_singles (frequency, coder);
        else
          [bit, coder] = octcompress.coding.decode_bits (frequency, coder);
        end
        if kind == 1
          buckets(:, line) = bit;
        elseif kind == 2
          buckets(index, line) = 2 * bit - 1;
        else
          buckets(index, line) = buckets(index, line) + bit .* sign (buckets(index, line));
        end
      end
      if growing
        shares = floor ((65536 * (cumsum (bit) - bit) + reach * of_line) ./ in_front);
        in_line = stretch(min (shares, 65535) + 1);
        x = floor ((x + w(4) * in_line) / 65536);
        frequency = squash(min (max (x, -3072), 3072) + 3073);
      end
      if ~decoding
        bits(done+1:done+m) = bit;
        frequencies(done+1:done+m) = frequency;
        done = done + m;
        group = group + 1;
        groups(group, :) = run;
      end

      wrong = 32768 * bit - frequency;
      rate = slowness(kind);
      if m > 64   % of fewer the sum cannot be more than 2^34
        spread = floor (sum (frequency .* (32768 - frequency)) / 1048576);
        rate = max (rate, floor (rate * spread / 16384));
      end
      if growing
        steps = [inputs, in_line]' * wrong;
        steps(5) = shared * sum (wrong);
      else
        steps = [inputs' * wrong; shared * sum(wrong)];
      end
      weights(:, kind) = w + floor ((steps + floor (rate / 2)) / rate);
      lane_counts(index, kind) = of_lane + (bit + many);
      context_counts(:, kind) = of_context + full (sparse (context(:), 1, [bit; bit] + many, ...
                                                           156, 1));
      seen = [sum(bit), m];
      line_counts(kind, :, o) = seen;
      total(kind, :) = total(kind, :) + seen;
    end
    history(:, o) = buckets(:, line);
  end
  if ~decoding
    groups = groups(1:group, :);
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
%! frame = struct ('lanes', 2, 'lines', 3, 'stride', 0, 'top', 2, 'alone', true);
%! [~, bits, frequencies, groups] = octcompress.coding.context_pass (buckets, frame);
%! assert (numel (frequencies), numel (bits));
%! assert (sum (groups(:, 1)), numel (bits));
%! assert (all (frequencies >= 1 & frequencies <= 32767));
%! assert (all (bits == 0 | bits == 1));
