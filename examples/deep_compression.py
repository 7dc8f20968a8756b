"""Deep Compression on LeNet-300-100: prune, retrain, share, train what is shared, Huffman.

Run ``python examples/deep_compression.py``. The pipeline and the figures beside ours are those of
Han, Mao and Dally, ICLR 2016, arXiv:1510.00149.
"""

import tempfile
from pathlib import Path

import numpy as np

import pyoctcompress as oc

HERE = Path(__file__).parent
PAPER = {"fc1": (8, 6, 4.4), "fc2": (9, 6, 4.4), "fc3": (26, 6, 4.3)}
STEPS = ((0.25, 0.25, 0.5), (0.12, 0.14, 0.35), (0.08, 0.09, 0.26))  # shares that are kept
BITS = 6


def main() -> None:
    """Compress, and print the table."""
    original = oc.load(HERE / "models" / "lenet300.mat")
    train = oc.DataFile(HERE / "data" / "mnist.mat", "train")
    test = oc.DataFile(HERE / "data" / "mnist.mat", "test")

    model = original
    for shares in STEPS:
        for name, share in zip(PAPER, shares, strict=True):
            model, _ = oc.prune(model, sparsity=1 - share, layers=[name])
        model, _ = oc.train(model, train, optimizer="adam", epochs=2, learning_rate=5e-4)
    pruned = oc.evaluate(model, test)["error"]
    share = {"bits": float(BITS), "scheme": "codebook", "codebook_start": "linear"}
    model, _ = oc.quantize_train(
        model, train, quantize=share, optimizer="adam", learning_rate=1e-4, epochs=1
    )
    shared = oc.evaluate(model, test)["error"]

    file = Path(tempfile.gettempdir(), "deep_compression.mat")
    saved = oc.save(file, model, coding="huffman")
    rows = {row["name"]: row for row in saved["rows"]}
    print("| layer | kept % | bits | after Huffman | index bits | bytes | paper |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for layer in model["layers"]:
        if layer["name"] in PAPER:
            row, left = rows[f"{layer['name']}.weights"], np.count_nonzero(layer["weights"])
            print(
                f"| {layer['name']} | {100 * left / layer['weights'].size:.0f} | {BITS} "
                f"| {8 * row['codes'] / left:.1f} | {8 * row['indices'] / left:.1f} "
                f"| {row['bytes']:.0f} | {', '.join(map(str, PAPER[layer['name']]))} |"
            )
    size = 4 * oc.info(original)["totals"]["parameters"]
    before = oc.evaluate(original, test)["error"]
    print(f"test error {before:.2%}, pruned {pruned:.2%}, shared {shared:.2%} (1.64%, 1.58%)")
    print(f"{saved['bytes']:,} bytes on disk, {size / saved['bytes']:.0f}x (paper 27 KB, 40x)")
    smallest = oc.save(file, model, coding="auto")["bytes"]
    print(f"{smallest:,} bytes with coding='auto', {size / smallest:.0f}x; saved as {file}")


if __name__ == "__main__":
    main()
