"""The adaptive context coder: the reference of ``+octcompress/+coding/context_*.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .coding_bits import (
    damaged,
    pack_bits,
    read_varint,
    take,
    unpack_bits,
    word_bytes,
    write_varint,
)
from .coding_streams import Coder, context_tables, encode_lane, write_states
from .internal import Array


@dataclass(frozen=True)
class Frame:
    """How a matrix is walked: the sizes, and what the first bytes of its stream say.

    stride is 0 or the lines between two rows of a picture; chunk is how many entries' zeros are
    modelled at once; top is the largest bucket.
    """

    lanes: int
    lines: int
    stride: int
    chunk: int
    top: int
    turned: bool = False


@dataclass
class Decisions:
    """Binary decisions in order, the probability of a 1 of each in 1/32768, and their groups."""

    bits: Array
    frequencies: Array
    groups: list[int]

    def price(self) -> int:
        """Estimate the size in 1/4096 bit."""
        taken = np.where(self.bits == 0, 32768 - self.frequencies, self.frequencies)
        return int(context_tables().price[taken - 1].sum())


def context_pass(
    buckets: Array | None, frame: Frame, coder: Coder | None = None
) -> tuple[Array, Decisions]:
    """Walk over an integer matrix with the adaptive model, coding or decoding.

    Parameters
    ----------
    buckets : array, lanes x lines
        Sign times bucket of the magnitude, -31..31; None to decode.
    frame : Frame
    coder : Coder
        Where the decisions come from when decoding.

    Returns
    -------
    buckets : array
    decisions : Decisions
        Empty when decoding.

    Notes
    -----
    Line by line: of each entry, is it zero; of those that are not, the signs; of these, which
    buckets exceed 1; and so on. Five counts of ones predict each decision (of its lane, its line,
    two contexts of the neighbours, and overall); a logistic mixture learns their weights
    (Mahoney 2005). All numbers are whole.
    """
    table = context_tables()
    kinds = frame.top + 1
    decoding = coder is not None
    known = np.zeros((frame.lanes, frame.lines), np.int64) if buckets is None else buckets
    before = max(2 * frame.stride, 3)
    history = np.zeros((before + frame.lines, frame.lanes), np.int64)
    line_counts = np.zeros((before + frame.lines, kinds, 2), np.int64)
    lane_counts = np.zeros((2, kinds, frame.lanes), np.int64)  # ones, all
    context_counts = np.zeros((2, kinds, 156), np.int64)
    total = np.zeros((kinds, 2), np.int64)
    weights = np.full((kinds, 5), 13107)
    strength = np.array([8, 3, 3])[:, np.newaxis]
    chunks = -(-frame.lanes // frame.chunk)
    done: list[Array] = []
    expected: list[Array] = []

    for line in range(frame.lines):
        o = before + line
        size_context, sign_context, past = look_back(history, line_counts, o, frame.stride)
        here = line_counts[o]
        index = bit = np.zeros(0, np.int64)
        for step in range(chunks + kinds - 1):
            kind = max(0, step - chunks + 1)
            if kind == 0:
                first = step * frame.chunk
                index = np.arange(first, min(first + frame.chunk, frame.lanes))
            elif kind == 1:
                index = np.flatnonzero(known[:, line])
            elif kind > 2:
                index = index[bit > 0]
            if index.size == 0:
                break
            context = (sign_context if kind == 1 else size_context)[:, index]
            overall = (65536 * total[kind, 0] + 32768) // (total[kind, 1] + 1)
            overall = min(max(int(overall), 1), 65535)
            of_line = (65536 * past[kind, 0] + 2 * overall) // (past[kind, 1] + 2)
            of_line = (65536 * here[kind, 0] + 8 * of_line) // (here[kind, 1] + 8)
            of_lane = lane_counts[:, kind][:, np.newaxis, index]
            of_context = context_counts[:, kind][:, context]
            ones, trials = np.concatenate([of_lane, of_context], axis=1)
            inputs = np.empty((5, index.size), np.int64)
            inputs[:3] = table.stretch[
                (262144 * ones + overall * strength) // (4 * trials + strength)
            ]
            inputs[3:] = table.stretch[[[of_line], [overall]]]
            x = weights[kind] @ inputs >> 16
            frequency = table.squash[np.clip(x, -3072, 3072) + 3072]

            if coder is not None:
                bit = decode_bits(frequency, coder)
                value = known[index, line]
                known[index, line] = (bit, 2 * bit - 1, value + bit * np.sign(value))[min(kind, 2)]
            else:
                value = known[index, line]
                bit = (value > 0 if kind == 1 else abs(value) >= max(kind, 1)).astype(np.int64)
                done.append(bit)
                expected.append(frequency)

            rate = max(65536, 1024 * index.size)
            weights[kind] += (inputs @ (32768 * bit - frequency) + rate // 2) // rate
            lane_counts[:, kind][:, index] += [bit, np.ones_like(bit)]
            for row in context:
                context_counts[0, kind] += np.bincount(row[bit > 0], minlength=156)
                context_counts[1, kind] += np.bincount(row, minlength=156)
            seen = [int(bit.sum()), index.size]
            here[kind] += seen
            total[kind] += seen
        history[o] = known[:, line]

    if decoding or not done:
        return known, Decisions(np.zeros(0, np.int64), np.zeros(0, np.int64), [])
    groups = [part.size for part in done]
    return known, Decisions(np.concatenate(done), np.concatenate(expected), groups)


def look_back(
    history: Array, line_counts: Array, o: int, stride: int
) -> tuple[Array, Array, Array]:
    """Contexts of size and of sign for each lane, and the counts of the lines nearby."""
    level = context_tables().level
    v1, v2 = history[o - 1], history[o - 2]
    if stride:
        u1, u2 = history[o - stride], history[o - 2 * stride]
        left, right = history[o - stride - 1], history[o - stride + 1]
        near = abs(v1) + abs(u1)
        far = abs(v2) + abs(u2) + abs(left) + abs(right)
        guess = 2 * (v1 + u1) + right - left
        other = v2 + u2 + left + right
        past = 2 * (line_counts[o - 1] + line_counts[o - stride])
        past = past + line_counts[o - stride - 1] + line_counts[o - stride + 1]
    else:
        v3 = history[o - 3]
        near = abs(v1)
        far = abs(v2) + abs(v3)
        guess = 2 * v1 + v2
        other = v2 + v3
        past = 2 * line_counts[o - 1] + line_counts[o - 2] + line_counts[o - 3]
    guess_level = level[np.minimum(abs(guess), 60)]
    other_level = level[np.minimum(abs(other), 60)]
    size_context = np.stack(
        [12 * level[np.minimum(near, 60)] + level[np.minimum(far, 60)], guess_level + 144]
    )
    sign_context = np.stack(
        [
            np.sign(guess) * np.minimum(guess_level, 6) + 6,
            np.sign(other) * np.minimum(other_level, 4) + 23,
        ]
    )
    return size_context, sign_context, past


def run_outcomes(frequencies: Array) -> Array:
    """Return where the first 1 among binary decisions may be, as bounds falling from 2^16 to 0."""
    m = frequencies.size
    none = np.cumprod(1 - frequencies / 32768)
    bounds = np.floor(none * (65535 - m)).astype(np.int64) + np.arange(m, 0, -1)
    return np.concatenate([[65536], bounds])


def encode_bits(decisions: Decisions, lanes: int) -> bytes:
    """Code groups of binary decisions; on one lane by the places of the ones."""
    stop = np.cumsum(decisions.groups)
    start = stop - decisions.groups
    if lanes == 1:
        return _encode_runs(decisions, start, stop)
    zero = decisions.bits == 0
    starts = np.where(zero, decisions.frequencies, 0)
    frequencies = np.where(zero, 32768 - decisions.frequencies, decisions.frequencies)
    x = np.full(lanes, 65536)
    words: list[Array] = []
    for begin, end in zip(start[::-1].tolist(), stop[::-1].tolist(), strict=True):
        for first in range(begin + (end - begin - 1) // lanes * lanes, begin - 1, -lanes):
            f = frequencies[first : min(first + lanes, end)]
            v = x[: f.size]
            out = v >= f << 17
            words.append(v[out] & 65535)
            v = np.where(out, v >> 16, v)
            x[: f.size] = v + v // f * (32768 - f) + starts[first : first + f.size]
    return write_states(x) + word_bytes(np.concatenate(words[::-1]))


def _encode_runs(decisions: Decisions, start: Array, stop: Array) -> bytes:
    ranges: list[tuple[int, int]] = []
    for begin, end in zip(start.tolist(), stop.tolist(), strict=True):
        f, bits = decisions.frequencies[begin:end], decisions.bits[begin:end]
        if f.sum() > 16384 * f.size:
            f, bits = 32768 - f, 1 - bits
        ones = np.flatnonzero(bits).tolist()
        done = 0
        while done < f.size:
            ahead = min(done + 256, f.size)
            bounds = [*run_outcomes(f[done:ahead]).tolist(), 0]
            place = ones.pop(0) - done if ones and ones[0] < ahead else ahead - done
            ranges.append((bounds[place], bounds[place + 1]))
            done = min(done + place + 1, ahead)
    upper, lower = np.array(ranges).T
    return encode_lane(upper - lower, lower, 16)


def decode_bits(frequencies: Array, coder: Coder) -> Array:
    """Decode the next group of binary decisions."""
    count = frequencies.size
    bits = np.zeros(count, np.int64)
    lanes = coder.state.size
    if lanes > 1:
        for first in range(0, count, lanes):
            f = frequencies[first : first + lanes]
            x = coder.state[: f.size]
            high, low = x >> 15, x & 32767
            one = low < f
            bits[first : first + f.size] = one
            x = np.where(one, f * high + low, (32768 - f) * high + low - f)
            coder.state[: f.size] = coder.refill(x)
        return bits
    flipped = frequencies.sum() > 16384 * count
    f = 32768 - frequencies if flipped else frequencies
    state = int(coder.state[0])
    done = 0
    while done < count:
        ahead = min(done + 256, count)
        bounds = run_outcomes(f[done:ahead])
        above, rest = divmod(state, 65536)
        k = int((bounds > rest).sum())
        begin = 0
        if k <= ahead - done:
            begin = int(bounds[k])
            bits[done + k - 1] = 1
        state = coder.refill_alone((int(bounds[k - 1]) - begin) * above + rest - begin)
        done = min(done + k, ahead)
    coder.state[0] = state
    return 1 - bits if flipped else bits


def context_encode(matrix: Array) -> bytes:
    """Code an integer matrix with the adaptive context model.

    Parameters
    ----------
    matrix : array, rows x columns
        Whole numbers with magnitudes up to 49152; not all zero, not empty.

    Returns
    -------
    bytes
        The orientation, and the picture that is seen in the lines, are those of the smallest
        estimated size.
    """
    table = context_tables()
    sizes = abs(matrix)
    buckets = np.searchsorted(table.floor, sizes, side="right") - 1
    top = int(buckets.max())
    coded = buckets.ravel(order="F")[sizes.ravel(order="F") > 0]
    places = sizes.ravel(order="F")[sizes.ravel(order="F") > 0] - table.floor[coded]
    buckets = buckets * np.sign(matrix)

    n = matrix.size
    digits = n.bit_length()
    chunk = 1 << (4 + 2 * (n > 32768))
    if n > 1 << 19:
        chunk = 1 << min(12, digits - 14)
    trial_chunk = max(chunk, min(256, (1 << digits) // 256))

    best: tuple[int, Frame] | None = None
    for turned in (False, True):
        lines = buckets.T if turned else buckets
        part = middle(lines)
        for stride in [0, *picture(lines)]:
            frame = Frame(lines.shape[0], lines.shape[1], stride, chunk, top, turned)
            trial = replace(frame, lines=part.shape[1], chunk=trial_chunk)
            price = context_pass(part, trial)[1].price()
            if best is None or price < best[0]:
                best = (price, frame)
    assert best is not None
    frame = best[1]

    decisions = context_pass(buckets.T if frame.turned else buckets, frame)[1]
    lanes = int(np.frexp(decisions.price() / (8 * 4096 * 2048))[1])
    lanes = min(lanes, chunk.bit_length()) - 1
    lanes = 0 if lanes < 3 else lanes
    data = bytes([16 * lanes + chunk.bit_length() - 1, 32 * frame.turned + top])
    data += write_varint(frame.stride)
    if top > 4:
        packed = pack_bits(places, table.extra[coded])
        data += write_varint(len(packed)) + packed
    return data + encode_bits(decisions, 1 << lanes)


def middle(lines: Array) -> Array:
    """Return the lines in the middle, about 2^19 entries."""
    count = max(1, -(-(1 << 19) // lines.shape[0]))
    first = max(0, (lines.shape[1] - count) // 2)
    return lines[:, first : first + count]


def picture(lines: Array) -> list[int]:
    """Return the distance of two lines at which the signs agree more than at those beside it."""
    signs = np.sign(middle(lines))
    count = min(66, signs.shape[1] // 2)
    agree = np.array([(signs[:, :-k] * signs[:, k:]).sum() for k in range(1, count + 1)])
    if count < 3:
        return []
    peaks = 2 * agree[1:-1] - agree[:-2] - agree[2:]
    return [int(peaks.argmax()) + 2] if peaks.max() > 0 else []


def context_decode(data: bytes, rows: int, columns: int) -> Array:
    """Read what `context_encode` wrote."""
    if len(data) < 3:
        damaged("a coded stream ends too early")
    lanes, chunk = divmod(data[0], 16)
    turned, top = divmod(data[1], 32)
    stride, position = read_varint(data, 2)
    shape = (columns, rows) if turned else (rows, columns)
    if lanes > 12 or turned > 1 or top == 0 or stride == 1 or stride > shape[1]:
        damaged("the head of a coded stream cannot be")
    packed = b""
    if top > 4:
        count, position = read_varint(data, position)
        packed, position = take(data, position, count)
    coder = Coder(data[position:], 1 << lanes)
    frame = Frame(shape[0], shape[1], stride, 1 << chunk, top)
    buckets = context_pass(None, frame, coder)[0]
    if turned:
        buckets = buckets.T
    table = context_tables()
    sizes = abs(buckets).ravel(order="F")
    values = table.floor[sizes]
    values[sizes > 0] += unpack_bits(packed, table.extra[sizes[sizes > 0]])
    return values.reshape((rows, columns), order="F") * np.sign(buckets)
