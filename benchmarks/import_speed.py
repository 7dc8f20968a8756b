"""What importing a large model costs beside reading its file and writing as much.

Run ``python benchmarks/import_speed.py [megabytes]`` (100). A chain of dense layers is written in
each format; then ``convert (IN, OUT.mat, verify=False)`` runs in a process of its own. The floor is
a process that reads the same file and writes its bytes to another. Median of three rounds in turn;
memory is the most that the process held, less that of one which only imports the libraries.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from common import python, rounds, table

WIDE, ROUNDS = 1280, 3
FLOOR = "data = open ({source!r}, 'rb').read (); open ({target!r}, 'wb').write (data)"
IMPORT = """
import pyoctcompress as oc
oc.convert ({source!r}, {target!r}, verify=False, **{options!r})
"""
LIBRARIES = "import pyoctcompress.importers, onnx, h5py, safetensors.numpy, tflite"


def layers_of(megabytes: float) -> list[np.ndarray]:
    """Give square matrices of so many bytes in all."""
    random = np.random.default_rng(0)
    count = max(int(megabytes * 1e6 / (4 * WIDE * WIDE)), 1)
    return [random.standard_normal((WIDE, WIDE), np.float32) for _ in range(count)]


def write_all(folder: Path, megabytes: float) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Write the model in each format: the file, and the options that its import needs."""
    import h5py
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from safetensors.numpy import save_file

    import pyoctcompress as oc
    from pyoctcompress import matfile

    weights = layers_of(megabytes)
    files: dict[str, tuple[Path, dict[str, Any]]] = {}
    net = {"net": [{"w": w, "b": np.zeros((WIDE, 1), np.float32)} for w in weights]}
    files[".mat v6"] = folder / "a.mat", {"activation": "relu"}
    matfile.save(folder / "a.mat", net)
    with h5py.File(folder / "b.mat", "w", userblock_size=512) as file:
        for k, w in enumerate(weights):
            item = file.create_dataset(f"l{k:03d}_weight", data=w.T)
            item.attrs["MATLAB_class"] = np.bytes_("single")
    with open(folder / "b.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    files[".mat v7.3"] = folder / "b.mat", {"activation": "relu"}
    save_file({f"l{k:03d}.weight": w for k, w in enumerate(weights)}, folder / "c.safetensors")
    files["safetensors"] = folder / "c.safetensors", {"activation": "relu"}
    nodes = [
        helper.make_node("Gemm", [f"x{k}", f"w{k}"], [f"x{k + 1}"], transB=1, name=f"n{k}")
        for k in range(len(weights))
    ]
    reads = [helper.make_tensor_value_info("x0", TensorProto.FLOAT, [1, WIDE])]
    last = f"x{len(weights)}"
    gives = [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, WIDE])]
    tensors = [numpy_helper.from_array(w, f"w{k}") for k, w in enumerate(weights)]
    graph = helper.make_graph(nodes, "g", reads, gives, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, folder / "d.onnx")
    files["ONNX"] = folder / "d.onnx", {}
    onnx.save(model, folder / "e.onnx", save_as_external_data=True, location="e.bin")
    files["ONNX, external"] = folder / "e.onnx", {}
    ours = {"layers": [{"type": "dense", "weights": w} for w in weights]}
    oc.export(ours, folder / "f.tflite", check=False, backend="numpy")
    files["TFLite"] = folder / "f.tflite", {}
    write_keras(folder / "g.h5", weights)
    files["Keras .h5"] = folder / "g.h5", {}
    return files


def write_keras(path: Path, weights: list[np.ndarray]) -> None:
    """Write a Sequential model as Keras 2 does."""
    import json

    import h5py

    names = [f"d{k}" for k in range(len(weights))]
    described = [
        {"class_name": "Dense", "config": {"name": name, "units": WIDE, "use_bias": False}}
        for name in names
    ]
    described[0]["config"]["batch_input_shape"] = [None, WIDE]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.4.0"
        config = {"class_name": "Sequential", "config": {"name": "m", "layers": described}}
        file.attrs["model_config"] = json.dumps(config)
        for name, w in zip(names, weights, strict=True):
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [b"kernel:0"]
            group["kernel:0"] = w


def seconds(code: str, most: dict[str, float], name: str) -> Callable[[], float]:
    """Make a measurement that also keeps the most memory."""

    def measure() -> float:
        start = time.perf_counter()
        _, memory = python(code)
        most[name] = max(most.get(name, 0), memory)
        return time.perf_counter() - start

    return measure


def main() -> None:
    """Print the table."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        folder = Path(place)
        # In another process: what starts from a large one counts as large.
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            files = other.submit(write_all, folder, megabytes).result()
        target = str(folder / "out.mat")
        most: dict[str, float] = {}
        rows = {"libraries": seconds(LIBRARIES, most, "libraries")}
        for name, (source, options) in files.items():
            data = source.with_suffix(".bin") if name == "ONNX, external" else source
            floor = FLOOR.format(source=str(data), target=target)
            rows[f"{name} floor"] = seconds(floor, most, f"{name} floor")
            code = IMPORT.format(source=str(source), target=target, options=options)
            rows[name] = seconds(code, most, name)
        found = rounds(rows, ROUNDS)
    empty, started = most["libraries"], found["libraries"]
    lines = []
    for name in files:
        lines.append([
            name,
            f"{found[f'{name} floor']:.2f}",
            f"{found[name]:.2f}",
            f"{found[name] - started:.2f}",
            f"{(most[name] - empty) / (megabytes * 1e6):.1f}",
        ])  # fmt: skip
    print(f"{megabytes:g} MB; starting Python with all libraries takes {started:.2f} s")
    heads = ["format", "floor, s", "import, s", "less the start, s", "memory / file"]
    print(table(heads, lines))


if __name__ == "__main__":
    main()
