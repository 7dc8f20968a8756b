"""The adaptive context coder: the reference of ``+octcompress/+coding/context_*.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable
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
    """How a matrix is walked.

    stride is 0 or the lines between two rows of a picture; top is the largest bucket; alone is
    whether one lane of rANS codes all, so that an entry may know of those before it in its line.
    """

    lanes: int
    lines: int
    stride: int
    top: int
    alone: bool
    turned: bool = False


@dataclass(frozen=True)
class Group:
    """Decisions coded side by side: how many, and how a single lane looks for the next 1."""

    count: int
    flipped: bool  # it looks for zeros
    window: int  # so far ahead; 0: it takes one decision after the other


@dataclass
class Decisions:
    """Binary decisions in order, the probability of a 1 of each in 1/32768, and their groups."""

    bits: Array
    frequencies: Array
    groups: list[Group]

    def price(self) -> int:
        """Estimate the size in 1/4096 bit."""
        taken = np.where(self.bits == 0, 32768 - self.frequencies, self.frequencies)
        return int(context_tables().price[taken - 1].sum())


# For a decision on zero, on the sign, on a bucket: the weights of lane, two contexts, line and
# overall count at the beginning; how much these lean on the overall count; how slowly they learn.
_WEIGHTS = (
    (45875, 19661, 6554, 45875, -39322),
    (13107, 19661, 13107, 6554, 6554),
    (19661, 13107, 13107, 13107, 0),
)
_LEAN = np.array([[16, 8, 8], [8, 8, 8], [8, 8, 8]])[:, :, np.newaxis]
_RATE = (131072, 32768, 65536)
# Up to this share of ones, in 1/32768, is it worth the time to know those before in the line.
_GROWING = 12288


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
    stretch = context_tables().stretch
    kinds = frame.top + 1
    known = np.zeros((frame.lanes, frame.lines), np.int64) if buckets is None else buckets
    before = max(2 * frame.stride, 3)
    history = np.zeros((before + frame.lines, frame.lanes), np.int64)
    line_counts = np.zeros((before + frame.lines, kinds, 2), np.int64)
    lane_counts = np.zeros((2, kinds, frame.lanes), np.int64)  # ones, all
    context_counts = np.zeros((2, kinds, 156), np.int64)
    total = np.zeros((kinds, 2), np.int64)
    weights = np.array([_WEIGHTS[min(kind, 2)] for kind in range(kinds)])
    done: list[tuple[Array, Array, Group]] = []

    for line in range(frame.lines):
        o = before + line
        size_context, sign_context, past = look_back(history, line_counts, o, frame.stride)
        index = bit = np.arange(frame.lanes)
        for kind in range(kinds):
            model = min(kind, 2)
            if kind == 1:
                index = np.flatnonzero(known[:, line])
            elif kind > 2:
                index = index[bit > 0]
            if index.size == 0:
                break
            context = (sign_context if kind == 1 else size_context)[:, index]
            ones, trials = total[kind].tolist()
            overall = (65536 * ones + (32768 if kind else 3277)) // (trials + 1)
            overall = min(max(overall, 1), 65535)
            trust = 2 if kind else 20
            of_line = int((65536 * past[kind, 0] + trust * overall) // (past[kind, 1] + trust))
            of_lane = lane_counts[:, kind][:, np.newaxis, index]
            of_context = context_counts[:, kind][:, context]
            ones, trials = np.concatenate([of_lane, of_context], axis=1)
            shares = (262144 * ones + overall * _LEAN[model]) // (4 * trials + _LEAN[model])
            inputs = np.empty((5, index.size), np.int64)
            inputs[:3] = stretch[shares]
            inputs[3] = stretch[min(of_line, 65535)]
            inputs[4] = stretch[overall]
            growing = None
            if kind == 0 and frame.alone and group_of(1, of_line // 2, _GROWING).window:
                growing = Growing(of_line, 24 if frame.stride else 10)

            value = known[index, line]
            if coder is None:
                bit = (value > 0 if kind == 1 else abs(value) >= max(kind, 1)).astype(np.int64)
            else:
                bit = coder_bits(weights[kind], inputs, growing, coder)
                known[index, line] = (bit, 2 * bit - 1, value + bit * np.sign(value))[model]
            if growing is not None:
                inputs[3] = growing.inputs(0, np.cumsum(bit) - bit)
            frequency = squash(weights[kind] @ inputs)
            if coder is None:
                group = group_of(index.size, int(frequency.sum()) // index.size)
                if growing is not None:
                    group = group_of(index.size, of_line // 2, _GROWING)
                done.append((bit, frequency, group))

            spread = int((frequency * (32768 - frequency)).sum()) >> 20
            rate = max(_RATE[model], _RATE[model] * spread >> 14)
            weights[kind] += (inputs @ (32768 * bit - frequency) + rate // 2) // rate
            lane_counts[:, kind][:, index] += [bit, np.ones_like(bit)]
            for row in context:
                context_counts[0, kind] += np.bincount(row[bit > 0], minlength=156)
                context_counts[1, kind] += np.bincount(row, minlength=156)
            line_counts[o, kind] = [bit.sum(), index.size]
            total[kind] += line_counts[o, kind]
        history[o] = known[:, line]

    if not done:
        return known, Decisions(np.zeros(0, np.int64), np.zeros(0, np.int64), [])
    bits, frequencies, groups = zip(*done, strict=True)
    return known, Decisions(np.concatenate(bits), np.concatenate(frequencies), list(groups))


@dataclass(frozen=True)
class Growing:
    """What an entry knows of its line, growing with it: the ones before it, and the lines nearby.

    share is that of the lines nearby, in 1/65536, and weighs as much as so many entries.
    """

    share: int
    weight: int

    def inputs(self, first: int, before: Array) -> Array:
        """Return the inputs of the entries from `first` on, with so many ones before each."""
        trials = np.arange(first, first + before.size)
        shares = (65536 * before + self.weight * self.share) // (trials + self.weight)
        return context_tables().stretch[np.minimum(shares, 65535)]


def squash(mixed: Array) -> Array:
    """Turn a mixture into probabilities in 1/32768."""
    return context_tables().squash[np.clip(mixed >> 16, -3072, 3072) + 3072]


def group_of(count: int, mean: int, most: int = 4096) -> Group:
    """Choose how a single lane takes decisions of this mean probability, in 1/32768.

    It looks ahead where ones, or zeros, have a probability of at most `most`.
    """
    flipped = mean > 16384
    rare = max(32768 - mean if flipped else mean, 1)
    return Group(count, flipped, min(512, (1 << 19) // rare) if rare <= most else 0)


def coder_bits(weights: Array, inputs: Array, growing: Growing | None, coder: Coder) -> Array:
    """Decode the next group of decisions."""
    mixed = weights @ inputs
    frequency = squash(mixed)
    if growing is None:
        return decode_bits(frequency, coder)
    group = group_of(mixed.size, growing.share // 2, _GROWING)
    mixed = mixed - weights[3] * inputs[3]

    def ahead(first: int, last: int, ones: int) -> Array:
        before = ones + np.arange(last - first) * group.flipped
        return squash(mixed[first:last] + weights[3] * growing.inputs(first, before))

    return decode_runs(group, ahead, coder)


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


def run_outcomes(frequencies: Array, window: int) -> Array:
    """Return where the first 1 among `window` decisions may be, as bounds falling from 2^16.

    Only those of the first ones are returned where there are fewer frequencies.
    """
    none = np.cumprod(1 - frequencies / 32768)
    places = np.arange(window, window - frequencies.size, -1)
    bounds = np.floor(none * (65535 - window)).astype(np.int64) + places
    return np.concatenate([[65536], bounds])


def encode_bits(decisions: Decisions, lanes: int) -> bytes:
    """Code groups of binary decisions; on one lane by the places of the ones."""
    if lanes == 1:
        return _encode_runs(decisions)
    stop = np.cumsum([group.count for group in decisions.groups])
    start = np.concatenate([[0], stop[:-1]])
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


def _encode_runs(decisions: Decisions) -> bytes:
    upper: list[int] = []
    lower: list[int] = []
    begin = 0
    for group in decisions.groups:
        f = decisions.frequencies[begin : begin + group.count]
        bits = decisions.bits[begin : begin + group.count]
        begin += group.count
        if group.window == 0:
            upper += np.where(bits > 0, 2 * f, 65536).tolist()
            lower += np.where(bits > 0, 0, 2 * f).tolist()
            continue
        if group.flipped:
            f, bits = 32768 - f, 1 - bits
        ones = np.flatnonzero(bits).tolist()
        done = 0
        while done < group.count:
            ahead = min(done + group.window, group.count)
            found = bool(ones) and ones[0] < ahead
            last = ones.pop(0) if found else ahead - 1
            bounds = run_outcomes(f[done : last + 1], ahead - done).tolist()
            upper.append(bounds[-2] if found else bounds[-1])
            lower.append(bounds[-1] if found else 0)
            done = last + 1
    tops, ends = np.array(upper), np.array(lower)
    return encode_lane(tops - ends, ends, 16)


def decode_bits(frequency: Array, coder: Coder) -> Array:
    """Decode the next group of binary decisions."""
    lanes = coder.state.size
    bits = np.zeros(frequency.size, np.int64)
    if lanes == 1:
        group = group_of(frequency.size, int(frequency.sum()) // frequency.size)
        if group.window:
            return decode_runs(group, lambda a, b, _: frequency[a:b], coder)
        return np.array([coder.single(f) for f in (2 * frequency).tolist()])
    for first in range(0, frequency.size, lanes):
        f = frequency[first : first + lanes]
        x = coder.state[: f.size]
        high, low = x >> 15, x & 32767
        one = low < f
        bits[first : first + f.size] = one
        x = np.where(one, f * high + low, (32768 - f) * high + low - f)
        coder.state[: f.size] = coder.refill(x)
    return bits


def decode_runs(group: Group, frequencies: Callable[[int, int, int], Array], coder: Coder) -> Array:
    """Decode a group on a single lane.

    frequencies (first, last, ones) are those of a part of the group behind so many ones, if only
    what is not looked for lies before each.
    """
    bits = np.full(group.count, int(group.flipped))
    state = int(coder.state[0])
    done = ones = 0
    while done < group.count:
        ahead = min(done + group.window, group.count)
        f = frequencies(done, ahead, ones)
        bounds = run_outcomes(32768 - f if group.flipped else f, ahead - done)
        above, rest = divmod(state, 65536)
        k = int((bounds > rest).sum())
        begin = 0
        if k <= ahead - done:
            begin = int(bounds[k])
            bits[done + k - 1] = not group.flipped
        last = min(done + k, ahead)
        ones += int(bits[done:last].sum())
        state = coder.refill_alone((int(bounds[k - 1]) - begin) * above + rest - begin)
        done = last
    coder.state[0] = state
    return bits


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

    # How to walk is chosen on the columns in the middle: first the lines, then the picture in them.
    # Each line takes its time, so that many short ones are not walked.
    part = middle(buckets, 1 << 16)
    frame = Frame(part.shape[0], part.shape[1], 0, top, True)
    turned = Frame(part.shape[1], part.shape[0], 0, top, True, True)
    rows, columns = matrix.shape
    best: float = math.inf
    other: float = math.inf
    if columns <= max(1024, 16 * rows):
        best = context_pass(part, frame)[1].price()
    if rows <= max(1024, 16 * columns):
        other = context_pass(part.T, turned)[1].price()
    lines = buckets
    if other < best:
        best, frame, lines, part = other, turned, buckets.T, part.T
    for stride in picture(lines):
        if stride < part.shape[1]:
            seen = replace(frame, stride=stride)
            price = context_pass(part, seen)[1].price()
            if price < best:
                best, frame = price, seen
    # One lane is the smallest; several, which are faster, cost two bytes and a half each, and do
    # without what an entry may know of its line: where most is zero that is worth twice the time.
    lanes = int(np.frexp(best * matrix.size / part.size / (8 * 4096 * 256))[1]) - 1
    lanes = 0 if lanes < 7 + (best < 4096 * part.size) else min(lanes, 12)
    frame = replace(frame, lanes=lines.shape[0], lines=lines.shape[1], alone=lanes == 0)
    decisions = context_pass(lines, frame)[1]
    head = (top if top < 4 else 0) + 4 * frame.turned + 8 * (frame.stride > 0) + 16 * lanes
    data = bytes([head])
    if top > 3:
        data += bytes([top])
    if frame.stride > 0:
        data += write_varint(frame.stride)
    if top > 4:
        packed = pack_bits(places, table.extra[coded])
        data += write_varint(len(packed)) + packed
    return data + encode_bits(decisions, 1 << lanes)


def middle(lines: Array, most: int) -> Array:
    """Return the lines in the middle, about so many entries."""
    count = max(1, -(-most // lines.shape[0]))
    first = max(0, (lines.shape[1] - count) // 2)
    return lines[:, first : first + count]


def picture(lines: Array) -> list[int]:
    """Return the distance of two lines at which the signs agree more than at those beside it."""
    signs = np.sign(middle(lines, 1 << 19))
    count = min(66, signs.shape[1] // 2)
    agree = np.array([(signs[:, :-k] * signs[:, k:]).sum() for k in range(1, count + 1)])
    if count < 3:
        return []
    peaks = 2 * agree[1:-1] - agree[:-2] - agree[2:]
    return [int(peaks.argmax()) + 2] if peaks.max() > 0 else []


def context_decode(data: bytes, rows: int, columns: int) -> Array:
    """Read what `context_encode` wrote."""
    ends = "a coded stream ends too early"
    (head,), position = take(data, 0, 1, ends)
    top, turned, strided, lanes = head % 4, head >> 2 & 1, head >> 3 & 1, head >> 4
    if top == 0:
        (top,), position = take(data, position, 1, ends)
    stride = 0
    if strided:
        stride, position = read_varint(data, position)
    shape = (columns, rows) if turned else (rows, columns)
    if (
        not (lanes == 0 or 7 <= lanes <= 12)
        or not 0 < top < 32
        or (strided and not 1 < stride <= shape[1])
    ):
        damaged("the head of a coded stream cannot be")
    packed = b""
    if top > 4:
        count, position = read_varint(data, position)
        packed, position = take(data, position, count, ends)
    coder = Coder(data[position:], 1 << lanes)
    frame = Frame(shape[0], shape[1], stride, top, lanes == 0)
    buckets = context_pass(None, frame, coder)[0]
    if turned:
        buckets = buckets.T
    table = context_tables()
    sizes = abs(buckets).ravel(order="F")
    values = table.floor[sizes]
    values[sizes > 0] += unpack_bits(packed, table.extra[sizes[sizes > 0]])
    return values.reshape((rows, columns), order="F") * np.sign(buckets)
