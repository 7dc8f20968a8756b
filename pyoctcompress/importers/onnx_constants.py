"""Constants of an ONNX graph: read, folded, and integers that keep their grid."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress.importers.building import Array, Unsupported, fail, grid

# Operators that are computed at once where all their inputs are constants.
FOLDED = {
    "Constant", "ConstantOfShape", "Shape", "Gather", "Slice", "Concat", "Unsqueeze", "Squeeze",
    "Cast", "Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Reciprocal", "Reshape", "Transpose",
    "Identity", "Expand", "Floor", "Ceil", "ReduceProd", "Range", "Equal", "Where", "Size", "Pow",
    "Exp", "Abs", "Max", "Min", "Flatten",
}  # fmt: skip
# Stands for the number of observations in shapes that the graph computes with.
BATCH = 987654321
# And this for the length of a sequence that is open.
STEPS = 987654323
_MOST = 2**24  # elements that a folded constant may have beyond those of its inputs
_DTYPES = {  # of what is kept outside of the file
    1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8",
    12: "u4", 13: "u8",
}  # fmt: skip


def tensor_array(onnx: Any, tensor: Any, folder: Path) -> Array:
    """Give the numbers of an initializer; those outside of the file are mapped, not copied."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        try:
            return np.asarray(onnx.numpy_helper.to_array(tensor))
        except (ValueError, TypeError, KeyError) as error:
            fail("damaged", f"the tensor {tensor.name} is damaged: {error}")
    entries = {one.key: one.value for one in tensor.external_data}
    place = (folder / entries.get("location", "")).resolve()
    root = folder.resolve()
    if root not in place.parents or os.path.isabs(entries.get("location", "")):
        fail(
            "badFile",
            f"the numbers of {tensor.name} lie in '{entries.get('location', '')}', outside of the "
            "model's folder",
        )
    if not place.is_file():
        fail("noFile", f"the numbers of {tensor.name} lie in '{place}', which is not there")
    kind = _DTYPES.get(tensor.data_type)
    if kind is None:
        fail("unsupported", f"{tensor.name} is external and of the type {tensor.data_type}")
    count = math.prod(tensor.dims)
    offset = int(entries.get("offset", 0))
    if offset < 0 or count < 0 or offset + count * np.dtype(kind).itemsize > place.stat().st_size:
        fail("truncated", f"'{place}' is too short for {tensor.name}")
    mapped = np.memmap(place, "<" + kind, "r", offset, (count,)) if count else np.zeros(0, kind)
    return np.asarray(mapped).reshape(tuple(tensor.dims))


def fold(onnx: Any, node: Any, arrays: Sequence[Any], opset: int) -> list[Any]:
    """Compute a node whose inputs are constants."""
    given = [array for array in arrays if array is not None]
    if node.op_type in ("ConstantOfShape", "Expand"):  # the same for every observation
        given[-1] = np.where(given[-1] == BATCH, 1, given[-1])
    if node.op_type in ("ConstantOfShape", "Expand", "Range"):
        wanted = _count_of(node.op_type, given)
        if not wanted <= _MOST:
            raise Unsupported(f"a constant of {wanted} elements")
    if any(attribute.HasField("g") for attribute in node.attribute):
        raise Unsupported("a graph within it")
    names = [name for name, array in zip(node.input, arrays, strict=True) if array is not None]
    make = onnx.helper
    float_type = onnx.TensorProto.FLOAT
    reads = [make.make_tensor_value_info(name, float_type, None) for name in dict.fromkeys(names)]
    gives = [make.make_tensor_value_info(name, float_type, None) for name in node.output if name]
    graph = make.make_graph([node], "one", reads, gives)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", opset)])
    from onnx.reference import ReferenceEvaluator

    try:
        found = ReferenceEvaluator(model).run(None, dict(zip(names, given, strict=True)))
    except Exception as error:  # it raises what NumPy raises
        first = (str(error) or type(error).__name__).split("\n")[0]
        raise Unsupported(f"it cannot be computed: {first}") from None
    return [np.asarray(array) for array in found]


def _count_of(kind: str, given: Sequence[Any]) -> float:
    if kind == "Range":
        start, stop, step = (float(np.ravel(a)[0]) for a in given)
        return (stop - start) / step if step else math.inf
    return float(np.prod([float(n) for n in np.ravel(given[-1])]))


@dataclass
class Quantized:
    """An integer constant that DequantizeLinear gives its meaning."""

    codes: Array
    scale: Array
    zero: Array
    axis: int
    name: str
    block: int = 0

    def values(self) -> Array:
        """Give (code - zero) * scale in float32."""
        scale, zero = (self.spread(np.asarray(one, np.float32)) for one in (self.scale, self.zero))
        return (self.codes.astype(np.float32) - zero) * scale

    def spread(self, each: Array) -> Array:
        """Give scales or zero points the shape of the codes, or one that stretches to it."""
        if not self.block or each.size == 1:
            return _along(each, self.axis, self.codes.ndim)
        count = self.codes.shape[self.axis]
        return np.repeat(each, self.block, self.axis).take(range(count), self.axis)

    def promise(self, our_axis: int, axis: int) -> dict[str, Any] | None:
        """Give the grid, where ours can express it; `axis` is that of the outputs in the source."""
        kind = self.codes.dtype.name
        bits = {"int4": 4, "uint4": 4, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16}.get(kind)
        if bits is None:
            return None
        signed = not kind.startswith("u")
        lowest = int(self.codes.astype(np.int64).min(initial=0))
        inside = signed and lowest > -(2 ** (bits - 1))
        own = self.axis % max(self.codes.ndim, 1)
        if self.block:
            if self.codes.ndim != 2 or own == axis:
                return None
            scale, zero = (np.moveaxis(one, axis, 0) for one in (self.scale, self.zero))
            promise = grid(scale, zero, bits, signed, our_axis, inside)
            return {**promise, "group": float(self.block)}
        if np.size(self.scale) > 1 and own != axis:
            return None
        return grid(self.scale, self.zero, bits, signed, our_axis, inside)


@dataclass
class Listed:
    """A constant out of a codebook, or of half precision."""

    grid: dict[str, Any]
    name: str

    def promise(self, our_axis: int, axis: int) -> dict[str, Any]:
        """Give the grid; it is one for all."""
        return dict(self.grid)


def listed(kind: str, names: Sequence[str], arrays: Sequence[Any], found: Array) -> Listed | None:
    """Give the promise of what Gather or Cast made of constants."""
    first = arrays[0] if arrays else None
    if first is None:
        return None
    if kind == "Gather" and first.dtype == np.float32 and first.ndim == 1 and found.ndim > 1:
        entries = np.unique(first).reshape(-1, 1)
        if 2 <= entries.size <= 256:
            bits = float(math.ceil(math.log2(entries.size)))
            grid = {"bits": bits, "scheme": "codebook", "codebook": entries, "axis": 0.0}
            return Listed(grid, names[1])
    if kind == "Cast" and first.dtype == np.float16 and found.dtype == np.float32:
        one = np.ones((1, 1), np.float32)
        grid = {"bits": 16.0, "scheme": "fp16", "scale": one, "zero_point": 0 * one, "axis": 0.0}
        return Listed(grid, names[0])
    return None


def _along(values: Array, axis: int, dims: int) -> Array:
    if values.size == 1:
        return values.reshape(())
    shape = [1] * dims
    shape[axis % dims] = -1
    return values.reshape(shape)


def quantize(array: Array, scale: Any, zero: Any, axis: int) -> Array:
    """Compute QuantizeLinear of a constant."""
    kind = zero.dtype
    if kind.kind not in "iu":
        raise Unsupported(f"codes of the type {kind}")
    limits = np.iinfo(kind)
    codes = np.rint(array / _along(np.asarray(scale, np.float32), axis, array.ndim))
    codes = codes + _along(np.asarray(zero, np.float32), axis, array.ndim)
    return np.clip(codes, limits.min, limits.max).astype(kind)


def activation_grid(scale: Any, zero: Any) -> dict[str, Any]:
    """Give the promise of activations."""
    kind = zero.dtype.name
    bits = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int4": 4, "uint4": 4}.get(kind)
    if bits is None:
        raise Unsupported(f"activations of the type {kind}")
    return grid(scale, zero, bits, not kind.startswith("u"), 0, False)
