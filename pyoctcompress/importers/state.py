"""PyTorch's state_dict and safetensors: arrays by name, with a description of the layers."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress.errors import OctcompressError
from pyoctcompress.importers.building import Array, fail, library
from pyoctcompress.reference.layouts import row
from pyoctcompress.reference.recognize import recognize

_ENDINGS = re.compile(r"\.([a-z_]+(_l0)?)$")
# Under which names a checkpoint keeps its state_dict.
_INSIDE = ("state_dict", "model_state_dict", "model")


def read(path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Make a network of named arrays.

    Parameters
    ----------
    path : path
        A file of torch.save (with a state_dict) or of safetensors.
    options : mapping
        ``layers`` or, for a chain of dense layers, ``activation``; ``input_size``.
    """
    with open(path, "rb") as file:
        is_safetensors = file.read(9)[8:9] == b"{"
    arrays = _safetensors(path) if is_safetensors else _pytorch(path)
    if not options["layers"]:
        arrays = dict(sorted(arrays.items(), key=lambda item: _natural(item[0])))
    # The endings are joined as in .mat files, whose rules are the same.
    names = {name: _ENDINGS.sub(r"_\1", name) for name in arrays}
    found = {names[name]: array for name, array in arrays.items()}
    original = {new: old for old, new in names.items()}
    given = {key: options[key] for key in ("layers", "activation", "input_size")}
    given["layers"] = [_typed(item, found) for item in _paired(given["layers"])]
    given["layers"] = [part for pair in given["layers"] for part in pair]
    try:
        model, report = recognize(found, **given)
    except OctcompressError as error:
        fail(error.tag, error.message.removeprefix("nn_load: "))
    if model is found:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
        reason = report["reason"] or (
            "a state_dict does not say how its arrays are used; give the option layers, or "
            "activation for a chain of dense layers"
        )
        fail("badOption", f"'{path}': {reason}. It holds {shapes}")
    for layer in model["layers"]:
        for record in layer.get("source", {}).values():
            record["name"] = original[record["name"]]
            if arrays[record["name"]].ndim == 1:
                record["size"], record["permute"] = row(arrays[record["name"]].shape), row([1])
    layout = "safetensors" if is_safetensors else "pytorch"
    model["meta"] = {"source": {"layout": layout, "file": str(path)}}
    return model


def _natural(name: str) -> list[Any]:
    """Sort numbers in names by their value."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _paired(items: list[Any]) -> list[list[Any]]:
    """Put each name together with the values after it."""
    pairs: list[list[Any]] = []
    for item in items:
        if isinstance(item, str) or not pairs:
            pairs.append([item])
        else:
            pairs[-1].append(item)
    return pairs


def _typed(pair: list[Any], found: Mapping[str, Array]) -> list[Any]:
    """Say of one-dimensional weights what they are; matrices and filters speak for themselves."""
    name = pair[0]
    weight = found.get(f"{name}_weight")
    if weight is None or weight.ndim != 1 or f"{name}_running_mean" in found:
        return pair
    if f"{name}_bias" in found:
        fail("unsupported", f"no layer of ours computes {name}, which looks like a LayerNorm")
    return pair if len(pair) > 1 else [name, ["type", "prelu"]]


def _safetensors(path: Path) -> dict[str, Array]:
    safetensors = library("safetensors", "a safetensors file")
    with contextlib.suppress(ImportError):  # it comes with onnx, and tells NumPy of bfloat16
        importlib.import_module("ml_dtypes")
    try:
        with safetensors.safe_open(path, "np") as file:
            return {name: _float(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (
        safetensors.SafetensorError,
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:
        fail("damaged", f"'{path}' is damaged, or of a type that NumPy lacks: {error}")


def _float(array: Any) -> Array:
    """Give numbers as float32, but for those that are double."""
    array = np.asarray(array)
    if array.dtype == np.float64 or array.dtype.kind in "iub":
        return array
    return array.astype(np.float32)


def _pytorch(path: Path) -> dict[str, Array]:
    torch = library("torch", "a file of torch.save", "torch")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except Exception as error:  # of pickle, zip and torch itself
        first = (str(error) or type(error).__name__).split("\n")[0].split(". ")[0]
        fail(
            "badFile",
            f"'{path}' cannot be read with weights_only, which keeps a file from running code: "
            f"{first[:200]}. Of a whole model, save the model's state_dict () in its place",
        )
    for name in _INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not found:
        fail("badFile", f"'{path}' holds a {type(found).__name__}, no state_dict")
    arrays = {}
    for name, tensor in found.items():
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided:
            fail("unsupported", f"'{path}': {name} is a {type(tensor).__name__}, no full tensor")
        if tensor.is_quantized or tensor.is_complex():
            fail("unsupported", f"'{path}': {name} is quantized or complex")
        if tensor.is_floating_point() and tensor.dtype != torch.float64:
            tensor = tensor.float()
        arrays[str(name)] = tensor.detach().numpy()
    return arrays


def _is_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"
