"""The adaptive model of bytes: the reference of ``+octcompress/+coding/text_*.m``."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, field

import numpy as np

from .coding_context import Decisions, Group, encode_bits
from .coding_streams import Coder, context_tables
from .coding_words import TYPICAL_TREES


@dataclass
class TextModel:
    """The state of the model: counts under five contexts, matches, weights, and what was seen."""

    p: list[int] = field(default_factory=lambda: [32768] * (5 << 16))
    n: list[int] = field(default_factory=lambda: [0] * (5 << 16))
    matched: list[int] = field(default_factory=lambda: [32768 + 2000 * k for k in range(16)])
    trusted: list[int] = field(default_factory=lambda: [0] * 16)
    weights: list[list[int]] = field(default_factory=lambda: [[20000] * 6 for _ in range(3)])
    last: dict[int, int] = field(default_factory=dict)
    text: list[int] = field(default_factory=list)
    matching: int = 0
    place: int = 0

    def copy(self) -> TextModel:
        """Return a state of its own."""
        twin = copy.copy(self)
        for name in ("p", "n", "matched", "trusted", "last", "text"):
            setattr(twin, name, getattr(self, name).copy())
        twin.weights = [row.copy() for row in self.weights]
        return twin


def text_pass(
    model: TextModel, text: bytes, count: int = 0, coder: Coder | None = None
) -> tuple[list[int], list[int]]:
    """Go on with the model over bytes, or over `count` bytes that are decoded.

    Returns
    -------
    bits, frequencies : list of int
        The bits of the bytes, the highest first, and the probability of a 1 of each in 1/32768.

    Notes
    -----
    Each bit is predicted from counts under the bits before it in its byte and the last 0 to 4
    bytes, and from what followed when the last bytes were the same, in a logistic mixture (Mahoney
    2005). All numbers are whole.
    """
    table = context_tables()
    stretch, squash = table.stretch.tolist(), table.squash.tolist()
    p, n, matched, trusted = model.p, model.n, model.matched, model.trusted
    bits: list[int] = []
    frequencies: list[int] = []
    for k in range(count if coder else len(text)):
        c1, c2, c3, c4 = (
            ([0] * 4 + model.text)[-1:-5:-1] if len(model.text) < 4 else (model.text[-1:-5:-1])
        )
        three = c1 << 16 | c2 << 8 | c3
        hashes = (0, c1 << 8, 40503 * (c1 << 8 | c2), 30011 * three, 10007 * (three << 8 | c4))
        node = 1
        expected = model.text[model.place] + 256 if model.matching else 0
        length = min(model.matching, 15)
        for b in range(7, -1, -1):
            at = [
                (h + node * spread & 65535) + (i << 16)
                for i, (h, spread) in enumerate(zip(hashes, _SPREAD, strict=True))
            ]
            inputs = [stretch[p[j]] for j in at]
            guess = 0
            if expected and expected >> (b + 1) == node:
                guess = expected >> b & 1
                inputs.append((2 * guess - 1) * stretch[matched[length]])
                weights = model.weights[1 + (model.matching > 5)]
            else:
                expected = 0
                inputs.append(0)
                weights = model.weights[0]
            mixed = sum(x * w for x, w in zip(inputs, weights, strict=True)) >> 16
            f = squash[min(max(mixed, -3072), 3072) + 3072]
            bit = coder.single(2 * f) if coder else text[k] >> b & 1
            bits.append(bit)
            frequencies.append(f)
            wrong = 32768 * bit - f
            for i, x in enumerate(inputs):
                weights[i] += (x * wrong + 32768) >> 16
            for j in at:
                p[j] += 2 * (65535 * bit - p[j]) // (2 * n[j] + 3)
                n[j] = min(n[j] + 1, 30)
            if expected:
                right = 65535 * (guess == bit)
                matched[length] += 2 * (right - matched[length]) // (2 * trusted[length] + 3)
                trusted[length] = min(trusted[length] + 1, 254)
            node = 2 * node + bit
        _seen(model, node - 256)
    return bits, frequencies


_SPREAD = (1, 1, 4106, 6159, 8212)


def _seen(model: TextModel, byte: int) -> None:
    """Follow the match on, or find one for the last three bytes."""
    if model.matching and model.text[model.place] == byte:
        model.matching += 1
        model.place += 1
    else:
        model.matching = 0
    model.text.append(byte)
    if len(model.text) > 2:
        c3, c2, c1 = model.text[-3:]
        key = 30011 * (c1 << 16 | c2 << 8 | c3) & 65535
        if not model.matching and key in model.last:
            model.place = model.last[key]
            model.matching = 1
        model.last[key] = len(model.text)


@functools.cache
def _typical() -> TextModel:
    model = TextModel()
    text_pass(model, TYPICAL_TREES)
    return model


def text_model() -> TextModel:
    """Return the state of the model after the descriptions of some typical networks."""
    return _typical().copy()


def encode_text(text: bytes) -> bytes:
    """Code bytes that follow one another, as those of `write_tree`."""
    bits, frequencies = text_pass(text_model(), text)
    group = Group(len(bits), False, 0)
    return encode_bits(
        Decisions(np.array(bits, np.int64), np.array(frequencies, np.int64), [group]), 1
    )


def decode_text(data: bytes, count: int) -> bytes:
    """Read what `encode_text` wrote."""
    model = text_model()
    text_pass(model, b"", count, Coder(data, 1))
    return bytes(model.text[len(TYPICAL_TREES) :])
