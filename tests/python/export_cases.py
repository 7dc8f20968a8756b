"""Networks for the tests of the exporters, and C programs made of several of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress import matfile
from pyoctcompress.exporters import to_c
from pyoctcompress.reference import layers as table
from pyoctcompress.reference import verbs
from pyoctcompress.reference.internal import value_array

VECTORS = matfile.load(Path(__file__).parents[1] / "vectors" / "layers.mat")["cases"]
GCC = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]


def layer(kind, name, **fields):
    return {"type": kind, "name": name, **fields}


SMALL = [
    layer("tanh", "y"),
    layer("gelu", "y"),
    layer("leakyrelu", "y", slope=0.3),
    layer("hardswish", "y"),
    layer("relu6", "y"),
    layer("relu", "y"),
    layer("softmax", "y"),
    layer("logsoftmax", "y"),
    layer("prelu", "y", slope=np.array([[0.3], [-0.2], [1.4], [0.01]], np.float32)),
    layer("upsample", "y", factor=2.0),
    layer("upsample", "y", factor=3.0, method="bilinear"),
    layer("upsample", "y", factor=np.array([[2.0, 5]]), method="bilinear"),
    layer("upsample", "y", factor=2.0, method="bilinear", align_corners=True),
    layer("globalmaxpool", "y"),
    layer("permute", "y", dimensions=np.array([[3.0, 1, 2]])),
    layer("reshape", "y", output_size=np.array([[5.0, 8, 3]]), order="chw"),
    layer("maxpool", "y", pool_size=2.0, padding=1.0),
]


def small_integers():
    """A convolution and one layer after it, on grids: type, network, inputs."""
    rng = np.random.default_rng(0)
    w = (rng.random((1, 1, 4, 4)) - 0.5).astype(np.float32)
    x = (2 * rng.standard_normal((6, 5, 4, 20))).astype(np.float32)
    for each in SMALL:
        model = {"input_size": np.array([[6.0, 5, 4]]), "layers": [
            layer("conv2d", "c", weights=w), each]}  # fmt: skip
        yield each["type"], verbs.quantize(model, data=x)[0], x


def single_layers(every=1):
    """One network for each vector whose layer reads one input: label, network, inputs, outputs."""
    for vector in VECTORS[::every]:
        if table.TYPES[vector["layer"]["type"]].several:
            continue
        fields = {
            name: value.astype(np.float32)
            if isinstance(value, np.ndarray) and value.dtype.kind == "f"
            else value
            for name, value in vector["layer"].items()
        }
        size = value_array(vector["in_size"][0]).reshape(1, -1)
        model = {"input_size": size, "layers": [{**fields, "name": "tested"}]}
        x = value_array(vector["x"][0]).astype(np.float32)
        dims = {1: 2, 2: 3, 3: 4}[size.size]
        x = x.reshape(x.shape + (1,) * (dims - x.ndim))
        yield vector["label"], model, x, value_array(verbs.predict(model, x))


def many_kinds():
    """A network with every kind of layer that has an integer form, and inputs."""
    rng = np.random.default_rng(3)

    def r(*shape):
        return (rng.random(shape) - 0.5).astype(np.float32)

    layers = [
        layer("conv2d", "c1", weights=r(3, 3, 4, 6), bias=r(6, 1), padding="same"),
        layer("relu6", "r1"),
        layer("conv2d", "dw", weights=r(3, 3, 1, 6), bias=r(6, 1), groups=6.0, padding=1.0),
        layer("relu", "r2"),
        layer("add", "a", inputs=["r1", "r2"]),
        layer("subtract", "s", inputs=["a", "r2"]),
        layer("multiply", "m", inputs=["a", "s"]),
        layer("zeropad", "z", padding=1.0),
        layer("maxpool", "p", pool_size=3.0, stride=2.0, padding="same"),
        layer("averagepool", "v", pool_size=3.0, stride=2.0, padding="same", inputs=["z"]),
        layer("concat", "k", inputs=["p", "v"]),
        layer("transposedconv2d", "t", weights=r(2, 2, 3, 12), stride=2.0),
        layer("sigmoid", "g"),
        layer("globalaveragepool", "ga"),
        layer("flatten", "f"),
        layer("dense", "d", weights=r(4, 3), bias=r(4, 1)),
        layer("softmax", "o"),
    ]
    return {"input_size": np.array([[9.0, 8.0, 4.0]]), "layers": layers}, r(9, 8, 4, 12)


def branches():
    """Several inputs, stretched ones, flattened images in all orders, two outputs."""
    rng = np.random.default_rng(4)

    def r(*shape):
        return (rng.random(shape) - 0.5).astype(np.float32)

    layers = [
        layer("conv2d", "c", weights=r(3, 3, 2, 4), bias=r(4, 1), stride=2.0, padding=1.0),
        layer("batchnorm", "b", scale=r(4, 1), offset=r(4, 1), mean=r(4, 1), variance=r(4, 1) + 1),
        layer("globalaveragepool", "pool"),
        layer("flatten", "features"),
        layer("dense", "gate", weights=r(4, 4)),
        layer("sigmoid", "sigma"),
        layer("multiply", "gated", inputs=["b", "sigma"]),
        layer("add", "sum", inputs=["gated", "b", "c"]),
        layer("concat", "wide", inputs=["sum", "c"], axis="W"),
        layer("flatten", "hwc"),
        layer("leakyrelu", "l", slope=0.2),
        layer("dense", "y1", weights=r(5, 96), bias=r(5, 1)),
        layer("flatten", "chw", inputs=["wide"], order="chw"),
        layer("flatten", "keras", inputs=["wide"], order="keras"),
        layer("subtract", "between", inputs=["chw", "keras"]),
        layer("dense", "y2", weights=r(3, 96)),
    ]
    size = np.array([[5.0, 7.0, 2.0]])
    return {"input_size": size, "layers": layers, "outputs": ["y1", "y2"]}, r(5, 7, 2, 6)


def c_outputs(folder: Path, cases: list[tuple[str, Any, np.ndarray]]) -> list[list[np.ndarray]]:
    """Compile networks that were written as C into one program, and run it.

    Parameters
    ----------
    cases : list
        Name of the C file, network as it was written, inputs (codes between integers).
    """
    main = "#include <stdio.h>\n" + "".join(f'#include "{name}.h"\n' for name, _, _ in cases)
    main += "int main (void)\n{\n  int i;\n"
    for name, network, x in cases:
        kind = "int8_t" if network.precision == "integer" else "float"
        main += f"""  for (i = 0; i < {len(to_c.to_layout(x))}; i++) {{
    static {kind} x[{name.upper()}_INPUTS], y[{name.upper()}_OUTPUTS];
    if (fread (x, sizeof (x), 1, stdin) != 1)
      return 1;
    {name}_run (x, y);
    fwrite (y, sizeof (y), 1, stdout);
  }}
"""
    (folder / "main.c").write_text(main + "  return 0;\n}\n")
    sources = ["main.c", *(f"{name}.c" for name, _, _ in cases)]
    command = ["gcc", *GCC, *sources, "-o", "program", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    given = b"".join(to_c.to_layout(x).tobytes() for _, _, x in cases)
    out = subprocess.run([folder / "program"], input=given, capture_output=True, check=True).stdout
    results, place = [], 0
    for _, network, x in cases:
        kind = np.int8 if network.precision == "integer" else np.float32
        sizes = [network.plan.sizes[k] for k in network.plan.outputs]
        counts = [int(np.prod(size)) for size in sizes]
        count = len(to_c.to_layout(x))
        rows = np.frombuffer(out, kind, count * sum(counts), place).reshape(count, -1)
        place += rows.nbytes
        parts = np.split(rows, np.cumsum(counts)[:-1], axis=1)
        results.append([to_c.from_layout(p, size) for p, size in zip(parts, sizes, strict=True)])
    assert place == len(out)
    return results


def apart(found, wanted):
    """The largest difference, relative to the largest number."""
    wanted = value_array(wanted)
    return abs(found.reshape(wanted.shape) - wanted).max() / max(abs(wanted).max(), 1e-9)
