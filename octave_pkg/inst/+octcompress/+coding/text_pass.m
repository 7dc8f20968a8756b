function [model, bytes, bits, frequencies] = text_pass (model, bytes, coder)
%TEXT_PASS  One pass of the adaptive model of bytes that follow one another, either way.
%
%   [model, ~, bits, frequencies] = octcompress.coding.text_pass (model, bytes)
%   [model, bytes] = octcompress.coding.text_pass (model, zeros (n, 1), coder)
%
%   model        struct of the model's state, from text_model; on return, after these bytes
%   bytes        n x 1 double, 0 to 255
%   coder        struct of the decoder, from open_stream with one lane
%   bits         8 n x 1, the bits of the bytes, the highest of each first
%   frequencies  8 n x 1, the model's probability of a 1 for each, in 1/32768
%
%   Each bit is predicted from counts under the bits before it in its byte and the last 0 to 4
%   bytes, and from what followed when the last bytes were the same; a logistic mixture learns how
%   far to trust each of these [1]. All arithmetic is on integers below 2^53. docs/packed-format.md
%   has each formula.
%
%   [1] Mahoney, Adaptive weighing of context models for lossless data compression, 2005.
%
%   See also octcompress.coding.text_model, octcompress.coding.encode_text.

  t = octcompress.coding.context_tables ();
  stretch = t.stretch';
  squash = t.squash;
  count = numel (bytes);
  decoding = nargin > 2;
  if decoding
    state = coder.state;
    position = coder.position;
    words = coder.words;
  end
  bits = zeros (8 * count, 1);
  frequencies = zeros (8 * count, 1);
  p = model.p;
  n = model.n;
  matched = model.matched;
  trusted = model.trusted;
  w = model.weights;
  last = model.last;
  seen = model.seen;
  text = [model.text; zeros(count, 1)];
  here = model.here;
  matching = model.matching;
  place = model.place;
  spread = [1 1 4106 6159 8212];
  offset = 65536 * (0:4) + 1;

  for k = 1:count
    h = [0, 256 * seen(1), 40503 * (256 * seen(1) + seen(2)), ...
         30011 * (65536 * seen(1) + 256 * seen(2) + seen(3)), ...
         10007 * (16777216 * seen(1) + 65536 * seen(2) + 256 * seen(3) + seen(4))];
    node = 1;
    expected = 0;
    if matching > 0
      expected = text(place) + 256;
    end
    length_of_match = min (matching, 15) + 1;
    for b = 7:-1:0
      at = mod (h + node * spread, 65536) + offset;
      q = p(at);
      x = [stretch(q + 1), 0];
      set = 1;
      if expected > 0 && floor (expected / 2 ^ (b + 1)) == node
        guess = mod (floor (expected / 2 ^ b), 2);
        x(6) = (2 * guess - 1) * stretch(matched(length_of_match) + 1);
        set = 2 + (matching > 5);
      else
        expected = 0;
      end
      y = floor (x * w(:, set) / 65536);
      f = squash(min (max (y, -3072), 3072) + 3073);
      if decoding
        high = floor (state / 65536);   % as decode_singles
        low = state - 65536 * high;
        bit = double (low < 2 * f);
        if bit
          state = 2 * f * high + low;
        else
          state = (65536 - 2 * f) * high + low - 2 * f;
        end
        while state < 4294967296 && position < numel (words)
          position = position + 1;
          state = 65536 * state + words(position);
        end
      else
        bit = mod (floor (bytes(k) / 2 ^ b), 2);
      end
      spot = 8 * k - b;
      bits(spot) = bit;
      frequencies(spot) = f;
      w(:, set) = w(:, set) + floor ((x' * (32768 * bit - f) + 32768) / 65536);
      m = n(at);
      p(at) = q + floor (2 * (65535 * bit - q) ./ (2 * m + 3));
      n(at) = min (m + 1, 30);
      if expected > 0
        q = matched(length_of_match);
        m = trusted(length_of_match);
        matched(length_of_match) = q + floor (2 * (65535 * (guess == bit) - q) / (2 * m + 3));
        trusted(length_of_match) = min (m + 1, 254);
      end
      node = 2 * node + bit;
    end
    byte = node - 256;
    bytes(k) = byte;
    here = here + 1;
    text(here) = byte;
    seen = [byte, seen(1:3)];
    if matching > 0 && text(place) == byte
      matching = matching + 1;
      place = place + 1;
    else
      matching = 0;
    end
    if here > 2
      key = mod (30011 * (65536 * seen(1) + 256 * seen(2) + seen(3)), 65536) + 1;
      if matching == 0 && last(key) > 0
        place = last(key);
        matching = 1;
      end
      last(key) = here + 1;
    end
  end
  model = struct ('p', p, 'n', n, 'matched', matched, 'trusted', trusted, 'weights', w, 'last', ...
                  last, 'seen', seen, 'text', text, 'here', here, 'matching', matching, ...
                  'place', place);
end

%!test % what repeats gets cheap
%! model = octcompress.coding.text_model ();
%! bytes = repmat ((1:50)' * 5, 4, 1);
%! [~, ~, bits, f] = octcompress.coding.text_pass (model, bytes);
%! cost = -log2 (abs (1 - bits - f / 32768));
%! assert (sum (cost(801:1600)) < 0.1 * sum (cost(1:400)));
