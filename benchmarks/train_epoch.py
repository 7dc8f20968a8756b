"""An epoch of LeNet-300-100 on 60,000 images, batch 128: Octave's nn_train beside PyTorch's loop.

    python benchmarks/train_epoch.py [rounds]

Both on the same processors with the same batches' sizes, in turn; a row's time leaves out the
start of its program and the first epoch. The floor is the matrix products of the epoch alone, at
the rate that Octave's own product of 784 x 300 by 128 columns reaches. Needs the extra `torch` for
PyTorch's rows.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys

import common

OPTIMIZERS = {
    "sgd": ("'sgd', 'learning_rate', 0.05", "SGD(p, lr=0.05, momentum=0.9)"),
    "adam": ("'adam', 'learning_rate', 0.001", "Adam(p, lr=0.001)"),
}

OCTAVE = """
rand ('twister', 1);
X = rand (784, 60000, 'single');
Y = ceil (10 * rand (1, 60000));
model = nn_new ('input', 784, 'dense', 300, 'relu', 'dense', 100, 'relu', 'dense', 10);
[~, info] = nn_train (model, X, Y, 'epochs', 3, 'verbose', false, 'optimizer', %s);
fprintf ('seconds %%.4f\\n', min (info.history.seconds(2:end)));
"""

TORCH = """
import time
import torch
from torch import nn
torch.set_num_threads(%d)
torch.manual_seed(1)
x, y = torch.rand(60000, 784), torch.randint(10, (60000,))
model = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(),
                      nn.Linear(100, 10))
p = model.parameters()
optimizer = torch.optim.%s
loss = nn.CrossEntropyLoss()
best = 1e9
for epoch in range(3):
    start = time.perf_counter()
    order = torch.randperm(60000)
    for k in range(0, 60000, 128):
        which = order[k:k + 128]
        optimizer.zero_grad()
        loss(model(x[which]), y[which]).backward()
        optimizer.step()
    if epoch > 0:
        best = min(best, time.perf_counter() - start)
print("seconds", best)
"""

# Forward, the weights' gradients, and the inputs' gradients of all layers but the first.
FLOOR = """
w = rand (300, 784, 'single');
v = rand (100, 300, 'single');
x = rand (784, 128, 'single');
y = rand (300, 128, 'single');
z = rand (100, 128, 'single');
for round = 1:3
  tic;
  for k = 1:469
    a = w * x; b = y * x'; c = v * y; d = z * y'; e = v' * z;
  end
  seconds(round) = toc;
end
fprintf ('seconds %.4f\\n', min (seconds));
"""


def seconds(output: str) -> float:
    """Find the time that a row printed."""
    found = re.search(r"seconds ([\d.]+)", output)
    if found is None:
        raise SystemExit(f"no time in:\n{output}")
    return float(found.group(1))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    threads = min(2, os.cpu_count() or 1)
    torch = importlib.util.find_spec("torch") is not None
    if not torch:
        print("PyTorch is not installed: its rows are left out (pip install octcompress[torch])")
    rows = {"matrix products alone": lambda: seconds(common.octave(FLOOR, threads)[0])}
    for name, (ours, theirs) in OPTIMIZERS.items():
        rows[f"Octave, {name}"] = lambda o=ours: seconds(common.octave(OCTAVE % o, threads)[0])
        if torch:
            rows[f"PyTorch, {name}"] = lambda t=theirs: seconds(
                common.python(TORCH % (threads, t))[0]
            )
    times = common.rounds(rows, count)
    floor = times["matrix products alone"]
    cells = []
    for name, t in times.items():
        peer = times.get(name.replace("Octave", "PyTorch"))
        ratio = f"{t / peer:.2f}" if peer and name.startswith("Octave") else ""
        cells.append([name, f"{t:.2f}", f"{t / floor:.2f}", ratio])
    print(common.table(["", "seconds an epoch", "of the products", "of PyTorch"], cells))


if __name__ == "__main__":
    main()
