"""Gelu, which exporters below opset 20 write as x / 2 * (1 + erf (x / sqrt (2))), made one node."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


def with_gelu(nodes: Iterable[Any], constant: Callable[[str], Any]) -> list[Any]:
    """Give the nodes, each gelu among them as one.

    Parameters
    ----------
    nodes : iterable of NodeProto
        In their order; the last node of a gelu is changed in place.
    constant : callable
        The array of a constant by its name; None of other values.
    """
    left = list(nodes)
    maker = {name: node for node in left for name in node.output}
    readers: dict[str, list[Any]] = {}
    for node in left:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def other(node: Any, name: str) -> str:
        """Give the second input of a node of two."""
        names = list(node.input)
        names.remove(name)
        return str(names[0]) if len(names) == 1 else ""

    def split(node: Any, kind: str, value: float) -> str:
        """Give the input that a node combines with a constant number; '' for another node."""
        if node is None or node.op_type != kind or len(node.input) != 2:
            return ""
        for name in node.input:
            array = constant(other(node, name))
            if (
                array is not None
                and np.size(array) == 1
                and math.isclose(float(np.ravel(array)[0]), value, rel_tol=1e-3)
            ):
                return str(name)
        return ""

    def reader(name: str) -> Any:
        """Give the one node that reads a value."""
        found = readers.get(name, [])
        return found[0] if len(found) == 1 else None

    dropped: list[Any] = []
    for erf in [node for node in left if node.op_type == "Erf"]:
        inner = maker.get(erf.input[0])
        x = split(inner, "Div", math.sqrt(2)) or split(inner, "Mul", math.sqrt(0.5))
        plus = reader(erf.output[0])
        if not x or not split(plus, "Add", 1):
            continue
        product = reader(plus.output[0])
        if product is None or product.op_type != "Mul":
            continue
        factor = other(product, plus.output[0])
        half = maker.get(factor)
        if factor == x:  # x * (1 + erf) and then the half
            last = reader(product.output[0])
            if not split(last, "Mul", 0.5):
                continue
            parts = [inner, erf, plus, product]
        elif split(half, "Mul", 0.5) == x:  # x / 2 first
            last, parts = product, [inner, erf, plus, half]
        else:
            continue
        last.op_type = "Gelu"
        del last.input[:]
        last.input.append(x)
        dropped += parts
    return [node for node in left if not any(node is one for one in dropped)]
