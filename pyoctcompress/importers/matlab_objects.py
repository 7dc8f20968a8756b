"""MATLAB's network objects without MATLAB: SeriesNetwork, DAGNetwork, dlnetwork, layer graphs."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress import matfile
from pyoctcompress.errors import OctcompressError
from pyoctcompress.importers.building import (
    Array,
    Builder,
    Unsupported,
    Value,
    fail,
    library,
    single,
)
from pyoctcompress.reference.layouts import row

_SECONDS = 300
_NETWORKS = ("SeriesNetwork", "DAGNetwork", "dlnetwork", "nnet.cnn.LayerGraph")


def are_in(left_out: Sequence[str]) -> bool:
    """Whether what the reader of .mat files left out are variables that are objects."""
    return any("MATLAB object" in one and "." not in one.partition(":")[0] for one in left_out)


def read(path: Path) -> dict[str, Any] | None:
    """Make a network of the first network object in a file; None where there is none.

    Parameters
    ----------
    path : path
        A .mat file.
    """
    for value in _objects(path).values():
        if isinstance(value, Mapping) and value.get("class") in _NETWORKS:
            return _network(path, value)
    return None


def _objects(path: Path) -> dict[str, Any]:
    """Read the variables in a process of its own, under limits."""
    library("matio", "a file with MATLAB objects")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    most = min(memory, 40 * path.stat().st_size + (2 << 30))
    with tempfile.TemporaryDirectory(prefix="octcompress-objects-") as folder:
        target = os.path.join(folder, "plain.mat")
        command = [sys.executable, "-m", "pyoctcompress.importers.matlab_child"]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        try:
            done = subprocess.run(
                [*command, os.path.abspath(path), target, str(_SECONDS), str(most)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=2 * _SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            fail("damaged", f"'{path}' cannot be read in {2 * _SECONDS} s")
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1][:200]
            why = said or f"its reader ended with {done.returncode}"
            fail("damaged", f"'{path}' is damaged, or its objects are of an unknown form: {why}")
        found: dict[str, Any] = matfile.load(target, caller="convert")["variables"]
    return found


def _find(value: Any, name: str, depth: int = 0) -> Any:
    """Find a field by its name, the nearest first."""
    if depth > 6 or not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    for inner in value.values():
        found = _find(inner, name, depth + 1)
        if found is not None:
            return found
    return None


def _network(path: Path, value: Mapping[str, Any]) -> dict[str, Any]:
    kind = value["class"]
    layers = _find(value, "Layers")
    layers = [layers] if isinstance(layers, Mapping) else layers
    if not isinstance(layers, list) or not layers:
        fail("unsupported", f"'{path}' holds a {kind} in which no Layers are found")
    described = [_described(layer) for layer in layers]
    unknown: dict[str, list[str]] = {}
    for one in described:
        if one["kind"] not in LAYERS:
            unknown.setdefault(one["kind"], []).append(one["Name"])
    if unknown:
        said = [f"{kind} ({', '.join(names[:5])})" for kind, names in sorted(unknown.items())]
        fail(
            "unsupported",
            f"'{path}' has layers that none of ours computes: {'; '.join(said)}",
        )
    build = Builder()
    reads = _connections(path, kind, value, described)
    values: dict[int, Value] = {}
    classes: list[str] = []
    faults = []
    for k, one in enumerate(described):
        if not all(j in values for j in reads[k]):
            continue
        try:
            found = LAYERS[one["kind"]](build, one, [values[j] for j in reads[k]])
        except (Unsupported, OctcompressError, KeyError, ValueError, TypeError) as why:
            faults.append(f"{one['kind']} ({one['Name']}): {why}")
            continue
        values[k] = found
        classes = classes or _classes(one)
    if faults or not build.layers:
        fail("unsupported", f"'{path}' cannot become a network: {'; '.join(faults) or 'no layer'}")
    read = {j for each in reads for j in each}
    model = build.model([values[k] for k in values if k not in read], "matlab", path)
    if classes:
        model["classes"] = classes
    return model


def _described(layer: Any) -> dict[str, Any]:
    """Give a layer's fields, its own ones and those of its saved state, and its kind."""
    if not isinstance(layer, Mapping):
        layer = {}
    inner = layer.get("any")
    fields = {**layer, **(inner if isinstance(inner, Mapping) else {})}
    name = fields.get("Name", "")
    kind = str(fields.get("class", "unknown")).rpartition(".")[2]
    return {**fields, "Name": name if isinstance(name, str) else "", "kind": kind}


def _connections(
    path: Path, kind: str, value: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]
) -> list[list[int]]:
    """Find which layers each one reads; without connections they are a chain."""
    table = _find(value, "Connections")
    if table is None:
        table = _find(value, "HiddenConnections")
    if table is None:
        if kind != "SeriesNetwork":
            fail("unsupported", f"'{path}' holds a {kind} in which no Connections are found")
        return [[k - 1] if k else [] for k in range(len(layers))]
    pairs: list[tuple[int, int, int]] = []
    if isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[1] in (2, 4):
        for entry in table.astype(int):  # source, (port,) destination, (port)
            wide = len(entry) == 4
            pairs.append((entry[2 if wide else 1] - 1, entry[3] if wide else 0, entry[0] - 1))
    else:
        names = [layer["Name"] for layer in layers]
        for entry in [table] if isinstance(table, Mapping) else table:
            source, target = (str(entry[key]) for key in ("Source", "Destination"))
            port = target.partition("/")[2]
            number = int("".join(c for c in port if c.isdigit()) or 0)
            stems = [one.partition("/")[0] for one in (target, source)]
            if not set(stems) <= set(names):
                fail("damaged", f"'{path}' connects {source} with {target}, which it has not")
            pairs.append((names.index(stems[0]), number, names.index(stems[1])))
    reads: list[list[int]] = [[] for _ in layers]
    for to, _, start in sorted(pairs):
        if not 0 <= start < to < len(layers):
            fail("unsupported", f"'{path}' has layers in no topological order")
        reads[to].append(start)
    return reads


def _classes(one: Mapping[str, Any]) -> list[str]:
    """Give the names of the classes that an output layer has."""
    found = _find(one.get("Categories"), "categoryNames")
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return found
    return []


# ------------------------------------------------------------------------------------ the layers

_Fields = Mapping[str, Any]


def _value(fields: _Fields, name: str) -> Array | None:
    """Give a learnable array, which may lie in a struct with its Value."""
    found = fields.get(name)
    while isinstance(found, Mapping):
        found = found.get("Value", found.get("any"))
    if found is None:
        return None
    array = np.asarray(found)
    return array if array.size and array.dtype.kind == "f" else None


def _must(fields: _Fields, name: str) -> Array:
    found = _value(fields, name)
    if found is None:
        raise Unsupported(f"it has no {name}, so it is not trained")
    return single(found)


def _numbers(fields: _Fields, name: str, default: Sequence[float]) -> list[int]:
    found = fields.get(name)
    if found is None or np.size(found) == 0:
        return [int(n) for n in default]
    return [int(n) for n in np.ravel(np.asarray(found, float))]


def _bias(fields: _Fields) -> dict[str, Any]:
    found = _value(fields, "Bias")
    return {} if found is None else {"bias": single(found).reshape(-1, 1)}


def _two(values: Sequence[int]) -> Any:
    values = list(values) * 2 if len(values) == 1 else values
    return float(values[0]) if values[0] == values[1] else row(values)


def _window(fields: _Fields) -> dict[str, Any]:
    found: dict[str, Any] = {"stride": _two(_numbers(fields, "Stride", [1, 1]))}
    if fields.get("PaddingMode") == "same":
        found["padding"] = "same"
    else:
        found["padding"] = row(_numbers(fields, "PaddingSize", [0, 0, 0, 0]))
    dilation = _numbers(fields, "DilationFactor", [1, 1])
    if dilation != [1, 1]:
        found["dilation"] = _two(dilation)
    return found


def _input(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    size = _numbers(one, "InputSize", [])
    if build.input.size:
        raise Unsupported("a second input")
    axes = {1: "NF", 3: "NHWC"}.get(len(size))
    if one["kind"] == "SequenceInputLayer" and len(size) == 1:
        size, axes = [size[0], np.nan], "NTF"  # type: ignore[list-item]
    if axes is None:
        raise Unsupported(f"an input of the size {size}")
    return _normalized(build, one, build.start(size, axes))


def _normalized(build: Builder, one: _Fields, value: Value) -> Value:
    """Add what the input layer does to its input."""
    given = one.get("Normalization")
    fields = {**one, **(given if isinstance(given, Mapping) else {})}
    kind = fields.get("Type", given) if isinstance(given, Mapping) else given
    if not isinstance(kind, str) or kind in ("", "none"):
        return value
    mean = _value(fields, "Mean")
    mean = _value(fields, "AverageImage") if mean is None else mean
    spread = _value(fields, "StandardDeviation")
    if kind == "zerocenter" and mean is not None:
        return build.add("scale", value, "zerocenter", offset=_constant(-mean))
    if kind == "zscore" and mean is not None and spread is not None:
        return build.add(
            "scale", value, "zscore", scale=_constant(1 / spread), offset=_constant(-mean / spread)
        )
    low, high = _value(fields, "Min"), _value(fields, "Max")
    if kind.startswith("rescale") and low is not None and high is not None:
        start, width = (-1.0, 2.0) if "symmetric" in kind else (0.0, 1.0)
        gain = width / (high - low)
        return build.add(
            "scale", value, "rescale", scale=_constant(gain), offset=_constant(start - low * gain)
        )
    raise Unsupported(f"the normalisation {kind}")


def _constant(array: Array) -> Array:
    """Give a constant as our scale layer takes it: 1 x 1, C x 1 or H x W x C."""
    array = np.asarray(array, np.float32)
    if array.ndim == 3 and array.shape[:2] == (1, 1):
        return array.reshape(-1, 1)
    return array if array.ndim > 1 else array.reshape(-1, 1)


def _conv(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    w = _must(one, "Weights")
    groups = 1
    if w.ndim == 5 or one["kind"] == "GroupedConvolution2DLayer":  # kh kw in out groups
        w = w.reshape((*w.shape, 1, 1, 1)[:5])
        groups = w.shape[4]
        w = np.concatenate([w[..., k] for k in range(groups)], axis=3)
    w = np.asfortranarray(w.reshape((*w.shape, 1, 1)[:4]))
    fields = {"weights": w, "weights_size": row(w.shape), **_bias(one), **_window(one)}
    if groups != 1:
        fields["groups"] = float(groups)
    return build.add("conv2d", reads, one["Name"], **fields)


def _conv_transpose(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    w = _must(one, "Weights")
    w = w.reshape((*w.shape, 1, 1)[:4])
    window = _window({**one, "PaddingMode": one.get("CroppingMode"),
                      "PaddingSize": one.get("CroppingSize")})  # fmt: skip
    fields = {"weights": w, "weights_size": row(w.shape), **_bias(one), **window}
    return build.add("transposedconv2d", reads, one["Name"], **fields)


def _dense(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    w = _must(one, "Weights")
    value = reads[0]
    if w.ndim == 4 or len(value.size) == 3:
        if w.ndim > 2:  # height, width, channels, outputs: MATLAB's order is ours
            w = w.reshape(-1, w.shape[-1], order="F").T
        flat = build.add("flatten", value, f"{one['Name']}_flatten", "NF")
        value = flat
    w = np.asfortranarray(w)
    return build.add("dense", value, one["Name"], weights=w, **_bias(one))


def _batchnorm(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    names = ("Scale", "Offset", "TrainedMean", "TrainedVariance")
    arrays = [_must(one, name).reshape(-1, 1) for name in names]
    ours = ("scale", "offset", "mean", "variance")
    fields: dict[str, Any] = dict(zip(ours, arrays, strict=True))
    epsilon = float(np.ravel(one.get("Epsilon", 1e-5))[0])
    return build.add("batchnorm", reads, one["Name"], **fields, epsilon=epsilon)


def _pool(kind: str) -> Callable[[Builder, _Fields, list[Value]], Value]:
    def add(build: Builder, one: _Fields, reads: list[Value]) -> Value:
        if one.get("PaddingValue") not in (None, 0, 0.0) and kind == "averagepool":
            raise Unsupported("another padding value than 0")
        fields = {"pool_size": _two(_numbers(one, "PoolSize", [])), **_window(one)}
        if kind == "averagepool" and np.any(fields["padding"] != row([0, 0, 0, 0])):
            fields["count_include_pad"] = True
        return build.add(kind, reads, one["Name"], **fields)

    return add


def _plain(kind: str, **renamed: str) -> Callable[[Builder, _Fields, list[Value]], Value]:
    """Make the reader of a layer without arrays; `renamed`: our field to MATLAB's."""

    def add(build: Builder, one: _Fields, reads: list[Value]) -> Value:
        fields: dict[str, Any] = {
            ours: float(np.ravel(one[theirs])[0])
            for ours, theirs in renamed.items()
            if theirs in one
        }
        return build.add(kind, reads, one["Name"], **fields)

    return add


def _clipped(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    ceiling = float(np.ravel(one.get("Ceiling", 0))[0])
    if ceiling != 6:
        raise Unsupported(f"the ceiling {ceiling:g}, where only 6 is known")
    return build.add("relu6", reads, one["Name"])


def _concatenation(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    dim = _numbers(one, "Dim", [3])[0] if one["kind"] != "DepthConcatenationLayer" else 3
    names = reads[0].names
    axis = names[dim - 1] if dim <= len(names) else "?"
    return build.add("concat", reads, one["Name"], axis=axis)


def _output(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    value = reads[0]
    if len(value.size) == 3 and value.size[:2] == (1, 1):
        return build.add("flatten", value, "", "NF")
    return value


def _flatten(build: Builder, one: _Fields, reads: list[Value]) -> Value:
    return build.add("flatten", reads, one["Name"], "NF")


def _recurrent(kind: str) -> Callable[[Builder, _Fields, list[Value]], Value]:
    def add(build: Builder, one: _Fields, reads: list[Value]) -> Value:
        w, recurrent = _must(one, "InputWeights"), _must(one, "RecurrentWeights")
        fields: dict[str, Any] = {"weights": w, "recurrent_weights": recurrent, **_bias(one)}
        if kind == "gru":
            mode = one.get("ResetGateMode", "after-multiplication")
            if mode == "recurrent-bias-after-multiplication":
                rows = w.shape[0]
                both = fields["bias"]
                fields["bias"], fields["recurrent_bias"] = both[:rows], both[rows:]
            elif mode == "before-multiplication":
                fields["reset_after"] = False
        modes = (("StateActivationFunction", "tanh"), ("GateActivationFunction", "sigmoid"))
        for name, known in modes:
            if one.get(name, known) != known:
                raise Unsupported(f"{name} {one[name]}")
        last = (
            one.get("OutputMode", "sequence") == "last"
            or not np.ravel(one.get("ReturnSequence", True)).all()
        )
        if last:
            fields["result"] = "last"
        return build.add(kind, reads, one["Name"], "NF" if last else "", **fields)

    return add


LAYERS: dict[str, Callable[[Builder, _Fields, list[Value]], Value]] = {
    "ImageInputLayer": _input,
    "FeatureInputLayer": _input,
    "SequenceInputLayer": _input,
    "Convolution2DLayer": _conv,
    "GroupedConvolution2DLayer": _conv,
    "TransposedConvolution2DLayer": _conv_transpose,
    "FullyConnectedLayer": _dense,
    "BatchNormalizationLayer": _batchnorm,
    "ReLULayer": _plain("relu"),
    "LeakyReLULayer": _plain("leakyrelu", slope="Scale"),
    "ClippedReLULayer": _clipped,
    "ELULayer": _plain("elu", alpha="Alpha"),
    "GELULayer": _plain("gelu"),
    "SwishLayer": _plain("swish"),
    "TanhLayer": _plain("tanh"),
    "SigmoidLayer": _plain("sigmoid"),
    "SoftmaxLayer": _plain("softmax"),
    "DropoutLayer": _plain("dropout", rate="Probability"),
    "MaxPooling2DLayer": _pool("maxpool"),
    "AveragePooling2DLayer": _pool("averagepool"),
    "GlobalAveragePooling2DLayer": _plain("globalaveragepool"),
    "GlobalMaxPooling2DLayer": _plain("globalmaxpool"),
    "AdditionLayer": _plain("add"),
    "MultiplicationLayer": _plain("multiply"),
    "ConcatenationLayer": _concatenation,
    "DepthConcatenationLayer": _concatenation,
    "FlattenLayer": _flatten,
    "LSTMLayer": _recurrent("lstm"),
    "GRULayer": _recurrent("gru"),
    "ClassificationOutputLayer": _output,
    "RegressionOutputLayer": _output,
}
