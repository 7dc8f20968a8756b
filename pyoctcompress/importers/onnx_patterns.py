"""What exporters write as several nodes, made one.

Gelu below opset 20 is x / 2 * (1 + erf (x / sqrt (2))); the last layer's state of a stack of LSTM
or GRU is picked out of the states of all layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


def with_states(nodes: Iterable[Any], constant: Callable[[str], Any]) -> list[Any]:
    """Give the nodes, where a state is picked from several (Concat, Gather) as that state alone."""
    left = list(nodes)
    maker = {name: node for node in left for name in node.output}
    readers: dict[str, int] = {}
    for node in left:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    for node in left:
        joined = maker.get(node.input[0]) if node.op_type == "Gather" else None
        if joined is None or joined.op_type != "Concat":
            continue
        axes = [attribute.i for one in (node, joined) for attribute in one.attribute]
        makers = [maker.get(name) for name in joined.input]
        where = constant(node.input[1])
        if any(axes) or where is None or np.ndim(where) or not all(
            one is not None and one.op_type in ("LSTM", "GRU") for one in makers
        ):  # fmt: skip
            continue
        if not -len(makers) <= int(where) < len(makers):
            continue
        source = joined.input[int(where)]
        node.op_type = "Squeeze"
        del node.input[:], node.attribute[:]
        node.input.append(source)
        readers[joined.output[0]] -= 1
    return [one for one in left if one.op_type != "Concat" or readers.get(one.output[0], 1)]


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
