"""What the bridge costs over plain Octave for a model of 100 MB, from file to file.

Run ``python benchmarks/bridge_cost.py [megabytes]``. The work is: load, prune to sparsity 0.9,
save. It is done in turn by two plain Octaves that have already started and time themselves, and
through `pyoctcompress.prune`, so that other load on the machine meets all of them.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import pyoctcompress as oc
from pyoctcompress.octave import find_octave, package_folder
from pyoctcompress.octave.setup import command_line

ROUNDS = 7
_NUMBERS = itertools.count()
PLAIN = """
addpath ('{package}');
while true
  while ~isfile ('{start}')
    pause (0.002);
  end
  delete ('{start}');
  start = tic ();
  model = nn_prune (nn_load ('{model}'), 'sparsity', 0.9);
  nn_save ('{output}', model);
  clear model
  fprintf ('%.6f\\n', toc (start));
  fflush (stdout ());
end
"""


def plain_octave(model: Path, output: Path, environment: dict[str, str]) -> Callable[[], float]:
    """Start an Octave that does the work at each call and says how many seconds it took."""
    trigger = model.parent / f"start{next(_NUMBERS)}"
    code = PLAIN.format(package=package_folder(), model=model, output=output, start=trigger)
    process = subprocess.Popen(
        [find_octave(), "--no-gui", "--norc", "--quiet", "--eval", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )

    atexit.register(process.kill)

    def work() -> float:
        assert process.stdout is not None
        trigger.touch()
        return float(process.stdout.readline())

    return work


def timed(work: Callable[[], object]) -> Callable[[], float]:
    def measured() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return measured


def main() -> None:
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0
    n = round((megabytes * 1e6 / 4 / 4) ** 0.5)
    random = np.random.default_rng(0)
    layers = [
        {"type": "dense", "weights": np.asfortranarray(random.standard_normal((n, n), np.float32))}
        for _ in range(4)
    ]
    words = [word for word in shlex.split(command_line()) if word.startswith("GLIBC_")]
    tuned = dict(os.environ) | dict(word.split("=", 1) for word in words)
    with tempfile.TemporaryDirectory() as folder:
        model, output = Path(folder) / "model.mat", Path(folder) / "out.mat"
        size = oc.save(model, {"layers": layers})["bytes"]
        memory = oc.load(model)
        rows = {
            "plain Octave, the bridge's allocator settings": plain_octave(model, output, tuned),
            "bridge, file to file": timed(lambda: oc.prune(model, sparsity=0.9, output=output)),
            "plain Octave": plain_octave(model, output, dict(os.environ)),
            "bridge, arrays from Python and back": timed(lambda: oc.prune(memory, sparsity=0.9)),
        }
        times: dict[str, list[float]] = {name: [] for name in rows}
        for k in range(ROUNDS + 1):
            for name, work in rows.items():
                seconds = work()
                if k > 0:
                    times[name].append(seconds)
    base = statistics.median(times[next(iter(rows))])
    print(f"model of {size / 1e6:.0f} MB: load, prune to sparsity 0.9, save; {ROUNDS} rounds")
    print(f"{'':46}   median        least")
    for name, seen in times.items():
        median = statistics.median(seen)
        print(f"{name:46} {median:7.3f} s  {min(seen):7.3f} s  {100 * (median / base - 1):+6.1f}%")


if __name__ == "__main__":
    main()
