"""Load a network, prune at 0.2 of each layer's largest weight, save it.

    python examples/prune_network.py

The rule of the article that this project grew from: weights whose magnitude is below a share of
the largest one become zero.
"""

import tempfile
from pathlib import Path

import pyoctcompress as oc

here = Path(__file__).resolve().parent
model = oc.load(here / "models" / "lenet300.mat")
x, y = oc.data(here / "data" / "mnist.mat", "test")

pruned, info = oc.prune(model, threshold=0.2)

before = oc.evaluate(model, x, y)
after = oc.evaluate(pruned, x, y)
file = Path(tempfile.gettempdir(), "lenet300_pruned.mat")
dense = oc.save(file, model, compress=True)
saved = oc.save(file, pruned, compress=True)

print(f"weights that are zero: {info['zeros']:.0f} of {info['count']:.0f} ({info['sparsity']:.1%})")
print(f"test error:            {before['error']:.2%} -> {after['error']:.2%}")
print(f"bytes on disk:         {dense['bytes']:.0f} -> {saved['bytes']:.0f}")
print(f"saved as {file}")
print(oc.info(pruned)["text"], end="")
