"""The network engine beside PyTorch on the same machine: inference, training, convolutions.

    python benchmarks/engine.py [rounds] [--processor]

Both use two threads; with --processor one, the networks only, and times are of the processor, so
that other load on the machine counts little. Each round runs Octave and PyTorch in turn, each in
a process of its own, which takes the least of a few repetitions; the table has the medians over
the rounds. Inference is of a network made ready once, predict = nn_predict (model), as PyTorch's
module is; a second table has what that takes, and inference of a single image. A training step is
everything that nn_train does for a batch: the batch taken out of the data, forward, loss,
backward, SGD with momentum. "Operations alone" is what the matrix products and the passes over
whole arrays that the network needs take in Octave, in the engine's layout, each by itself
(engine_operations.m). The last table is what two processes with a thread and half of a batch each
take side by side, with nothing exchanged. Needs the extra `torch`; without it PyTorch's columns
are empty.
"""

from __future__ import annotations

import importlib.util
import re
import statistics
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import common

NETWORKS = {"lenet5": 128, "resnet8": 128, "mobilenet": 32}
LABELS = {"lenet5": "LeNet-5", "resnet8": "ResNet, 8 layers", "mobilenet": "MobileNet blocks"}
PROCESSOR = "--processor" in sys.argv
THREADS = 1 if PROCESSOR else 2
REPETITIONS = 8

TORCH = f"""
import sys, time
import torch
from torch import nn
torch.set_num_threads({THREADS})

def conv(ci, co, kernel, stride, groups=1):
    layer = nn.Conv2d(ci, co, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(co)]

class Residual(nn.Module):
    def __init__(self, ci, co, stride):
        super().__init__()
        self.main = nn.Sequential(*conv(ci, co, 3, stride), nn.ReLU(), *conv(co, co, 3, 1))
        self.short = nn.Sequential(*conv(ci, co, 1, stride)) if stride > 1 else nn.Identity()
    def forward(self, x):
        return torch.relu(self.main(x) + self.short(x))

def lenet5():
    return (1, 28, 28), nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))

def resnet8():
    return (3, 32, 32), nn.Sequential(
        *conv(3, 16, 3, 1), nn.ReLU(),
        Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

def mobilenet():
    layers = [*conv(3, 16, 3, 2), nn.ReLU6()]
    ci = 16
    for co, stride in [(32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)]:
        layers += [*conv(ci, ci, 3, stride, ci), nn.ReLU6(), *conv(ci, co, 1, 1), nn.ReLU6()]
        ci = co
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)]
    return (3, 96, 96), nn.Sequential(*layers)

clock = time.process_time if {PROCESSOR} else time.perf_counter

def least(f):
    f()
    f()
    seconds = []
    for _ in range({REPETITIONS}):
        start = clock()
        f()
        seconds.append(clock() - start)
    return 1e3 * min(seconds)

shape, model = globals()["NAME"]()
x, one, labels = torch.rand(BATCH, *shape), torch.rand(1, *shape), torch.arange(BATCH) % 10
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

def step():
    order = torch.randperm(BATCH)
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x[order]), labels[order]).backward()
    optimizer.step()

def predict(x):
    with torch.inference_mode():
        model(x)

model.eval()
print("predict_ms", least(lambda: predict(x)))
print("single_ms", least(lambda: predict(one)))
model.train()
print("train_ms", least(step))
"""


def figures(output: str) -> dict[str, float]:
    """Read the lines of a name and a number."""
    return {name: float(value) for name, value in re.findall(r"(\w+_m\w) ([\d.]+)", output)}


def measure_octave(name: str, batch: int, threads: int = THREADS) -> dict[str, float]:
    """Time one network in Octave; peak_mb is what its process held at most."""
    code = f"engine_times ('{name}', {batch}, {REPETITIONS}, {PROCESSOR:d});"
    output, peak = common.octave(code, threads)
    return {**figures(output), "peak_mb": peak / 1e6}


def measure_operations(name: str, batch: int) -> dict[str, float]:
    """Time the operations of one network in Octave, each alone."""
    code = f"engine_operations ('{name}', {batch}, {REPETITIONS});"
    return figures(common.octave(code, THREADS)[0])


def measure_torch(name: str, batch: int) -> dict[str, float]:
    """Time the same network in PyTorch."""
    output, _ = common.python(TORCH.replace("NAME", name).replace("BATCH", str(batch)))
    return figures(output)


def networks(rounds: int, has_torch: bool) -> None:
    seen: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name, batch in NETWORKS.items():
            seen[name, "octave"].append(measure_octave(name, batch))
            seen[name, "alone"].append(measure_operations(name, batch))
            if has_torch:
                seen[name, "torch"].append(measure_torch(name, batch))
    rows = []
    for name, batch in NETWORKS.items():
        ours = seen[name, "octave"]
        for what, label in (("predict", "inference"), ("train", "training step")):
            time = statistics.median(run[f"{what}_ms"] for run in ours)
            alone = statistics.median(run[f"{what}_alone_ms"] for run in seen[name, "alone"])
            row: list[object] = [f"{LABELS[name]}, {batch}", label, f"{time:.1f}", f"{alone:.1f}"]
            if has_torch:
                theirs = statistics.median(run[f"{what}_ms"] for run in seen[name, "torch"])
                row += [f"{theirs:.1f}", f"{time / theirs:.2f}", f"{alone / theirs:.2f}"]
            else:
                row += ["", "", ""]
            memory = ours[0]["results_mb"], ours[0]["peak_mb"]
            rows.append([*row, f"{memory[0]:.0f}", f"{memory[1]:.0f}"])
    heads = ["network, batch", "", "ms", "operations alone", "PyTorch ms", "ratio"]
    heads += ["alone / PyTorch", "results MB", "process MB"]
    print(common.table(heads, rows))
    print()
    singles(seen, has_torch)


def singles(seen: dict[tuple[str, str], list[dict[str, float]]], has_torch: bool) -> None:
    rows = []
    for name in NETWORKS:
        ready, single = (
            statistics.median(run[figure] for run in seen[name, "octave"])
            for figure in ("ready_ms", "single_ms")
        )
        row: list[object] = [LABELS[name], f"{ready:.1f}", f"{single:.1f}", "", ""]
        if has_torch:
            theirs = statistics.median(run["single_ms"] for run in seen[name, "torch"])
            row[3:] = [f"{theirs:.1f}", f"{single / theirs:.1f}"]
        rows.append(row)
    print(common.table(["network, one image", "ready ms", "ms", "PyTorch ms", "ratio"], rows))


def convolutions() -> None:
    output, _ = common.octave(f"engine_convolutions ({REPETITIONS});", THREADS)
    rows = []
    for line in re.findall(r"^convolution\|(.*)$", output, re.M):
        name, *rates = line.split("|")
        product, forward, backward = (float(rate) for rate in rates)
        known = product == product
        cells = [f"{product:.0f}", f"{forward / product:.0%}"] if known else ["", ""]
        rows.append([name, cells[0], f"{forward:.0f}", f"{backward:.0f}", cells[1]])
    heads = ["convolution", "product alone, GFLOP/s", "forward", "backward", "forward / product"]
    print(common.table(heads, rows))


def halves() -> None:
    rows = []
    for name, batch in NETWORKS.items():
        with ThreadPoolExecutor() as pool:
            runs = list(pool.map(measure_octave, [name] * 2, [batch // 2] * 2, [1] * 2))
        slower = [max(run[what] for run in runs) for what in ("predict_ms", "train_ms")]
        rows.append([f"{LABELS[name]}, 2 x {batch // 2}", *(f"{ms:.1f}" for ms in slower)])
    print(common.table(["two processes at a time", "inference, ms", "training step, ms"], rows))


def batches() -> None:
    rows = []
    for batch in (32, 64, 128, 256, 512):
        run = measure_octave("lenet5", batch)
        each = [f"{1e3 * run[what] / batch:.0f}" for what in ("predict_ms", "train_ms")]
        rows.append([batch, *each, f"{run['peak_mb']:.0f}"])
    heads = ["LeNet-5, batch", "inference, us an image", "training, us an image", "process MB"]
    print(common.table(heads, rows))


def main() -> None:
    rounds = next((int(word) for word in sys.argv[1:] if word.isdigit()), 3)
    has_torch = importlib.util.find_spec("torch") is not None
    if not has_torch:
        print("PyTorch is not installed: its columns are empty (pip install octcompress[torch])")
    networks(rounds, has_torch)
    if PROCESSOR:
        return
    print()
    convolutions()
    print()
    batches()
    print()
    halves()


if __name__ == "__main__":
    main()
