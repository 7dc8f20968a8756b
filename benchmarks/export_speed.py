"""Time and memory of exporting a model of 100 MB, beside the least that it can take.

Run ``python benchmarks/export_speed.py``. The model is a chain of dense layers with 26 million
weights. Each row is a process of its own, in turn; the floor reads the model and writes its bytes
with NumPy, nothing else. Memory is the most that the process held, less what it holds after
its imports.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from common import python, table

ROWS = {
    "floor: load, write the bytes": "",
    ".onnx, float": "m.onnx",
    ".onnx, int8 weights": "w.onnx",
    ".tflite, float": "m.tflite",
    ".tflite, int8 weights": "w.tflite",
    ".safetensors": "m.safetensors",
    ".mat, v7.3": "m.mat",
}
ROUNDS = 3

MAKE = """
import numpy as np
import pyoctcompress as oc
random = np.random.default_rng(0)
sizes = [4096, 4096, 1536, 2048]
layers = [
    {{"type": "dense", "weights": np.asfortranarray(random.standard_normal((o, i), np.float32))}}
    for i, o in zip(sizes, sizes[1:])
]
oc.save("{folder}/model.mat", {{"layers": layers}})
small, _ = oc.quantize({{"layers": layers}}, 8, granularity="channel", backend="numpy")
oc.save("{folder}/small.mat", small)
"""

RUN = """
import resource, time
import numpy as np, onnx, tflite, flatbuffers, h5py
import pyoctcompress as oc
from pyoctcompress import exporters
from pyoctcompress.exporters import compare, to_c, to_mat73, to_onnx, to_safetensors, to_tflite
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
model = oc.load("{folder}/{model}.mat")
loaded = time.perf_counter()
if "{file}":
    oc.export(model, "{folder}/{file}", check=False)
else:
    with open("{folder}/floor", "wb") as file:
        for layer in model["layers"]:
            file.write(layer["weights"].T.data)
done = time.perf_counter()
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(loaded - started, done - loaded, (after - before) * 1024)
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        python(MAKE.format(folder=folder))
        seen: dict[str, list[list[float]]] = {name: [] for name in ROWS}
        for _ in range(ROUNDS):
            for name, file in ROWS.items():
                model = "small" if file.startswith("w") else "model"
                text, _ = python(RUN.format(folder=folder, file=file, model=model))
                seen[name].append([float(word) for word in text.split()[-3:]])
        rows = []
        for name, file in ROWS.items():
            columns = zip(*seen[name], strict=True)
            load, export, memory = (statistics.median(column) for column in columns)
            size = Path(folder, file or "floor").stat().st_size
            rows.append([name, f"{size / 1e6:.1f}", f"{load:.2f}", f"{export:.2f}",
                         f"{memory / 1e6:.0f}"])  # fmt: skip
    print(table(["", "MB written", "load, s", "export, s", "memory, MB"], rows))


if __name__ == "__main__":
    main()
