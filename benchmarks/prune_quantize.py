"""Prune to 90% and quantize to 8 bits, file to file, a model of 25 million weights.

    python benchmarks/prune_quantize.py [rounds]

Rows: Octave, the NumPy reference, PyTorch doing the same work in memory plus reading and writing
the bytes, and the floor: the bytes read and written. Medians of rounds taken in turn; a row's
time leaves out the start of its program. Needs the extra `torch` for the third row.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
from pathlib import Path

import common

SIZES = [(4096, 3072), (3072, 3072), (1000, 3072)]

MAKE = """
rand ('twister', 1);
sizes = [%s];
model = struct ();
for k = 1:size (sizes, 1)
  model.(sprintf ('W%%d', k)) = single (rand (sizes(k, :)) - 0.5) .^ 3;
end
nn_save ('%s', model);
"""

OCTAVE = """
tic;
model = nn_load ('{source}');
model = nn_prune (model, 'sparsity', 0.9);
model = nn_quantize (model, 8);
nn_save ('{target}', model);
fprintf ('seconds %.4f\\n', toc);
"""

REFERENCE = """
import time
import numpy as np
import pyoctcompress as oc
oc.prune(np.ones((2, 2)), sparsity=0.5, backend="numpy")
start = time.perf_counter()
model = oc.load("{source}")
model, _ = oc.prune(model, sparsity=0.9, backend="numpy")
model, _ = oc.quantize(model, bits=8, backend="numpy")
oc.save("{target}", model)
print("seconds", time.perf_counter() - start)
"""

TORCH = """
import time
import numpy as np, torch
torch.set_num_threads(2)
sizes = {sizes}
start = time.perf_counter()
flat = torch.from_numpy(np.fromfile("{source}", np.float32))
place = 0
for rows, columns in sizes:
    w = flat[place:place + rows * columns].view(rows, columns)
    place += rows * columns
    count = int(0.9 * w.numel())
    limit = torch.kthvalue(w.abs().view(-1), count).values
    w[w.abs() <= limit] = 0
    scale = w.abs().max() / 127
    w.copy_(torch.clamp(torch.round(w / scale), -127, 127) * scale)
flat.numpy().tofile("{target}")
print("seconds", time.perf_counter() - start)
"""

FLOOR = """
import time
start = time.perf_counter()
with open("{source}", "rb") as f:
    data = f.read()
with open("{target}", "wb") as f:
    f.write(data)
print("seconds", time.perf_counter() - start)
"""


def seconds(output: str) -> float:
    """Find the time that a row printed."""
    found = re.search(r"seconds ([\d.]+)", output)
    if found is None:
        raise SystemExit(f"no time in:\n{output}")
    return float(found.group(1))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "model.mat")
        target = Path(folder, "small.mat")
        shape = "; ".join(f"{r} {c}" for r, c in SIZES)
        common.octave(MAKE % (shape, source))
        names = {"source": source, "target": target, "sizes": SIZES}
        rows = {
            "Octave": lambda: common.octave(OCTAVE.format(**names)),
            "NumPy reference": lambda: common.python(REFERENCE.format(**names)),
            "PyTorch, bytes read and written": lambda: common.python(TORCH.format(**names)),
            "floor: the file read and written": lambda: common.python(FLOOR.format(**names)),
        }
        if importlib.util.find_spec("torch") is None:
            del rows["PyTorch, bytes read and written"]
            print("PyTorch is not installed: its row is left out (pip install octcompress[torch])")
        peaks: dict[str, float] = {}

        def measure(name: str) -> float:
            output, peaks[name] = rows[name]()
            return seconds(output)

        times = common.rounds({name: (lambda n=name: measure(n)) for name in rows}, count)
        floor = times["floor: the file read and written"]
        size = os.path.getsize(source)
        print(f"{sum(r * c for r, c in SIZES) / 1e6:.1f} million weights, {size / 1e6:.1f} MB\n")
        heads = ["", "seconds", "of the floor", "peak memory MB", "of the file"]
        cells = []
        for name, t in times.items():
            peak = peaks[name]
            cells.append([name, f"{t:.3f}", f"{t / floor:.1f}"])
            cells[-1] += [f"{peak / 1e6:.0f}", f"{peak / size:.1f}"]
        print(common.table(heads, cells))


if __name__ == "__main__":
    main()
