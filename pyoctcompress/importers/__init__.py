"""Models of other frameworks and layouts, made ones of ours.

`pyoctcompress.importers` (the function) reads a file of any known kind; the modules here read one
source each. ``docs/import.md`` tells what is read, and how axes are turned.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress import matfile, modelfile
from pyoctcompress.errors import FileError
from pyoctcompress.importers import checking
from pyoctcompress.importers.building import fail
from pyoctcompress.matfile.types import Fault
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import describe, parse_options
from pyoctcompress.reference.layouts import row

File = str | os.PathLike[str]


def convert(
    path: File,
    output: File | None = None,
    *,
    compress: bool = False,
    verify: bool = True,
    module: Any = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Read a model of another framework or layout.

    Parameters
    ----------
    path : path
        Any .mat file, Keras (.h5, .keras), PyTorch (.pt, .pth with a state_dict), safetensors,
        ONNX, TFLite; told apart by their content.
    output : path, optional
        The .mat file to write; the model itself is returned unless given.
    compress : bool
        Deflate that file (MATLAB -v7).
    verify : bool
        Compare the outputs with the source's own runtime, where that is installed.
    module : torch.nn.Module, optional
        For a state_dict: the module to compare with.
    **options
        layers : list, dict or path
            For a state_dict, safetensors and .mat files with PyTorch's names: the order of the
            layers, as ``["conv1", {"stride": 2}, "relu", "maxpool", 2, "flatten", "fc1"]``; a dict,
            or a path of a YAML or JSON file, may hold ``layers`` and the options below.
        activation : str
            Between the layers of a chain of dense layers, where the source does not tell it.
        input_size : sequence
            Of one observation, where the source does not tell it: F, [H, W, C] or [F, T].
        mean, std : float or sequence
            Make (x - mean) / std the first layer; one number or one for each channel.
        scale, offset : float or sequence
            The same as scale * x + offset.
        classes : list of str
            Names of the classes.

    Returns
    -------
    model : dict or pathlib.Path
        A network; the named tensors of a .mat file that cannot become one.
    info : dict
        file, bytes, source ('onnx', 'mat', ...), layout, kind ('network' or 'tensors'), reason (why
        it is no network), left_out (what of a .mat file no array holds), check (a dict: checked,
        runtime, difference, allowed, text).

    Raises
    ------
    FileError
        ``octcompress:convert:noFile``, ``badFile``, ``damaged``, ``truncated``, ``tooLarge``.
    ModelError
        ``octcompress:convert:unsupported``: everything that no layer of ours computes, by name;
        ``wrongResult``: the outputs differ from the source's.
    SessionError
        ``octcompress:convert:noLibrary``, with what to install.

    Examples
    --------
    >>> model, info = convert("lenet.onnx", mean=0.1307, std=0.3081)      # doctest: +SKIP
    """
    path = Path(path)
    options = _options(options)
    source = kind_of(path)
    first = dict(options)
    normalization = {name: first.pop(name) for name in ("mean", "std", "scale", "offset")}
    classes = first.pop("classes")
    if source == "mat":
        model, report = _from_mat(path, first)
    else:
        if first["activation"] and source not in ("pytorch", "safetensors"):
            fail("badOption", f"ACTIVATION is of no use for the source {source}")
        model, report = _reader(source)(path, first, module, verify)
    report = {"source": source, "layout": "", "reason": "", "left_out": [], **report}
    is_network = graph.is_network(model)
    if is_network:
        model = graph.tidy("convert", model)
        graph.plan("convert", model)
        if classes:
            model["classes"] = list(classes)
        normalize(model, **normalization)
    elif any(value is not None for value in normalization.values()):
        fail("badOption", f"'{path}' is no network, so its input cannot be scaled")
    info = {
        "file": os.fspath(path),
        "bytes": path.stat().st_size,
        "kind": "network" if is_network else "tensors",
        "layers": len(model["layers"]) if is_network else 0,
        "parameters": sum(
            int(np.size(graph.get_tensor(model, one))) for one in graph.tensors(model, True)
        ),
        **report,
    }
    if output is None:
        return model, info
    matfile.save(output, model, compress, caller="convert")
    return Path(output), info


_DEFAULTS: dict[str, Any] = {
    "layers": None,
    "activation": "",
    "input_size": None,
    "mean": None,
    "std": None,
    "scale": None,
    "offset": None,
    "classes": None,
}


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what a description of layers says with what was given directly."""
    merged: dict[str, Any] = parse_options("convert", _DEFAULTS, options)
    layers = merged["layers"]
    if isinstance(layers, str | os.PathLike):
        import yaml

        try:
            layers = yaml.safe_load(Path(layers).read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            first = str(error).split("\n")[0]
            fail("badFile", f"'{merged['layers']}' cannot be read as YAML or JSON: {first}")
    if isinstance(layers, Mapping):
        described = parse_options("convert", _DEFAULTS, layers)
        chosen = {k: v for k, v in merged.items() if k != "layers" and v not in (None, "")}
        merged = {**described, **chosen}
        layers = described["layers"]
    if layers is not None and not isinstance(layers, list | tuple):
        fail("badOption", f"LAYERS must be a list of names and types, but is {describe(layers)}")
    merged["layers"] = [_pairs(item) for item in layers] if layers else []
    size = merged["input_size"]
    if size is not None:
        numbers = np.ravel(np.asarray(size, float))
        if numbers.size not in (1, 2, 3) or not (numbers[~np.isnan(numbers)] >= 1).all():
            fail("badOption", f"INPUT_SIZE must be F, [H W C] or [F T], but is {describe(size)}")
        merged["input_size"] = row(numbers)
    return merged


def _pairs(item: Any) -> Any:
    """Make a dict of a layer's options the list of names and values that it stands for."""
    return [part for pair in item.items() for part in pair] if isinstance(item, Mapping) else item


def kind_of(path: Path) -> str:
    """Tell what a file is by its first bytes: 'mat', 'onnx', 'keras', 'pytorch', ...

    Raises
    ------
    FileError
        ``octcompress:convert:noFile``, ``badFile``.
    """
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is no ordinary file"
        if not path.exists():
            fail("noFile", f"there is no file '{path}'")
        fail("badFile", f"'{path}' {kind}")
    with open(path, "rb") as file:
        head = file.read(1024)
    if head[4:8] == b"TFL3":
        return "tflite"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras" if _is_keras(path) else "mat"
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 10**8:
        return "safetensors"
    if head[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04") and path.suffix in (
        ".pt",
        ".pth",
        ".bin",
    ):
        return "pytorch"
    if path.suffix == ".onnx" or (head[:1] == b"\x08" and b"\x12" in head[2:8]):
        return "onnx"
    return "mat"


def _is_keras(path: Path) -> bool:
    from pyoctcompress.importers.keras import MEMORY
    from pyoctcompress.matfile.hdf5 import opened

    try:
        with opened(path, MEMORY) as file:
            return (
                "model_config" in file.attrs
                or "keras_version" in file.attrs
                or ("layer_names" in file.attrs or "model_weights" in file)
            )
    except Fault as fault:
        raise fault.error("convert") from None


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        fail("damaged", f"'{path}' is a damaged zip archive: {error}")
    if "config.json" in names:
        return "keras"
    if any(name.endswith("data.pkl") for name in names):
        return "pytorch"
    fail("badFile", f"'{path}' is a zip archive, but holds no model of Keras or PyTorch")


def _reader(source: str) -> Callable[..., tuple[dict[str, Any], dict[str, Any]]]:
    """Import the reader of a source: its libraries are needed for it alone."""
    if source == "onnx":
        return _from_onnx
    if source == "tflite":
        return _from_tflite
    if source == "keras":
        return _from_keras
    return _from_state


def _from_onnx(path: Path, options: Any, module: Any, verify: bool) -> Any:
    from pyoctcompress.importers import onnx_graph

    model, builder, outputs = onnx_graph.read(path, options)
    check = checking.against_onnx(path, model, builder, outputs, verify)
    return model, {"layout": "onnx", "check": check}


def _from_tflite(path: Path, options: Any, module: Any, verify: bool) -> Any:
    from pyoctcompress.importers import tflite_graph

    model, builder, outputs = tflite_graph.read(path)
    check = checking.against_tflite(path, model, builder, outputs, verify)
    return model, {"layout": "tflite", "check": check}


def _from_keras(path: Path, options: Any, module: Any, verify: bool) -> Any:
    from pyoctcompress.importers import keras

    model, builder, outputs, config = keras.read(path, options)
    check = checking.against_keras(path, config, model, builder.input, outputs, verify)
    return model, {"layout": "keras", "check": check}


def _from_state(path: Path, options: Any, module: Any, verify: bool) -> Any:
    from pyoctcompress.importers import state

    model = state.read(path, options)
    layout = model["meta"]["source"]["layout"]
    return model, {"layout": layout, "check": checking.against_module(model, module, verify)}


def _from_mat(path: Path, options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    from pyoctcompress.files import recognized
    from pyoctcompress.importers import matlab_objects

    left_out: list[str] = []
    found = matfile.load(path, caller="convert", left_out=left_out)
    check = checking.not_checked("there is no runtime of its own")
    if "octc" in found:
        found = modelfile.read(path, caller="convert")[0]
    unread = ""
    if matlab_objects.are_in(left_out):
        try:
            model = matlab_objects.read(path)
        except FileError as error:
            if not graph.tensors(found):
                raise
            model, unread = None, error.message.removeprefix("convert: ")
        if model is not None:
            return model, {"layout": "matlab", "check": check}
    given = {name: options[name] for name in ("layers", "activation", "input_size")}
    model, report = recognized(path, found, **given)
    named = [name.removesuffix("_weight") for name in found if name.endswith("_weight")]
    if not report["layout"] and named:
        unread = unread or (
            f"its arrays are named as PyTorch's, but not how they are used; give layers, the order "
            f"of {', '.join(named)} and what stands between them, or activation for a chain of "
            "dense layers"
        )
    report["reason"] = report["reason"] or unread
    return model, {**report, "left_out": left_out, "check": check}


def normalize(
    model: dict[str, Any], mean: Any = None, std: Any = None, scale: Any = None, offset: Any = None
) -> None:
    """Put a ``scale`` layer before a network: (x - mean) / std, or scale * x + offset."""
    if (mean is not None or std is not None) and (scale is not None or offset is not None):
        fail("badOption", "give MEAN and STD, or SCALE and OFFSET, not both")
    if mean is not None or std is not None:
        spread = np.asarray(1.0 if std is None else std, float)
        if not (spread != 0).all():
            fail("badOption", "STD must not be 0")
        scale, offset = 1 / spread, -np.asarray(0.0 if mean is None else mean, float) / spread
    if scale is None and offset is None:
        return
    name = "normalize"
    while any(layer["name"] == name for layer in model["layers"]):
        name += "_"
    layer: dict[str, Any] = {"type": "scale", "name": name}
    for field, value in (("scale", scale), ("offset", offset)):
        if value is not None:
            layer[field] = np.asarray(value, np.float32).reshape(-1, 1)
    for other in model["layers"]:
        if "inputs" in other:
            reads = graph.names_in(other["inputs"])
            other["inputs"] = [name if one == "input" else one for one in reads]
    model["layers"].insert(0, layer)
    quantization = model.get("quantization", {})
    if "input" in quantization:  # the grid is that of what the network read until now
        layer["quantization"] = {"output": quantization.pop("input")}
        if not quantization:
            del model["quantization"]
    graph.plan("convert", model)
