"""A sweep with one worker and with two: how much sooner the same rows are there.

    .venv/bin/python benchmarks/sweep.py [--configurations 12]

LeNet-300-100 pruned by OBS and put on grids of 2 to 4 bits. Each worker has one thread for its
matrix products, so that the comparison is of processes.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pyoctcompress as oc

HERE = Path(__file__).resolve().parent.parent / "examples"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--configurations", type=int, default=12)
    args = parser.parse_args()
    sparsities = [0.3 + 0.5 * k / args.configurations for k in range(args.configurations)]
    grid = {
        "prune.sparsity": sparsities,
        "prune.criterion": ["obs"],
        "prune.data": [True],
        "quantize.bits": [4],
        "quantize.granularity": ["channel"],
    }
    learn = oc.DataFile(HERE / "data" / "mnist.mat", "train")
    judge = oc.DataFile(HERE / "data" / "mnist.mat", "test")
    seconds = {}
    print(f"{'workers':>7}  {'seconds':>7}  {'of one':>6}  {'rows':>4}")
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            begin = time.monotonic()
            result = oc.sweep(
                HERE / "models" / "lenet300.mat",
                grid,
                Path(folder) / f"{workers}.jsonl",
                learn=learn,
                judge=judge,
                workers=workers,
            )
            seconds[workers] = time.monotonic() - begin
            rows = sum("error" in row for row in result["rows"])
            share = seconds[workers] / seconds[1]
            print(f"{workers:7}  {seconds[workers]:7.1f}  {share:6.2f}  {rows:4}", flush=True)


if __name__ == "__main__":
    main()
