"""Load a network, quantize its weights and activations to 8 bits, save it.

python examples/quantize_network.py
"""

import tempfile
from pathlib import Path

import pyoctcompress as oc

here = Path(__file__).resolve().parent
model = oc.load(here / "models" / "lenet300.mat")
calibration, _ = oc.data(here / "data" / "mnist.mat", "train", limit=1000)
x, y = oc.data(here / "data" / "mnist.mat", "test")

quantized, info = oc.quantize(model, bits=8, data=calibration)

before = oc.evaluate(model, x, y)
after = oc.evaluate(quantized, x, y)
file = Path(tempfile.gettempdir(), "lenet300_int8.mat")
dense = oc.save(file, model, compress=True)
saved = oc.save(file, quantized, compress=True)

for layer in info["layers"]:
    print(
        f"{layer['tensor']}: {layer['levels']:.0f} distinct codes, "
        f"largest error {layer['max_error']:.4f}"
    )
print(f"test error:    {before['error']:.2%} -> {after['error']:.2%}")
print(f"bytes on disk: {dense['bytes']:.0f} -> {saved['bytes']:.0f}")
print(f"saved as {file}")
