function bytes = state_bytes (state, followed)
%STATE_BYTES  The final state of a single-lane rANS stream, in as few bytes as its decoder can tell.
%
%   bytes = octcompress.coding.state_bytes (state, followed)
%
%   state     1 to 2^32 - 1; at least 2^16 if words follow
%   followed  true if words of two bytes follow
%   bytes     uint8 column, lowest byte first: as few as hold the state. Where words follow these are
%             3 or 4, and the parity of the stream's length says which; a stream of 4 bytes or fewer
%             is all state.
%
%   See also octcompress.coding.open_stream.

  bytes = mod (floor (state ./ 256 .^ (0:3)'), 256);
  if followed
    least = 3;
  else
    least = 0;
  end
  bytes = uint8 (bytes(1:max (least, find (bytes, 1, 'last'))));
end

%!assert (octcompress.coding.state_bytes (1, false), uint8 (1))
%!assert (octcompress.coding.state_bytes (65536, true), uint8 ([0; 0; 1]))
%!assert (octcompress.coding.state_bytes (2 ^ 32 - 1, true), uint8 ([255; 255; 255; 255]))
