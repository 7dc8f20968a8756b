"""What lstm and gru have in common. Sequences are F x N x T."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

from ..internal import Array, check, describe, fail, is_empty, one_class, vector_text
from ..internal import size as size_of
from .common import Gradients, Layer, option


def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp (-x))``."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def turned(layer: Layer, x: Array) -> Array:
    """Put the steps in the order of ``layer['reverse']``."""
    return x[:, :, ::-1] if option(layer, "reverse", False) else x


def is_last(layer: Layer) -> bool:
    """Whether only the state after the last step is the result."""
    return bool(layer.get("result") == "last")


def result(layer: Layer, h: Array) -> Array:
    """Return the sequence of states, or the last one."""
    return h[:, :, -1] if is_last(layer) else turned(layer, h)


def by_states(layer: Layer, dy: Array, steps: int) -> Array:
    """Return the gradient by the states: `result` undone."""
    if not is_last(layer):
        return turned(layer, dy)
    dh = np.zeros((*dy.shape, steps), dy.dtype)
    dh[:, :, -1] = dy
    return dh


def parameters(layer: Layer, x: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return x, both weights and both biases (zeros where absent), of one class."""
    weights = layer["weights"]
    none = np.zeros((weights.shape[0], 1), weights.dtype)
    biases = [option(layer, name, none) for name in ("bias", "recurrent_bias")]
    x, weights, recurrent, bias, recurrent_bias = one_class(
        x, weights, layer["recurrent_weights"], *biases
    )
    return x, weights, recurrent, bias, recurrent_bias


def gradients_of(
    layer: Layer, x: Array, h: Array, d_input: Array, d_recurrent: Array, need_dx: bool
) -> tuple[Array | None, Gradients]:
    """Differentiate by the parameters and the input.

    Parameters
    ----------
    d_input, d_recurrent : array
        Gradients by weights * x (t) and by recurrent_weights * h (t - 1), gates * U x N x T.
    """
    before = np.concatenate([np.zeros_like(h[:, :, :1]), h[:, :, :-1]], axis=2)
    gradients = {
        "weights": np.einsum("gnt,fnt->gf", d_input, x, optimize=True),
        "recurrent_weights": np.einsum("gnt,unt->gu", d_recurrent, before, optimize=True),
    }
    if not is_empty(layer.get("bias")):
        gradients["bias"] = d_input.sum(axis=(1, 2))[:, np.newaxis]
    if not is_empty(layer.get("recurrent_bias")):
        gradients["recurrent_bias"] = d_recurrent.sum(axis=(1, 2))[:, np.newaxis]
    dx = None
    if need_dx:
        weights, d_input = one_class(layer["weights"], d_input)
        dx = turned(layer, np.einsum("gf,gnt->fnt", weights, d_input, optimize=True))
    return dx, gradients


def size(layer: Layer, in_size: list[int], caller: str, gates: int) -> tuple[list[int], float]:
    """Return the size of the output and the multiply-accumulates of one observation.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badSize``, ``badValue``.
    """
    rows, features = size_of(layer["weights"])
    if rows % gates != 0:
        fail(
            caller,
            "badSize",
            f"WEIGHTS must have {gates} rows for each unit, but is {rows} x {features}",
        )
    units = rows // gates
    recurrent = option(layer, "recurrent_weights", "absent")
    if size_of(recurrent) != (rows, units):
        fail(
            caller,
            "badSize",
            f"RECURRENT_WEIGHTS must be {rows} x {units}, for WEIGHTS is {rows} x {features}, but "
            f"is {describe(recurrent)}",
        )
    for name in ("bias", "recurrent_bias"):
        if not is_empty(layer.get(name)) and size_of(layer[name]) != (rows, 1):
            shown = describe(layer[name])
            fail(caller, "badSize", f"{name.upper()} must be {rows} x 1, but is {shown}")
    if len(in_size) != 2 or in_size[0] != features:
        fail(
            caller,
            "badSize",
            f"WEIGHTS is {rows} x {features}, so the input must be a sequence [{features} T], but "
            f"has the size [{vector_text(in_size)}]",
        )
    if "result" in layer:
        check(caller, "result", layer["result"], "choice", ["sequence", "last"])
    out = [units] if is_last(layer) else [units, in_size[1]]
    return out, float(in_size[1] * rows * (features + units))
