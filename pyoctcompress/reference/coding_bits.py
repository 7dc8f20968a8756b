"""Packed bits, numbers of few bytes, Huffman codes and gaps: the smallest parts of coding.

The reference of functions of ``+octcompress/+coding``, with the same names. Streams are identical
to Octave's to the byte; ``docs/packed-format.md`` describes them. Bytes are ``bytes``, numbers are
NumPy arrays of int64.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import zlib
from typing import NoReturn

import numpy as np

from .internal import Array, fail


def damaged(message: str) -> NoReturn:
    """Raise the error of a stream that cannot be decoded."""
    fail("nn_unpack", "damaged", message)


def ints(values: object) -> Array:
    """Make values whole numbers in one row, in MATLAB's order."""
    return np.asarray(values).ravel(order="F").astype(np.int64)


def crc32(data: bytes) -> int:
    """Return the CRC-32 of bytes, as in zip, PNG and Ethernet."""
    return zlib.crc32(data)


def pack_bits(values: object, widths: object) -> bytes:
    """Write unsigned integers without gaps between their bits, the highest bit first.

    Parameters
    ----------
    values : array of n
        0 to 2^width - 1.
    widths : int or array of n
        Bits of each, 0 to 16.
    """
    numbers = ints(values)
    wide = np.broadcast_to(ints(widths), numbers.shape)
    bits = (numbers[:, np.newaxis] >> np.arange(15, -1, -1)) & 1
    kept = np.arange(16) >= 16 - wide[:, np.newaxis]
    return np.packbits(bits[kept].astype(np.uint8)).tobytes()


def unpack_bits(data: bytes, widths: object, count: int | None = None) -> Array:
    """Read what `pack_bits` wrote: `count` numbers of one width, or one for each width."""
    wide = ints(widths) if count is None else np.repeat(ints(widths), count)
    needed = int(wide.sum())
    if needed > 8 * len(data):
        damaged("a stream of packed bits ends too early")
    kept = np.arange(16) >= 16 - wide[:, np.newaxis]
    table = np.zeros((wide.size, 16), np.int64)
    table[kept] = np.unpackbits(np.frombuffer(data, np.uint8), count=needed)
    return table @ (1 << np.arange(15, -1, -1))


def write_varint(value: int) -> bytes:
    """Write a whole number, seven bits a byte, the lowest first (LEB128)."""
    parts = bytearray()
    value = int(value)
    while value >= 128:
        parts.append(value % 128 + 128)
        value //= 128
    parts.append(value)
    return bytes(parts)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Read a number that `write_varint` wrote; returns it and the place behind it."""
    value = 0
    for k in range(8):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value += byte % 128 << 7 * k
        if byte < 128:
            if value >= 2**53:
                break
            return value, position
    damaged("a number in a header is cut off or too large")


def take(
    data: bytes, position: int, count: int, fault: str = "a coded stream ends too early"
) -> tuple[bytes, int]:
    """Take so many bytes; returns them and the place behind."""
    if position + count > len(data):
        damaged(fault)
    return data[position : position + count], position + count


def word_bytes(words: Array) -> bytes:
    """Words of 16 bits as bytes, the low byte first."""
    return words.astype("<u2").tobytes()


def byte_words(data: bytes) -> Array:
    """Bytes as words of 16 bits, the low byte first."""
    return np.frombuffer(data, "<u2").astype(np.int64)


# --- Huffman ---------------------------------------------------------------------------------


def huffman_lengths(counts: object, limit: int) -> Array:
    """Lengths of the best prefix code with none above a limit: the package-merge algorithm.

    Of equal weights symbols come before packages, and symbols in their own order.
    """
    counts = ints(counts)
    lengths = np.zeros(counts.size, np.int64)
    used = np.flatnonzero(counts)
    n = used.size
    if n == 1:
        lengths[used] = 1
    if n < 2:
        return lengths
    order = np.argsort(counts[used], kind="stable")
    weights = merged = counts[used][order]
    is_leaf = [np.ones(n, bool)]
    for _ in range(1, limit):
        pairs = merged.size // 2
        packages = merged[: 2 * pairs].reshape(pairs, 2).sum(1)
        both = np.concatenate([weights, packages])
        place = np.argsort(both, kind="stable")
        merged = both[place]
        is_leaf.append(place < n)
    taken = 2 * n - 2
    depth = np.zeros(n, np.int64)
    for leaves in reversed(is_leaf):
        count = int(leaves[:taken].sum())
        depth[:count] += 1
        taken = 2 * (taken - count)
    lengths[used[order]] = depth
    return lengths


def huffman_codes(lengths: object) -> Array:
    """Codes of the canonical prefix code of given lengths, as numbers."""
    lengths = ints(lengths)
    codes = np.zeros(lengths.size, np.int64)
    used = np.flatnonzero(lengths)
    order = used[np.argsort(lengths[used], kind="stable")]
    place = np.cumsum(65536 >> lengths[order])
    codes[order] = (place - (65536 >> lengths[order])) >> (16 - lengths[order])
    return codes


def huffman_encode(symbols: object, lengths: object) -> bytes:
    """Write symbols in a canonical prefix code; above 4096 of them in blocks of 2048."""
    symbols, lengths = ints(symbols), ints(lengths)
    widths = lengths[symbols]
    data = pack_bits(huffman_codes(lengths)[symbols], widths)
    if symbols.size > 4096:
        data = word_bytes(np.add.reduceat(widths, np.arange(0, symbols.size, 2048))) + data
    return data


def huffman_decode(data: bytes, count: int, lengths: object) -> Array:
    """Read what `huffman_encode` wrote, all blocks side by side."""
    lengths = ints(lengths)
    if count == 0:
        return np.zeros(0, np.int64)
    used = np.flatnonzero(lengths)
    if used.size == 0 or (65536 >> lengths[used]).sum() > 65536:
        damaged("the code lengths of a stream make no prefix code")
    width = int(lengths.max())
    order = used[np.argsort(lengths[used], kind="stable")]
    owner = np.repeat(order, 1 << (width - lengths[order]))
    owner = np.concatenate([owner, np.full((1 << width) - owner.size, order[-1])])
    blocks, rounds = (-(-count // 2048), 2048) if count > 4096 else (1, count)
    position = np.zeros(1, np.int64)
    if blocks > 1:
        if len(data) < 2 * blocks:
            damaged("a Huffman stream ends too early")
        bits = byte_words(data[: 2 * blocks])
        data = data[2 * blocks :]
        position = np.cumsum(bits) - bits
    limit = 8 * len(data)
    if position[-1] > limit:
        damaged("a Huffman stream ends too early")
    there = np.frombuffer(data + bytes(4), np.uint8).astype(np.int64)
    window = there[:-2] << 16 | there[1:-1] << 8 | there[2:]
    table = np.zeros((blocks, rounds), np.int64)
    last = rounds - (blocks * rounds - count)
    for k in range(rounds):
        if k == last:
            position = position[:-1]
        slot = window[position >> 3] >> (24 - width - (position & 7)) & ((1 << width) - 1)
        table[: slot.size, k] = owner[slot]
        position = np.minimum(position + lengths[owner[slot]], limit)
    return table.ravel()[:count]


def relative_encode(values: object, bits: int) -> tuple[Array, Array]:
    """Sparse values as the gaps between them, with fillers of zero (Deep Compression, sec. 2).

    Returns
    -------
    gaps, entries : arrays of n
        How many zeros stand before each entry, below 2^bits; the entries.
    """
    values = ints(values)
    place = np.flatnonzero(values)
    before = np.diff(place, prepend=-1) - 1
    most = 1 << bits
    fillers = before // most
    last = np.cumsum(fillers + 1) - 1
    count = place.size + int(fillers.sum())
    gaps = np.full(count, most - 1)
    gaps[last] = before - most * fillers
    entries = np.zeros(count, np.int64)
    entries[last] = values[place]
    return gaps, entries


def relative_decode(gaps: object, entries: object, count: int) -> Array:
    """Return the values that `relative_encode` was given, in one row."""
    place = np.cumsum(ints(gaps) + 1) - 1
    if place.size and place[-1] >= count:
        damaged("the gaps of a sparse array lead out of it")
    values = np.zeros(count, np.int64)
    values[place] = ints(entries)
    return values
