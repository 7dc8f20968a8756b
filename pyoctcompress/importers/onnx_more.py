"""The operators of ONNX that resize or run over a sequence, as layers of ours."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyoctcompress.importers.building import Array, Value, single
from pyoctcompress.importers.onnx_call import Call, image, require, two


def resize(call: Call) -> Value:
    """Resize and Upsample by whole or broken factors, nearest or linear."""
    value = image(call)
    mode = call.get("mode", "nearest")
    place = 2 if call.node.op_type == "Resize" and call.graph.opset >= 11 else 1
    is_old = call.node.op_type == "Upsample" or call.graph.opset < 11
    where = call.get("coordinate_transformation_mode", "asymmetric" if is_old else "half_pixel")
    scales = call.get("scales", None)
    if scales is None and call.has(place) and call.constant(place).size:
        scales = [float(n) for n in call.constant(place).ravel()]
    if scales is None:
        sizes = [int(n) for n in call.constant(3).ravel()]
        require(len(sizes) == 4, f"the sizes {sizes}")
        scales = [1, 1, sizes[2] / value.size[0], sizes[3] / value.size[1]]
    require(len(scales) == 4 and list(scales[:2]) == [1, 1], f"the factors {scales}")
    factor = two(list(scales[2:]))
    if mode == "nearest":
        exact = all(float(n).is_integer() for n in scales)
        rounding = call.get("nearest_mode", "floor" if is_old else "round_prefer_floor")
        fine = (where == "asymmetric" and rounding == "floor") or (
            exact and where == "half_pixel" and rounding in ("round_prefer_floor", "floor")
            and (rounding == "round_prefer_floor")
        )  # fmt: skip
        require(fine, f"nearest with {where} and {rounding}")
        return call.one("upsample", factor=factor)
    require(mode == "linear", f"the mode {mode}")
    corners = where == "align_corners"
    require(corners or where in ("half_pixel", "pytorch_half_pixel"), f"linear with {where}")
    return call.one(
        "upsample", factor=factor, method="bilinear", align_corners=True if corners else None
    )


def same(call: Call) -> Value:
    """Identity, Dropout, Cast: nothing in inference."""
    return call.value()


def gather(call: Call) -> Value:
    """Gather of a sequence's last step, where nothing else reads the sequence."""
    value = call.value()
    layer = call.build.layer(value)
    where = call.constant(1)
    picked = value.axes[call.get("axis", 0)]
    require(picked == "T" and where.ndim == 0, "all but one step of a sequence")
    steps = value.size[1]
    last = (0, -steps) if layer.get("reverse") else (-1, steps - 1)
    alone = all(
        call.graph.readers[name] == 1
        for name, one in call.graph.values.items()
        if one.layer == value.layer and call.graph.readers[name]
    )
    fine = layer.get("type") in ("lstm", "gru") and alone and int(where) in last
    require(fine, f"the step {int(where)} of a sequence, where the last one of lstm or gru is read")
    layer["result"] = "last"
    return Value(value.layer, value.size[:1], value.axes.replace("T", ""))


# For each of our blocks the place of ONNX's: LSTM has i o f c, GRU z r h.
_BLOCKS = {"lstm": [0, 2, 3, 1], "gru": [1, 0, 2]}


def recurrent(kind: str) -> Callable[[Call], Value]:
    """Make the reader of LSTM and GRU: one direction, from zero states."""

    def add(call: Call) -> Value:
        value = call.value()
        require(value.axes == "TNF", f"an input with the axes {value.axes}")
        direction = call.get("direction", "forward")
        require(direction in ("forward", "reverse"), f"the direction {direction}")
        known = {"lstm": ["Sigmoid", "Tanh", "Tanh"], "gru": ["Sigmoid", "Tanh"]}[kind]
        given = call.attributes.get("activations")
        names = [s.decode() for s in given.strings] if given is not None else known
        require(names == known, f"the activations {names}")
        require("clip" not in call.attributes, "clip")
        for k in (4, 5, 6, 7):
            if call.has(k):
                require(k == 4 or not np.any(call.constant(k)), "states, lengths or peepholes")
        blocks = _BLOCKS[kind]
        units = int(call.get("hidden_size", 0))

        def turned(array: Array) -> Array:
            parts = single(array).reshape(len(blocks), units, -1)[blocks]
            return np.asfortranarray(parts.reshape(len(blocks) * units, -1))

        fields: dict[str, Any] = {
            "weights": turned(call.constant(1)[0]),
            "recurrent_weights": turned(call.constant(2)[0]),
        }
        if call.has(3):
            both = call.constant(3)[0]
            fields["bias"] = turned(both[: both.size // 2])
            fields["recurrent_bias"] = turned(both[both.size // 2 :])
        if kind == "gru" and not call.get("linear_before_reset", 0):
            fields["reset_after"] = False
        outputs = list(call.node.output)
        wanted = [k for k, name in enumerate(outputs) if name and call.graph.readers[name]]
        require(len(wanted) == 1 and wanted[0] < 2, "more than one of its outputs")
        if direction == "reverse":
            fields["reverse"] = True
        if wanted[0] == 1:  # the last state: 1 x N x units
            found = call.one(kind, axes="NF", result="last", **fields)
            call.graph.values[outputs[1]] = Value(found.layer, found.size, "DNF")
        else:  # T x 1 x N x units
            found = call.one(kind, axes="TNF", **fields)
            call.graph.values[outputs[0]] = Value(found.layer, found.size, "TDNF")
        return call.graph.values[outputs[wanted[0]]]

    return add
