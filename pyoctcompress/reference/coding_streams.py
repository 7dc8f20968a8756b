"""Interleaved rANS with static models: the reference of functions of ``+octcompress/+coding``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from .coding_bits import (
    byte_words,
    damaged,
    huffman_decode,
    huffman_encode,
    huffman_lengths,
    ints,
    pack_bits,
    read_varint,
    take,
    unpack_bits,
    word_bytes,
    write_varint,
)
from .internal import Array


class Tables(NamedTuple):
    """The integer tables of the context coder; see `context_tables`."""

    stretch: Array
    squash: Array
    price: Array
    level: Array
    floor: Array
    extra: Array


@cache
def context_tables() -> Tables:
    """Return the tables of the context coder.

    Returns
    -------
    Tables
        stretch[k] = round (256 ln (p / (1 - p))), p = (k + 1/2) / 65536;
        squash[x + 3072] = round (32768 / (1 + exp (-x / 256))) within 1..32767;
        price[k - 1] = round (4096 log2 (32768 / k)); level of a size 0..60; floor, the smallest
        magnitude of a bucket; extra, the bits that tell the magnitudes of a bucket apart.
    """
    p = (np.arange(65536) + 0.5) / 65536
    stretch = np.floor(256 * np.log(p / (1 - p)) + 0.5)
    x = np.arange(-3072, 3073) / 256
    squash = np.clip(np.floor(32768 / (1 + np.exp(-x)) + 0.5), 1, 32767)
    price = np.floor(4096 * np.log2(32768 / np.arange(1, 32768)) + 0.5)
    steps = np.array([1, 2, 3, 4, 6, 9, 13, 19, 28, 41, 60])
    level = np.searchsorted(steps, np.arange(61), side="right")
    extra = np.array([0] * 5 + [k for k in range(1, 14) for _ in (0, 1)] + [14])
    floor = np.concatenate([[0], np.cumsum(np.concatenate([[1], 2 ** extra[1:-1]]))])
    return Tables(*(ints(table) for table in (stretch, squash, price, level, floor, extra)))


def normalize_counts(counts: object, precision: int) -> Array:
    """Scale counts to frequencies whose sum is 2^precision, each at least 1 where it is above 0."""
    counts = ints(counts)
    total, whole_sum = 1 << precision, int(counts.sum())
    scaled = counts * total
    whole = scaled // whole_sum
    frequencies = np.maximum(whole, counts > 0)
    missing = total - int(frequencies.sum())
    if missing > 0:
        remainder = np.where(whole == 0, -1, scaled - whole * whole_sum)
        frequencies[np.argsort(-remainder, kind="stable")[:missing]] += 1
    elif missing < 0:
        spare = np.maximum(frequencies - 1, 0)
        frequencies = frequencies - spare * -missing // int(spare.sum())
        over = int(frequencies.sum()) - total
        frequencies[np.argsort(-frequencies, kind="stable")[:over]] -= 1
    return frequencies


def encode_lane(frequencies: Array, starts: Array, precision: int) -> bytes:
    """Single-lane rANS: each symbol with its own frequency and start.

    The state is kept in 2^32 .. 2^48 - 1 and begins at 1: the decoder asks for no word behind the
    end. It is written in as few bytes as hold it; where words follow these are 5 or 6, and the
    parity of the whole length says which.
    """
    words: list[int] = []
    x = 1
    for f, start in zip(frequencies.tolist()[::-1], starts.tolist()[::-1], strict=True):
        while x >= f << (48 - precision):
            words.append(x & 65535)
            x >>= 16
        x = (x // f << precision) + x % f + start
    least = 5 if words else 0
    state = x.to_bytes(max(least, -(-x.bit_length() // 8)), "little")
    return state + word_bytes(np.array(words[::-1], np.int64))


class Coder:
    """The decoder of a rANS stream: states of its lanes, words, and how many were read."""

    def __init__(self, data: bytes, lanes: int) -> None:
        if lanes > 1:
            self.state, position = read_states(data, 0, lanes)
        else:
            position = min(len(data), 6 - (len(data) % 2 if len(data) > 6 else 0))
            self.state = np.array([int.from_bytes(data[:position], "little")])
        if (len(data) - position) % 2:
            damaged("a coded stream has half a word")
        self.words = byte_words(data[position:])
        self.position = 0

    def refill(self, x: Array) -> Array:
        """Give words to the states below 2^16, in the order of the lanes."""
        low = np.flatnonzero(x < 65536)
        if self.position + low.size > self.words.size:
            damaged("a coded stream ends too early")
        x[low] = x[low] << 16 | self.words[self.position : self.position + low.size]
        self.position += low.size
        return x

    def single(self, frequency: int) -> int:
        """Decode a decision on a single lane; a 1 has the probability frequency / 65536."""
        above, low = divmod(int(self.state[0]), 65536)
        bit = low < frequency
        x = frequency * above + low if bit else (65536 - frequency) * above + low - frequency
        self.state[0] = self.refill_alone(x)
        return int(bit)

    def refill_alone(self, x: int) -> int:
        """Give words to the state of a single lane, as far as there are any."""
        while x < 1 << 32 and self.position < self.words.size:
            x = x << 16 | int(self.words[self.position])
            self.position += 1
        return x


def write_states(states: Array) -> bytes:
    """Write final states in 2^16 .. 2^32 - 1: digits of the high halves, these, the low halves."""
    high = states >> 16
    digits = np.frexp(high.astype(float))[1].astype(np.int64) - 1
    low = word_bytes(states & 65535)
    return pack_bits(digits, 4) + pack_bits(high - (1 << digits), digits) + low


def read_states(data: bytes, position: int, lanes: int) -> tuple[Array, int]:
    """Read what `write_states` wrote; returns the states and the place behind them."""
    part, position = take(data, position, lanes // 2)
    digits = unpack_bits(part, 4, lanes)
    part, position = take(data, position, -(-int(digits.sum()) // 8))
    high = (1 << digits) + unpack_bits(part, digits)
    part, position = take(data, position, 2 * lanes)
    return high << 16 | byte_words(part), position


def rans_encode(symbols: object, frequencies: Array, precision: int, lanes: int) -> bytes:
    """Code symbols with rANS and a static model, on one lane or on several side by side.

    With several, the last symbols are coded first, on fewer lanes; the words of that stream are
    what the states begin with.
    """
    symbols = ints(symbols)
    starts = np.cumsum(frequencies) - frequencies
    if lanes == 1:
        return encode_lane(frequencies[symbols], starts[symbols], precision)
    count = symbols.size
    clipped = np.clip(frequencies << 15 >> precision, 1, 32767)
    bits = int((context_tables().price[clipped - 1] * frequencies).sum()) / 2**precision
    tail = min(count, int(np.ceil((16 * lanes + 64) * 4608 / max(bits, 1))))
    tail += (count - tail) % lanes
    tail_bytes = rans_encode(symbols[count - tail :], frequencies, precision, max(1, lanes // 64))
    x = 65536 + byte_words(tail_bytes[: 2 * lanes].ljust(2 * lanes, b"\0"))
    words: list[Array] = []
    for s in symbols[: count - tail].reshape(-1, lanes)[::-1]:
        f = frequencies[s]
        out = x >= f << (32 - precision)
        words.append(x[out] & 65535)
        x = np.where(out, x >> 16, x)
        x = x // f * ((1 << precision) - f) + x + starts[s]
    body = word_bytes(np.concatenate([np.zeros(0, np.int64), *words[::-1]]))
    head = write_varint(tail) + write_varint(len(tail_bytes))
    return head + write_states(x) + body + tail_bytes[2 * lanes :]


def rans_decode(data: bytes, count: int, frequencies: Array, precision: int, lanes: int) -> Array:
    """Read what `rans_encode` wrote."""
    owner = np.repeat(np.arange(frequencies.size), frequencies)
    factor = frequencies[owner]
    offset = np.arange(1 << precision) - (np.cumsum(frequencies) - frequencies)[owner]
    mask = (1 << precision) - 1

    if lanes == 1:
        coder = Coder(data, 1)
        state = int(coder.state[0])
        slots = np.zeros(count, np.int64)
        for k in range(count):
            place = slots[k] = state & mask
            grown = (state >> precision) * int(factor[place]) + int(offset[place])
            state = coder.refill_alone(grown)
        return owner[slots]

    tail, position = read_varint(data, 0)
    tail_size, position = read_varint(data, position)
    states, position = read_states(data, position, lanes)
    rest = max(0, tail_size - 2 * lanes)
    body = len(data) - rest - position
    if tail > count or (count - tail) % lanes or body < 0 or body % 2:
        damaged("the lengths in a coded stream do not agree")
    coder = Coder(b"", 1)
    coder.words = byte_words(data[position : position + body])
    table = np.zeros(((count - tail) // lanes, lanes), np.int64)
    for row in table:
        slot = states & mask
        row[:] = owner[slot]
        states = coder.refill((states >> precision) * factor[slot] + offset[slot])
    tail_bytes = (word_bytes(states - 65536) + data[len(data) - rest :])[:tail_size]
    last = rans_decode(tail_bytes, tail, frequencies, precision, max(1, lanes // 64))
    return np.concatenate([table.ravel(), last])


# --- symbols with their model ----------------------------------------------------------------


def encode_symbols(symbols: object, alphabet: int, method: str) -> bytes:
    """Code symbols together with the static model that decodes them.

    Parameters
    ----------
    symbols : array
        0 to alphabet - 1.
    alphabet : int
        1 to 65536.
    method : str
        ``none``: bits of equal width; ``huffman``; ``rans``; ``auto``: the smallest.

    Returns
    -------
    bytes
        The first is 16 h + m. h up to 12: rANS on 2^h lanes, frequencies with m bits behind the
        first; 13: Huffman; 14: packed bits.
    """
    symbols = ints(symbols)
    if symbols.size == 0 or alphabet == 1:
        return b""
    counts = np.bincount(symbols, minlength=alphabet)
    width = (alphabet - 1).bit_length()
    if method == "none":
        return _in_bits(symbols, width)
    if method == "huffman":
        return _in_huffman(symbols, counts)
    data = _in_rans(symbols, counts)
    if method == "auto":
        if symbols.size <= 65536:
            other = _in_huffman(symbols, counts)
            data = other if len(other) < len(data) else data
        if 1 + -(-symbols.size * width // 8) < len(data):
            data = _in_bits(symbols, width)
    return data


def _in_bits(symbols: Array, width: int) -> bytes:
    return bytes([224]) + pack_bits(symbols, width)


def _in_huffman(symbols: Array, counts: Array) -> bytes:
    lengths = huffman_lengths(counts, 15 if counts.size <= 256 else 16)
    return bytes([208]) + write_levels(lengths) + huffman_encode(symbols, lengths)


def _in_rans(symbols: Array, counts: Array) -> bytes:
    behind = min(12, max(0, (symbols.size.bit_length() - 1) // 2 - 3))
    precision = 13 if counts.size <= 1024 else 16
    frequencies = normalize_counts(counts, precision)
    levels = np.frexp(frequencies.astype(float))[1].astype(np.int64)
    used = frequencies > 0
    level = levels[used] - 1
    widths = np.minimum(behind, level)
    fractions = (frequencies[used] - (1 << level)) >> (level - widths)
    frequencies = widen_frequencies(levels, fractions, behind, precision)
    clipped = np.clip(frequencies[used] << 15 >> precision, 1, 32767)
    bits = int((counts[used] * context_tables().price[clipped - 1]).sum()) / 4096
    exponent = int(np.frexp(max(1, bits / 4096, symbols.size / 4096))[1]) - 1
    exponent = 0 if symbols.size <= 8192 else min(12, exponent)
    head = bytes([16 * exponent + behind]) + write_levels(levels) + pack_bits(fractions, widths)
    return head + rans_encode(symbols, frequencies, precision, 1 << exponent)


def widen_frequencies(levels: Array, fractions: Array, behind: int, precision: int) -> Array:
    """Return frequencies from their number of digits and the digits that follow the first."""
    used = levels > 0
    level = levels[used] - 1
    kept = np.minimum(behind, level)
    coarse = np.zeros(levels.size, np.int64)
    coarse[used] = ((1 << kept) + fractions) << (level - kept)
    return normalize_counts(coarse, precision)


def write_levels(levels: Array) -> bytes:
    """Write the small numbers that describe a static model: four bits each, or coded where long."""
    if levels.size <= 256:
        return pack_bits(levels, 4)
    data = encode_symbols(levels, 18, "auto")
    return write_varint(len(data)) + data


def read_levels(data: bytes, position: int, count: int) -> tuple[Array, int]:
    """Read what `write_levels` wrote; returns the numbers and the place behind them."""
    fault = "the model of a coded stream is cut off"
    if count <= 256:
        part, position = take(data, position, -(-count // 2), fault)
        return unpack_bits(part, 4, count), position
    length, position = read_varint(data, position)
    part, position = take(data, position, length, fault)
    return decode_symbols(part, count, 18), position


def decode_symbols(data: bytes, count: int, alphabet: int) -> Array:
    """Read what `encode_symbols` wrote."""
    if count == 0 or alphabet == 1:
        return np.zeros(count, np.int64)
    if not data:
        damaged("a coded stream is empty")
    kind, behind = divmod(data[0], 16)
    if kind == 14:
        symbols = unpack_bits(data[1:], (alphabet - 1).bit_length(), count)
    elif kind == 13:
        lengths, position = read_levels(data, 1, alphabet)
        if lengths.max() > 16:
            damaged("a code of a stream is too long")
        symbols = huffman_decode(data[position:], count, lengths)
    elif kind <= 12:
        precision = 13 if alphabet <= 1024 else 16
        levels, position = read_levels(data, 1, alphabet)
        used = levels > 0
        if not used.any() or levels.max() > precision + 1 or used.sum() > 1 << precision:
            damaged("the frequencies of a stream cannot be")
        widths = np.minimum(behind, levels[used] - 1)
        fault = "the model of a coded stream is cut off"
        part, position = take(data, position, -(-int(widths.sum()) // 8), fault)
        frequencies = widen_frequencies(levels, unpack_bits(part, widths), behind, precision)
        symbols = rans_decode(data[position:], count, frequencies, precision, 1 << kind)
    else:
        damaged("a coded stream is of an unknown kind")
    if (symbols >= alphabet).any():
        damaged("a coded stream has a symbol that cannot be")
    return symbols
