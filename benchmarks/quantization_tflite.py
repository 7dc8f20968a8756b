"""The integers of ``predict(..., arithmetic="integer")`` beside those of LiteRT.

Run ``python benchmarks/quantization_tflite.py``; it needs ``ai-edge-litert``, ``tflite`` and
``flatbuffers``. A network with every kind of layer that has an integer kernel, on random inputs,
and LeNet-5 (``examples/models``) on 1000 test images of MNIST are quantized per tensor and per
channel and exported as .tflite files with all activations as outputs. LiteRT's reference kernels
must give the codes of the rounding ``litert``. Its optimised kernels and its default, the XNNPACK
delegate, scale sums in other ways (XNNPACK in floating point): the codes that differ are counted.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import pyoctcompress as oc
from pyoctcompress.exporters import to_tflite
from pyoctcompress.reference import verbs
from pyoctcompress.reference.quant import encode_grid

KERNELS = {
    "reference": (OpResolverType.BUILTIN_REF, "litert"),
    "optimised": (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "litert"),
    "XNNPACK": (OpResolverType.BUILTIN, "single"),
}


def network() -> tuple[dict[str, Any], np.ndarray]:
    """Make a network with every kind of layer, and inputs for it."""
    rng = np.random.default_rng(3)

    def r(*shape: int) -> np.ndarray:
        return (rng.random(shape) - 0.5).astype(np.float32)

    def layer(kind: str, name: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "name": name, **fields}

    layers = [
        layer("conv2d", "c", weights=r(3, 3, 4, 6), bias=r(6, 1), padding="same"),
        layer("relu6", "r1"),
        layer("conv2d", "dw", weights=r(3, 3, 1, 6), bias=r(6, 1), groups=6.0, padding="same"),
        layer("relu", "r2"),
        layer("add", "a", inputs=["r1", "r2"]),
        layer("multiply", "m", inputs=["a", "r2"]),
        layer("leakyrelu", "l", slope=0.3),
        layer("hardswish", "h"),
        layer("maxpool", "p", pool_size=2.0, stride=2.0),
        layer("averagepool", "v", pool_size=2.0, stride=1.0),
        layer("flatten", "f", order="keras"),
        layer("dense", "d", weights=r(5, 54), bias=r(5, 1)),
        layer("softmax", "s"),
    ]
    return {"input_size": np.array([[9.0, 8.0, 4.0]]), "layers": layers}, r(9, 8, 4, 64)


def run(path: Path, resolver: OpResolverType, codes: np.ndarray) -> list[np.ndarray]:
    """Compute all outputs of a file, in our layout."""
    interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    outputs = interpreter.get_output_details()
    found: list[list[np.ndarray]] = [[] for _ in outputs]
    for row in to_tflite.to_layout(codes):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row[np.newaxis])
        interpreter.invoke()
        for place, detail in zip(found, outputs, strict=True):
            place.append(interpreter.get_tensor(detail["index"]))
    return [to_tflite.from_layout(np.concatenate(rows)) for rows in found]


def lenet5() -> tuple[dict[str, Any], np.ndarray]:
    """Read a trained network and images."""
    examples = Path(__file__).resolve().parent.parent / "examples"
    x, _ = oc.data(examples / "data" / "mnist.mat", limit=1000, input_size=[28, 28, 1])
    return oc.load(examples / "models" / "lenet5.mat"), x


def main() -> None:
    """Compare and print."""
    with tempfile.TemporaryDirectory() as folder:
        for title, (net, x) in {"all layers": network(), "LeNet-5": lenet5()}.items():
            for granularity in ("tensor", "channel"):
                compare(f"{title}, {granularity}", net, x, granularity, Path(folder, "n.tflite"))


def compare(title: str, net: Any, x: np.ndarray, granularity: str, path: Path) -> None:
    """Print how many codes differ, and by how much, in each layer."""
    model, _ = verbs.quantize(net, bits=8, granularity=granularity, data=x)
    ends = [k for k in model["layers"] if "output" in k.get("quantization", {})]
    model["outputs"] = [k["name"] for k in ends]
    to_tflite.write(model, path)
    codes = encode_grid(x, model["quantization"]["input"]).astype(np.int8)
    for kernels, (resolver, rounding) in KERNELS.items():
        ours = verbs.predict(model, x, arithmetic="integer", requantization=rounding)
        counts, most = [], 0
        for end, y, theirs in zip(ends, ours, run(path, resolver, codes), strict=True):
            own = encode_grid(y, end["quantization"]["output"])
            apart = np.abs(theirs.reshape(own.shape).astype(int) - own)
            counts.append(f"{end['name']} {np.count_nonzero(apart)} of {own.size}")
            most = max(most, int(apart.max()))
        listed = ", ".join(counts)
        print(f"{title}, {kernels} ({rounding}): codes that differ, by at most {most}: {listed}")
        assert kernels != "reference" or most == 0


if __name__ == "__main__":
    main()
