"""Deep Compression: prune, retrain, share weights, train what is shared, code by Huffman.

Run ``python examples/deep_compression.py [lenet5]``. The pipeline and the figures beside ours are
those of Han, Mao and Dally, ICLR 2016, arXiv:1510.00149.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import pyoctcompress as oc

HERE = Path(__file__).parent
# Of each network: the shares that are kept in each step; the bits of each layer; what the paper
# has: kept %, bits, after Huffman, bits of an index after Huffman, % of the layer's bytes.
LAYERS = {
    "lenet300": {
        "fc1": ((0.25, 0.12, 0.08), 6, (8, 6, 4.4, 3.7, 2.32)),
        "fc2": ((0.25, 0.14, 0.09), 6, (9, 6, 4.4, 4.3, 3.04)),
        "fc3": ((0.5, 0.35, 0.26), 6, (26, 6, 4.3, 3.2, 12.7)),
    },
    "lenet5": {
        "conv1": ((0.85, 0.75, 0.66), 8, (66, 8, 7.2, 1.5, 67.45)),
        "conv2": ((0.35, 0.2, 0.12), 8, (12, 8, 7.2, 3.9, 5.28)),
        "fc1": ((0.25, 0.12, 0.08), 5, (8, 5, 4.5, 4.5, 2.45)),
        "fc2": ((0.5, 0.3, 0.19), 5, (19, 5, 5.2, 3.7, 6.13)),
    },
}
PAPER = {
    "lenet300": "error 1.64%, 1.58%; 27 KB, 40x",
    "lenet5": "error 0.80%, 0.74%; 44 KB, 39x",
}


def main(network: str) -> None:
    """Compress, and print the table."""
    layers = LAYERS[network]
    original = oc.load(HERE / "models" / f"{network}.mat")
    size = np.ravel(original["input_size"]) if network == "lenet5" else ()
    train, test = (
        oc.DataFile(HERE / "data" / "mnist.mat", part, input_size=size)
        for part in ("train", "test")
    )

    model = original
    for step in range(3):
        for name, (kept, _, _) in layers.items():
            model, _ = oc.prune(model, sparsity=1 - kept[step], layers=[name])
        model, _ = oc.train(model, train, optimizer="adam", epochs=2, learning_rate=5e-4)
    pruned = oc.evaluate(model, test)["error"]
    bits = np.array([[float(bits) for _, bits, _ in layers.values()]])
    share = {"bits": bits, "scheme": "codebook", "codebook_start": "linear"}
    model, _ = oc.quantize_train(
        model, train, quantize=share, optimizer="adam", learning_rate=1e-4, epochs=1
    )
    shared = oc.evaluate(model, test)["error"]

    file = Path(tempfile.gettempdir(), "deep_compression.mat")
    saved = oc.save(file, model, coding="huffman")
    rows = {row["name"]: row for row in saved["rows"]}
    print("Each figure: ours / the paper's\n")
    print("| layer | kept % | bits | after Huffman | of an index | % of its bytes | bytes |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for layer in model["layers"]:
        if layer["name"] in layers:
            weights, row = layer["weights"], rows[f"{layer['name']}.weights"]
            _, wide, paper = layers[layer["name"]]
            left = np.count_nonzero(weights)
            codebook = rows[f"{layer['name']}.quantization.weights.codebook"]
            taken = row["bytes"] + codebook["bytes"]
            print(
                f"| {layer['name']} | {100 * left / weights.size:.0f} / {paper[0]} "
                f"| {wide} / {paper[1]} | {8 * row['codes'] / left:.1f} / {paper[2]} "
                f"| {8 * row['indices'] / left:.1f} / {paper[3]} "
                f"| {25 * taken / weights.size:.2f} / {paper[4]:.2f} | {taken:.0f} |"
            )
    whole = 4 * oc.info(original)["totals"]["parameters"]
    before = oc.evaluate(original, test)["error"]
    print(
        f"\ntest error {before:.2%}, pruned {pruned:.2%}, shared {shared:.2%}; "
        f"{saved['bytes']:.0f} bytes on disk, {whole / saved['bytes']:.0f}x"
    )
    print(f"the paper: {PAPER[network]}")
    smallest = oc.save(file, model, coding="auto")["bytes"]
    print(f"{smallest:.0f} bytes with coding='auto', {whole / smallest:.0f}x; saved as {file}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["lenet300"])
