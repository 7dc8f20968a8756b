"""Load a large and a small network, let the small one learn the large one's outputs, save it.

python examples/distill_network.py
"""

import tempfile
from pathlib import Path

import pyoctcompress as oc

here = Path(__file__).resolve().parent
teacher = oc.load(here / "models" / "lenet300.mat")
student = oc.load(here / "models" / "small30.mat")
x, _ = oc.data(here / "data" / "mnist.mat", "train")
x_test, y_test = oc.data(here / "data" / "mnist.mat", "test")

# No labels: the teacher's outputs are all the student sees.
distilled, _ = oc.distill(
    teacher,
    student,
    x,
    loss="mse",
    epochs=5,
    optimizer="adam",
    learning_rate=0.002,
    schedule="cosine",
)

file = Path(tempfile.gettempdir(), "small30_distilled.mat")
saved = oc.save(file, distilled)
large, before, after = (
    oc.evaluate(model, x_test, y_test)["error"] for model in (teacher, student, distilled)
)
print(f"test error: teacher {large:.2%}, student before {before:.2%}, after {after:.2%}")
print(f"saved as {file} ({saved['bytes']:.0f} bytes)")
