"""Prune, fine-tune, quantize and distil a real network, and print what came of it.

    python examples/demo.py [--backend numpy] [--keep FOLDER]

The network is LeNet-300-100, trained on MNIST by `examples/train_lenet300.m`. Every figure is
measured in the run: errors over the 10,000 test images, bytes of the files written.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pyoctcompress as oc

HERE = Path(__file__).resolve().parent
TRAINING = {"optimizer": "adam", "schedule": "cosine", "verbose": False}
HEADS = ("network", "test error", "weights kept", "bits", "bytes on disk", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["octave", "numpy"], default="octave")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the files in this folder")
    options = parser.parse_args()
    backend = options.backend
    if backend == "numpy":
        print("Without Octave: everything below runs on the NumPy backend.")
    print("LeNet-300-100 on MNIST: prune, fine-tune, quantize, distil. About a minute.\n")

    data = HERE / "data" / "mnist.mat"
    x, y = oc.data(data, "train")
    x_test, y_test = oc.data(data, "test")
    folder = Path(options.keep or tempfile.mkdtemp(prefix="octcompress-demo-"))
    folder.mkdir(parents=True, exist_ok=True)

    print(" | ".join(f"{head:>13}" for head in HEADS).replace(" " * 6 + "network", "network      "))
    start = time.perf_counter()

    def show(name: str, model: dict) -> None:
        seconds = time.perf_counter() - start
        error = oc.evaluate(model, x_test, y_test, backend=backend)["error"]
        saved = oc.save(folder / f"{name.replace(' ', '-')}.mat", model, coding="auto")
        layers = [row for row in oc.info(model, backend=backend)["rows"] if row["parameters"]]
        kept = sum(row["nonzeros"] for row in layers) / sum(row["parameters"] for row in layers)
        bits = max(row["bits"] for row in layers)
        cells = (f"{error:.2%}", f"{kept:.1%}", f"{bits:.0f}", f"{saved['bytes']:,.0f}")
        print(f"{name:<13} | " + " | ".join(f"{c:>13}" for c in (*cells, f"{seconds:.1f}")))

    teacher = oc.load(HERE / "models" / "lenet300.mat")
    show("float", teacher)

    pruned, _ = oc.prune(teacher, sparsity=0.9, scope="global", backend=backend)
    show("pruned", pruned)
    pruned, _ = oc.train(pruned, x, y, epochs=4, learning_rate=1e-3, backend=backend, **TRAINING)
    show("+ fine-tuned", pruned)
    quantized, _ = oc.quantize(pruned, bits=4, granularity="channel", backend=backend)
    show("+ 4 bits", quantized)
    quantized, _ = oc.distill(
        teacher, quantized, x, y, loss="kl", temperature=4, alpha=0.7, epochs=2,
        learning_rate=3e-4, backend=backend, **TRAINING,
    )  # fmt: skip
    show("+ distilled", quantized)

    student = oc.load(HERE / "models" / "small30.mat")
    show("small", student)
    student, _ = oc.distill(
        teacher, student, x, y, loss="kl", temperature=4, alpha=0.9, epochs=8,
        learning_rate=2e-3, backend=backend, **TRAINING,
    )  # fmt: skip
    show("  distilled", student)
    student, _ = oc.quantize(student, bits=8, backend=backend)
    show("  + 8 bits", student)
    print(f"\nThe files are in {folder}.")


if __name__ == "__main__":
    main()
