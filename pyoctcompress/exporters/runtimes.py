"""The runtimes that exported files are measured in.

Each function takes the file, the network as it was written, and inputs in our layout; it gives the
outputs in our layout, as numbers, and the name of the runtime.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import importlib.metadata
import math
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress import matfile
from pyoctcompress.errors import OctcompressError
from pyoctcompress.exporters.constants import CALLER
from pyoctcompress.exporters.network import Network
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import Array
from pyoctcompress.reference.quant import Grid, decode_grid, encode_grid

_BATCH = 256
_SECONDS = 600  # for a C compiler, or for a program that it made


class Missing(Exception):
    """The runtime is not there; the text says so."""


def run_onnx(path: Path, network: Network, x: Array) -> tuple[list[Array], str]:
    """Run an ONNX file in ONNX Runtime."""
    try:
        import onnxruntime
    except ImportError:
        raise Missing("onnxruntime is not installed") from None
    from pyoctcompress.exporters.to_onnx import from_layout, to_layout

    session = onnx_session(path)
    name, parts = session.get_inputs()[0].name, []
    for batch in batches(x):
        parts.append([from_layout(y) for y in session.run(None, {name: to_layout(batch)})])
    return joined(parts), f"ONNX Runtime {onnxruntime.__version__}"


def onnx_session(path: str | Path, threads: int = 0) -> Any:
    """Open an ONNX file in ONNX Runtime, so that its sums of 8-bit products are right.

    On x86-64 without VNNI (AVX2 and older AVX-512) it adds pairs of products in 16 bits, which
    overflow without a word, unless the option below makes it use slower instructions.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, threads
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(os.fspath(path), options)


def run_tflite(path: Path, network: Network, x: Array) -> tuple[list[Array], str]:
    """Run a .tflite file in LiteRT, one observation at a time."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise Missing("ai-edge-litert is not installed") from None
    from pyoctcompress.exporters.to_tflite import from_layout, to_layout

    interpreter = Interpreter(os.fspath(path))
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    outputs = interpreter.get_output_details()
    given = to_layout(coded(x, network))
    found: list[list[Array]] = [[] for _ in outputs]
    for row in given:
        interpreter.set_tensor(source, row[np.newaxis])
        interpreter.invoke()
        for place, detail in zip(found, outputs, strict=True):
            place.append(interpreter.get_tensor(detail["index"]))
    values = [from_layout(np.concatenate(rows)) for rows in found]
    version = importlib.metadata.version("ai-edge-litert")
    return decoded(values, network), f"LiteRT {version}"


def run_c(path: Path, network: Network, x: Array) -> tuple[list[Array], str]:
    """Compile C, and run it."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise Missing("there is no C compiler (cc, gcc or clang)")
    from pyoctcompress.exporters.to_c import from_layout, to_layout

    header = path.with_suffix(".h").read_text(encoding="utf-8")
    name = header.partition("void ")[2].partition("_run")[0]
    kind = "int8_t" if network.precision == "integer" else "float"
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder, "main.c")
        main.write_text(MAIN.format(file=path.stem, name=name, NAME=name.upper(), kind=kind))
        program = Path(folder, "program")
        sources = [os.fspath(main), os.fspath(path.absolute())]
        command = [compiler, "-std=c99", "-O2", *sources, "-o", os.fspath(program), "-lm"]
        include = ["-I", os.fspath(path.absolute().parent)]
        subprocess.run([*command, *include], check=True, capture_output=True, timeout=_SECONDS)
        given = to_layout(coded(x, network)).tobytes()
        done = subprocess.run(
            [program], input=given, check=True, capture_output=True, timeout=_SECONDS
        )
    version = subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, check=False
    ).stdout.partition("\n")[0]
    dtype = np.int8 if kind == "int8_t" else np.float32
    rows = np.frombuffer(done.stdout, dtype).reshape(x.shape[graph.observation_axis(x)], -1)
    values, place = [], 0
    for k in network.plan.outputs:
        size = network.plan.sizes[k]
        count = math.prod(size)
        values.append(from_layout(rows[:, place : place + count], size))
        place += count
    return decoded(values, network), f"C ({version})"


MAIN = """#include <stdio.h>
#include "{file}.h"

int main (void)
{{
  static {kind} x[{NAME}_INPUTS], y[{NAME}_OUTPUTS];
  while (fread (x, sizeof (x), 1, stdin) == 1) {{
    {name}_run (x, y);
    if (fwrite (y, sizeof (y), 1, stdout) != 1)
      return 1;
  }}
  return 0;
}}
"""


def run_mat73(path: Path, network: Network, x: Array) -> tuple[list[Array], str]:
    """Read a v7.3 file again, and compute in NumPy."""
    values = graph.predict(CALLER, matfile.load(path), x, _BATCH)
    return values, "NumPy, from the file that was read again,"


def run_source(path: Path, network: Network, x: Array) -> tuple[list[Array], str]:
    """Convert a file of another layout again, and compute in NumPy.

    What stands between dense layers, and how images are scaled, is not in every layout; it is
    taken from the network that was written.
    """
    from pyoctcompress.importers import convert

    layers = network.layers
    kinds = [layer["type"] for layer in layers if layer["type"] not in ("dense", "scale")]
    options = {"activation": kinds[0]} if kinds and len(layers) > 2 else {}
    options["input_size"] = network.input_size
    for more in (options, {"input_size": network.input_size}, {}):
        try:
            model, _ = convert(path, verify=False, **more)
        except OctcompressError as error:
            reason = error.message
            continue
        if graph.is_network(model):
            break
        reason = "its layout does not say how the layers are connected"
    else:
        raise Missing(f"the file could not be converted again: {reason}")
    if layers[0]["type"] == "scale" and model["layers"][0]["type"] != "scale":
        model["layers"] = [layers[0], *model["layers"]]
    try:
        values = graph.predict(CALLER, model, x, _BATCH)
    except OctcompressError as error:
        raise Missing(f"the file that was converted again does not run: {error.message}") from None
    return values, "NumPy, from the file that was converted again,"


def batches(x: Array) -> list[Array]:
    """Cut inputs into batches."""
    axis = graph.observation_axis(x)
    places = range(0, x.shape[axis], _BATCH)
    return [x.take(range(k, min(k + _BATCH, x.shape[axis])), axis) for k in places]


def joined(parts: list[list[Array]]) -> list[Array]:
    """Put the outputs of batches together."""
    return [
        np.concatenate(part, axis=graph.observation_axis(part[0]))
        for part in zip(*parts, strict=True)
    ]


def coded(x: Array, network: Network) -> Array:
    """Give inputs as their codes, between integers."""
    grid = network.output_grid(-1)
    return x if grid is None else encode_grid(x, grid).astype(np.int8)


def decoded(values: list[Array], network: Network) -> list[Array]:
    """Give outputs as numbers: those of the codes, between integers."""
    if network.precision != "integer":
        return values
    grids = network.output_grids()
    return [decode(value, grid) for value, grid in zip(values, grids, strict=True)]


def decode(codes: Array, grid: Grid | None) -> Any:
    """Return the numbers that codes stand for."""
    assert grid is not None
    return decode_grid(codes, grid, np.float32)
