"""A node of an ONNX graph, what it reads, and its attributes."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyoctcompress.importers.building import Array, Unsupported, Value
from pyoctcompress.reference.layouts import row


def attributes_of(node: Any) -> dict[str, Any]:
    """Give the attributes of a node as Python values; those of other kinds are left out."""
    found: dict[str, Any] = {}
    for one in node.attribute:
        match one.type:
            case 1:
                found[one.name] = one.f
            case 2:
                found[one.name] = one.i
            case 3:
                found[one.name] = one.s.decode("utf-8", "replace")
            case 6:
                found[one.name] = list(one.floats)
            case 7:
                found[one.name] = list(one.ints)
            case _:
                found[one.name] = one
    return found


def text_of(name: Any) -> str:
    """Give a name of the file as text; a damaged one comes as bytes."""
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


class Call:
    """A node and what it reads.

    Parameters
    ----------
    graph : object
        The graph that is read.
    node : NodeProto
        The node.
    """

    def __init__(self, graph: Any, node: Any) -> None:
        self.graph = graph
        self.node = node
        self.name = text_of(node.name or node.output[0])
        self.build = graph.builder
        self.attributes = attributes_of(node)

    def get(self, name: str, default: Any) -> Any:
        """Give an attribute."""
        return self.attributes.get(name, default)

    def has(self, k: int) -> bool:
        """Whether there is an input at a place."""
        return k < len(self.node.input) and bool(self.node.input[k])

    def value(self, k: int = 0) -> Value:
        """Give an input that the network computes."""
        name = self.node.input[k]
        if name not in self.graph.values:
            raise Unsupported(f"its input {name} must be computed, but is a constant")
        found: Value = self.graph.values[name]
        return found

    def constant(self, k: int) -> Array:
        """Give an input that is a constant."""
        name = self.node.input[k]
        if name not in self.graph.known:
            raise Unsupported(f"its input {name} must be a constant")
        found: Array = self.graph.array(name)
        return found

    def numbers(self, k: int, attribute: str, default: Any = None) -> Any:
        """Give whole numbers that are an attribute, or in later opsets an input."""
        if attribute in self.attributes:
            return self.attributes[attribute]
        if self.has(k):
            return [int(n) for n in np.ravel(self.constant(k))]
        return default

    def origin(self, k: int) -> str:
        """Give the name of an initializer, whose integers may lie behind a DequantizeLinear."""
        name = self.node.input[k]
        found = self.graph.quantized.get(name)
        return str(found.name if found else name)

    def promised(self, k: int, our_axis: int, axis: int) -> dict[str, Any] | None:
        """Give the promise of weights that were integers; `axis` is that of the outputs in ONNX."""
        found = self.graph.quantized.get(self.node.input[k])
        promise = found.promise(our_axis, axis) if found else None
        return {"weights": promise} if promise else None

    def is_read_once(self, k: int) -> bool:
        """Whether nobody else reads an input."""
        return self.graph.readers[self.node.input[k]] == 1

    def one(self, kind: str, **fields: Any) -> Value:
        """Add a layer that reads the first input."""
        return self.build.add(kind, self.value(), self.name, **fields)


def require(fine: bool, why: str) -> None:
    """Raise Unsupported unless all is fine."""
    if not fine:
        raise Unsupported(why)


def image(call: Call) -> Value:
    """Give the first input, which must be an image of channels first."""
    value = call.value()
    if value.axes != "NCHW":
        raise Unsupported(f"an input with the axes {value.axes}, where NCHW is needed")
    return value


def pads(call: Call, reach: Sequence[int], value: Value, stride: Sequence[int]) -> Any:
    """Give our padding: top, bottom, left, right."""
    auto = call.get("auto_pad", "NOTSET")
    if auto in ("NOTSET", ""):
        given = call.get("pads", [0, 0, 0, 0])
        require(len(given) == 4 and min(given) >= 0, f"the padding {given}")
        return row([given[0], given[2], given[1], given[3]])
    if auto == "VALID":
        return row([0, 0, 0, 0])
    require(auto in ("SAME_UPPER", "SAME_LOWER"), f"the padding {auto}")
    found = []
    for length, step, wide in zip(value.size[:2], stride, reach, strict=True):
        missing = max((-(-length // step) - 1) * step + wide - length, 0)
        small, large = missing // 2, -(-missing // 2)
        found += [small, large] if auto == "SAME_UPPER" else [large, small]
    return row(found)


def two(values: Sequence[int]) -> Any:
    """Give two numbers, or one where they are equal."""
    require(len(values) == 2, f"windows of {len(values)} dimensions")
    return float(values[0]) if values[0] == values[1] else row(values)
