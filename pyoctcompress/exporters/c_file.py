"""The text of a C99 module in the making: constant arrays, weights, one block of memory."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyoctcompress.exporters.constants import Constant, constant
from pyoctcompress.reference.internal import Array, value_array
from pyoctcompress.reference.quant import Grid, code_range

_PER_LINE = 16
STORAGES = ("auto", "dense", "sparse", "packed")
_TYPES = {
    "float32": "float",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
}


def number(value: Any) -> str:
    """Write a number of single precision so that C reads the same."""
    text = f"{float(np.float32(value)):.9g}"
    return (text if "." in text or "e" in text else f"{text}.0") + "f"


def numbers(values: Array) -> Iterator[str]:
    """Write numbers in lines."""
    flat = values.reshape(-1).tolist()
    text = [number(v) for v in flat] if values.dtype.kind == "f" else [str(v) for v in flat]
    for first in range(0, len(text), _PER_LINE):
        yield "  " + ", ".join(text[first : first + _PER_LINE]) + ",\n"


@dataclass
class Weights:
    """The weights of a layer in one of the forms that the file can hold, row by row.

    Attributes
    ----------
    name : str
        The C variable of type `weights`.
    length : int
        The numbers of a row.
    decoded : bool
        Whether a row needs a place to be decoded to.
    storage : str
        ``dense``, ``sparse`` or ``packed``.
    nbytes : int
        The bytes of the constant arrays.
    """

    name: str
    length: int
    decoded: bool
    storage: str
    nbytes: int


class CFile:
    """Constant arrays and functions that decode weights.

    Attributes
    ----------
    definitions : list
        Text, or (type, name, array).
    kernels : set of str
        The functions of `c_kernels` that are needed.
    """

    def __init__(self, integer: bool) -> None:
        self.integer = integer
        self.definitions: list[str | tuple[str, str, Constant]] = []
        self.kernels: set[str] = set()
        self.nbytes = 0

    def array(self, name: str, values: Any) -> str:
        """Add a constant array; returns its name."""
        values = values if isinstance(values, Constant) else constant(values)
        self.definitions.append((_TYPES[values.dtype.name], name, values))
        self.nbytes += values.nbytes
        return name

    def define(self, text: str) -> None:
        """Add other text between the arrays."""
        self.definitions.append(text)

    def weights(self, name: str, rows: Constant, grid: Grid | None, storage: str) -> Weights:
        """Add the weights of a layer.

        Parameters
        ----------
        rows : Constant
            A row for each output: codes less their zero points where activations are integers;
            else values, or codes where there is a grid.
        grid : grid, optional
            That of codes in floating point networks.
        storage : str
            ``dense``, ``sparse``, ``packed``, or ``auto``, the smallest.
        """
        self.kernels.add("weights")
        if grid is not None and storage == "dense":
            rows, grid = constant(decode_rows(rows.array(), grid)), None
        count, length = rows.shape
        before = self.nbytes
        coded = rows.dtype.kind == "i"
        whole = rows.array() if storage != "dense" else None
        forms: dict[str, float] = {"dense": rows.nbytes if grid is None else math.inf}
        bits = 0
        if whole is not None and coded:
            low, high = (int(whole.min()), int(whole.max())) if whole.size else (0, 0)
            if grid is not None and "codebook" not in grid:
                first, last = code_range(grid)
                low, high = max(low, int(first)), min(high, int(last))
            bits = max(1, (high - low).bit_length())
            forms["packed"] = rows.size * bits / 8 if bits < 8 or grid is not None else math.inf
        if whole is not None:
            zero = zero_code(grid)
            per_value = rows.dtype.itemsize if grid is None else 4
            if zero is not None and length:
                kept = gaps_of(whole, zero)[1]
                forms["sparse"] = kept.size * (1 + per_value) + 4 * count
        chosen = storage if math.isfinite(forms.get(storage, math.inf)) else ""
        chosen = chosen or min(forms, key=lambda form: forms[form])
        kind = "int8_t" if self.integer else "float"
        if chosen == "dense":
            self.array(f"{name}_values", rows)
            self.define(f"static const weights {name} = {{{name}_values, NULL, {length}}};\n")
            return Weights(name, length, False, chosen, self.nbytes - before)
        assert whole is not None
        if chosen == "packed":
            body = self.packed(name, whole, low, bits, grid)
        else:
            body = self.sparse(name, whole, grid)
        self.define(
            f"static void {name}_row (int32_t number, {kind} *into)\n{{\n{body}}}\n"
            f"static const weights {name} = {{NULL, {name}_row, {length}}};\n"
        )
        return Weights(name, length, True, chosen, self.nbytes - before)

    def packed(self, name: str, codes: Array, low: int, bits: int, grid: Grid | None) -> str:
        """Add codes of a few bits; returns the body of the function that decodes a row."""
        self.kernels.add("bits")
        self.array(f"{name}_codes", pack_bits(codes.reshape(-1) - low, bits))
        length = codes.shape[1]
        code = f"code_at ({name}_codes, (size_t) number * {length} + (size_t) k, {bits})"
        if low:
            code += f" + ({low})"
        value = f"(int8_t) ({code})" if grid is None else self.decoded(name, code, length, grid)
        return f"  int32_t k;\n  for (k = 0; k < {length}; k++)\n    into[k] = {value};\n"

    def decoded(self, name: str, code: str, length: int, grid: Grid) -> str:
        """Write the value that a code of a grid stands for."""
        if "codebook" in grid:
            book = value_array(grid["codebook"]).astype(np.float32).reshape(-1)
            self.array(f"{name}_book", book)
            return f"{name}_book[{code}]"
        parts = []
        for field, kind in (("scale", np.float32), ("zero_point", np.int32)):
            values = value_array(grid[field]).astype(kind).reshape(-1)
            if values.size == 1:
                parts.append(number(values[0]) if field == "scale" else str(values[0]))
                continue
            self.array(f"{name}_{field}", values)
            group = int(grid.get("group", 0))
            place = f"number * {-(-length // group)} + k / {group}" if group else "number"
            parts.append(f"{name}_{field}[{place}]")
        scale, zero = parts
        code = code if zero == "0" else f"{code} - {zero}"
        return f"(float) ({code}) * {scale}"

    def sparse(self, name: str, values: Array, grid: Grid | None) -> str:
        """Add nonzeros and their gaps; returns the body of the function that decodes a row."""
        self.kernels.add("spread")
        if grid is not None:
            values = decode_rows(values, grid)
        gaps, kept = gaps_of(values, 0)
        first = np.concatenate([[0], np.cumsum([len(row) for row in gaps])]).astype(np.uint32)
        flat = np.concatenate([*gaps, np.zeros(1, np.uint8)]).astype(np.uint8)
        self.array(f"{name}_gaps", flat)
        self.array(f"{name}_values", np.append(kept, kept.dtype.type(0)))
        self.array(f"{name}_first", first)
        return (
            f"  spread ({name}_gaps, {name}_values, {name}_first[number], "
            f"{name}_first[number + 1],\n          into, {values.shape[1]});\n"
        )

    def text(self) -> Iterator[str]:
        """Give the text of all definitions, part by part."""
        for item in self.definitions:
            if isinstance(item, str):
                yield item
                continue
            kind, name, values = item
            yield f"static const {kind} {name}[{max(values.size, 1)}] = {{\n"
            for part in values.parts():
                yield from numbers(part)
            yield ("  0\n" if values.size == 0 else "") + "};\n"


def zero_code(grid: Grid | None) -> int | None:
    """Return the code that stands for 0, if one and the same does in all rows."""
    if grid is None:
        return 0
    if "codebook" in grid:
        places = np.flatnonzero(np.ravel(value_array(grid["codebook"])) == 0)
        return int(places[0]) if places.size else None
    zero = np.unique(value_array(grid["zero_point"]))
    return int(zero[0]) if zero.size == 1 else None


def decode_rows(codes: Array, grid: Grid) -> Array:
    """Give the values of codes whose rows are outputs."""
    if "codebook" in grid:
        return np.ravel(value_array(grid["codebook"])).astype(np.float32)[codes]
    scale, zero = (value_array(grid[f]).astype(np.float32) for f in ("scale", "zero_point"))
    if "group" in grid:
        group, (count, length) = int(grid["group"]), codes.shape
        scale, zero = (
            np.repeat(each.reshape(count, -1), group, axis=1)[:, :length] for each in (scale, zero)
        )
    return (codes.astype(np.float32) - zero) * scale


def gaps_of(values: Array, zero: int) -> tuple[list[Array], Array]:
    """Write rows as nonzeros, each with the number of zeros before it, at most 255.

    Where there are more zeros, a zero is written after each 255 of them.
    """
    gaps, kept = [], []
    for row in values:
        places = np.flatnonzero(row != zero)
        distance = np.diff(places, prepend=-1) - 1
        fillers = distance // 256
        ends = np.cumsum(fillers + 1) - 1
        total = int(ends[-1]) + 1 if ends.size else 0
        gap, value = np.full(total, 255, np.uint8), np.full(total, zero, values.dtype)
        gap[ends], value[ends] = distance - 256 * fillers, row[places]
        gaps.append(gap)
        kept.append(value)
    return gaps, np.concatenate(kept) if kept else np.zeros(0, values.dtype)


def pack_bits(codes: Array, bits: int) -> Array:
    """Put codes of some bits one after the other, the lowest bit first; one byte is spare."""
    wide = codes.astype(np.uint16)[:, np.newaxis] >> np.arange(bits, dtype=np.uint16) & 1
    packed = np.packbits(wide.astype(np.uint8).reshape(-1), bitorder="little")
    return np.append(packed, np.uint8(0))


class Memory:
    """One block of memory, in which results share places once they were read.

    Each result has a time of birth and of last use; those whose times overlap lie apart.
    """

    def __init__(self) -> None:
        self.spans: list[tuple[int, int, int]] = []  # size, birth, last use

    def add(self, size: int, birth: int, death: int) -> int:
        """Add a result; returns its number."""
        self.spans.append((size, birth, death))
        return len(self.spans) - 1

    def places(self) -> tuple[list[int], int]:
        """Return the place of each result, and the size of the block; the largest come first."""
        places = [0] * len(self.spans)
        put: list[int] = []
        for k in sorted(range(len(self.spans)), key=lambda k: -self.spans[k][0]):
            size, birth, death = self.spans[k]
            others = sorted(
                (places[j], places[j] + self.spans[j][0])
                for j in put
                if self.spans[j][1] <= death and birth <= self.spans[j][2]
            )
            place = 0
            for first, end in others:
                if place + size <= first:
                    break
                place = max(place, end)
            places[k] = place
            put.append(k)
        ends = [place + span[0] for place, span in zip(places, self.spans, strict=True)]
        return places, max(ends, default=0)


def identifier(text: str) -> str:
    """Make a name of C of any text."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return f"n_{name}" if not name or name[0].isdigit() else name


def braces(values: Sequence[Any]) -> str:
    """Write numbers as the initial values of a struct or an array."""
    return "{" + ", ".join(str(int(v)) for v in values) + "}"
