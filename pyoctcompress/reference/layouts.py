"""What the readers of other layouts share."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from ..matfile import StructArray
from . import model as graph
from .internal import Array, describe, fail, is_empty, plain, value_array

Found = Mapping[str, Any]
CALLER = "recognize"


def refuse(message: str) -> NoReturn:
    """Raise that a layout cannot become a network."""
    fail(CALLER, "notNetwork", message)


def is_cell(value: Any) -> bool:
    """Whether a value is a cell."""
    return isinstance(value, list) or (isinstance(value, np.ndarray) and value.dtype == object)


def elements(value: Any) -> list[Any]:
    """Return the elements of a cell or struct array in linear order; of anything else none."""
    if isinstance(value, (list, tuple, StructArray)):
        return list(value)
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, np.ndarray) and value.dtype == object:
        return list(value.ravel(order="F"))
    return []


def origin(name: str, there: Any, order: Any, **more: Any) -> dict[str, Any]:
    """Say where an array stood: ours = reshape (permute (theirs, order), our size)."""
    record: dict[str, Any] = {"name": name, "size": row(there), "permute": row(order)}
    return {**record, **{k: v if isinstance(v, str) else row(v) for k, v in more.items()}}


def row(values: Any) -> Array:
    """Make numbers a row of doubles."""
    return np.array(values, float).reshape(1, -1)


def column(value: Any) -> Array:
    """Make an array a column."""
    return value_array(value).reshape(-1, 1, order="F")


def get(value: Mapping[str, Any], name: str, default: Any) -> Any:
    """Return a field, or a default where it is absent or empty."""
    found = value.get(name)
    return default if found is None or is_empty(found) else found


def number(value: Any) -> Any:
    """Give numbers as doubles, in MATLAB's shape: a float or an array."""
    return plain(value_array(value).astype(float))


def activation_layers(name: Any) -> list[graph.Layer]:
    """Give the layers that compute an activation as another toolbox names it."""
    if is_empty(name):
        return []
    match name if isinstance(name, str) else None:
        case "none" | "linear" | "purelin" | "identity":
            return []
        case "sigm" | "sigmoid" | "logsig" | "logistic":
            return [{"type": "sigmoid"}]
        case "tanh" | "tansig":
            return [{"type": "tanh"}]
        case "relu" | "poslin" | "rectifier":
            return [{"type": "relu"}]
        case "tanh_opt":  # of DeepLearnToolbox
            return [
                {"type": "scale", "scale": 2 / 3},
                {"type": "tanh"},
                {"type": "scale", "scale": 1.7159},
            ]
        case "satlin":
            return [{"type": "hardsigmoid", "alpha": 1.0, "beta": 0.0}]
        case (
            "softmax"
            | "logsoftmax"
            | "relu6"
            | "leakyrelu"
            | "elu"
            | "gelu"
            | "swish"
            | "hardswish"
            | "hardsigmoid"
        ):
            return [{"type": name}]
    refuse(f"no layer of ours computes the activation {describe(name)}")


def scalar_of(value: Any) -> float:
    """Return the first number of a value."""
    return float(value_array(value).ravel(order="F")[0])


def with_bias_first(w: Array, layer: str, name: str) -> graph.Layer:
    """Make a dense layer of a matrix whose first column is the bias."""
    wide = w.shape[1]
    source = {
        "weights": origin(name, w.shape, [1, 2], part=[2, wide]),
        "bias": origin(name, w.shape, [1, 2], part=[1, 1]),
    }
    made = {"type": "dense", "name": layer, "weights": w[:, 1:], "bias": w[:, :1]}
    return {**made, "source": source}
