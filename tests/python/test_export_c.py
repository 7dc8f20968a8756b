"""Networks as C99: compiled with all warnings as errors, run, and compared."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from pyoctcompress.errors import ModelError, OctcompressError, OptionError
from pyoctcompress.exporters import c_file, to_c
from pyoctcompress.reference import verbs
from pyoctcompress.reference.quant import encode_grid

from .export_cases import (
    apart,
    branches,
    c_outputs,
    layer,
    many_kinds,
    single_layers,
    small_integers,
)

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def test_float(tmp_path):
    """A tenth of the vectors, branches, and each way to hold weights: 1e-5."""
    cases, wanted = [], []
    for label, model, x, y in single_layers(every=10):
        cases.append((f"m{len(cases)}", to_c.write(model, tmp_path / f"m{len(cases)}.c"), x))
        wanted.append((label, [y]))
    model, x = branches()
    held = [
        ({}, {}),
        ({"bits": 3, "granularity": "channel"}, {"storage": "packed"}),
        ({"bits": 5, "scheme": "affine"}, {}),
        ({"bits": 4, "granularity": "channel"}, {"storage": "dense"}),
        ({"bits": 2, "granularity": "channel"}, {"storage": "sparse"}),
        ({"bits": 4, "scheme": "codebook"}, {}),
        ({"bits": 4, "granularity": "group", "group_size": 3}, {}),
        ({"scheme": "bf16"}, {}),
    ]
    for grid, options in held:
        small = verbs.quantize(model, **grid)[0] if grid else model
        name = f"m{len(cases)}"
        cases.append((name, to_c.write(small, tmp_path / f"{name}.c", **options), x))
        wanted.append((str(grid), verbs.predict(small, x)))
    pruned, _ = verbs.prune(model, sparsity=0.9)
    name = f"m{len(cases)}"
    cases.append((name, to_c.write(pruned, tmp_path / f"{name}.c"), x))
    wanted.append(("pruned", verbs.predict(pruned, x)))
    assert "y1: sparse" in (tmp_path / f"{name}.h").read_text()
    for (label, own), found in zip(wanted, c_outputs(tmp_path, cases), strict=True):
        for y, each in zip(found, own, strict=True):
            assert apart(y, each) < 1e-5, label


def test_integers(tmp_path):
    """Every activation of every kind of layer, in each storage and rounding: to the bit."""
    cases, wanted = [], []
    model, x = many_kinds()
    for grid, options in (
        ({}, {}),
        ({"granularity": "channel"}, {"storage": "dense", "requantization": "single"}),
        ({"bits": 4, "granularity": "channel"}, {"storage": "packed"}),
        ({"bits": 3}, {"storage": "sparse"}),
        ({"bits": 5, "fuse": False}, {}),
        ({"bits": 8, "activation_scheme": "symmetric"}, {}),
    ):
        whole = {"fuse", "activation_scheme"}.isdisjoint(grid)
        start = model if whole else {**model, "layers": model["layers"][:-1]}
        small, _ = verbs.quantize(start, data=x, **grid)
        ends = [k for k in small["layers"] if "output" in k.get("quantization", {})]
        small["outputs"] = [k["name"] for k in ends]
        name = f"m{len(cases)}"
        network = to_c.write(small, tmp_path / f"{name}.c", **options)
        rounding = options.get("requantization", "double")
        ours = verbs.predict(small, x, arithmetic="integer", requantization=rounding)
        grids = [k["quantization"]["output"] for k in ends]
        codes = encode_grid(x, small["quantization"]["input"]).astype(np.int8)
        cases.append((name, network, codes))
        wanted.append([encode_grid(y, g) for y, g in zip(ours, grids, strict=True)])
    for own, found, (name, network, _) in zip(
        wanted, c_outputs(tmp_path, cases), cases, strict=True
    ):
        for k, y, each in zip(network.plan.outputs, found, own, strict=True):
            where = f"{name}, {network.layers[k]['name']}"
            assert np.array_equal(y.reshape(each.shape), each), where


@pytest.mark.parametrize("rounding", ["double", "single"])
def test_integers_of_other_layers(rounding, tmp_path):
    cases, wanted = [], []
    for kind, model, x in small_integers():
        name = f"m{len(cases)}"
        network = to_c.write(model, tmp_path / f"{name}.c", requantization=rounding)
        codes = encode_grid(x, model["quantization"]["input"]).astype(np.int8)
        cases.append((name, network, codes))
        own = verbs.predict(model, x, arithmetic="integer", requantization=rounding)
        wanted.append((kind, encode_grid(own, network.output_grids()[0])))
    for (kind, own), found in zip(wanted, c_outputs(tmp_path, cases), strict=True):
        assert np.array_equal(found[0].reshape(own.shape), own), kind


def test_codes_in_and_out(tmp_path):
    """The functions between numbers and codes; and the size of the memory is what is there."""
    model, x = many_kinds()
    model, _ = verbs.quantize(model, data=x)
    to_c.write(model, tmp_path / "net.c")
    text, header = (tmp_path / "net.c").read_text(), (tmp_path / "net.h").read_text()
    stated = int(re.search(r"NET_MEMORY_BYTES (\d+)", header)[1])
    arrays = re.findall(r"^static int8_t (?:memory|scratch)\[(\d+)\]", text, re.M)
    assert sum(map(int, arrays)) == stated
    for word in ("malloc", "alloca", "stdlib"):
        assert word not in text
    main = """#include <stdio.h>
#include "net.h"
int main (void)
{
  static float x[NET_INPUTS], y[NET_OUTPUTS];
  static int8_t in[NET_INPUTS], out[NET_OUTPUTS];
  while (fread (x, sizeof (x), 1, stdin) == 1) {
    net_encode (x, in);
    net_run (in, out);
    net_decode (out, y);
    fwrite (y, sizeof (y), 1, stdout);
  }
  return 0;
}
"""
    import subprocess

    from .export_cases import GCC

    (tmp_path / "main.c").write_text(main)
    subprocess.run(["gcc", *GCC, "main.c", "net.c", "-o", "p", "-lm"], cwd=tmp_path, check=True)
    given = to_c.to_layout(3 * x).tobytes()
    done = subprocess.run([tmp_path / "p"], input=given, capture_output=True, check=True)
    found = np.frombuffer(done.stdout, np.float32).reshape(-1, 4).T
    assert np.array_equal(found, verbs.predict(model, 3 * x, arithmetic="integer"))


def test_any_names(tmp_path):
    """Names of layers and files that are none in C, a double network, two outputs of one layer."""
    rng = np.random.default_rng(2)
    layers = [
        layer("dense", "*/ x", weights=rng.standard_normal((3, 4)), bias=np.ones((3, 1))),
        layer("relu", "für 1"),
        layer("dropout", "1"),
        layer("dense", "für_1", weights=rng.standard_normal((2, 3))),
    ]
    model = {"layers": layers, "outputs": ["1", "für_1", "für 1"]}
    x = rng.standard_normal((4, 5))
    network = to_c.write(model, tmp_path / "2 näts.c", name="n")
    (tmp_path / "2 näts.c").rename(tmp_path / "n.c")
    (tmp_path / "n.h").write_bytes((tmp_path / "2 näts.h").read_bytes())
    (found,) = c_outputs(tmp_path, [("n", network, x.astype(np.float32))])
    for y, wanted in zip(found, verbs.predict(model, x), strict=True):
        assert apart(y, wanted) < 1e-5
    with pytest.raises(OctcompressError, match="cannot stand in a line of C"):
        to_c.write(model, tmp_path / 'a"b.c')


def test_memory_is_shared():
    memory = c_file.Memory()
    for span in ((10, 0, 1), (20, 1, 2), (10, 2, 3), (5, 3, 3)):
        memory.add(*span)
    places, total = memory.places()
    assert total == 30 and places == [20, 0, 20, 0]


def test_gaps():
    """Long runs of zeros are bridged by zeros that are stored."""
    row = np.zeros((1, 1000), np.int8)
    row[0, [0, 300, 999]] = [1, 2, 3]
    gaps, kept = c_file.gaps_of(row, 0)
    place, back = -1, np.zeros(1000)
    for gap, value in zip(gaps[0], kept, strict=True):
        place += int(gap) + 1
        back[place] = value
    assert np.array_equal(back, row[0])


def test_refusals(tmp_path):
    model, x = many_kinds()
    with pytest.raises(OptionError, match="STORAGE must be one of"):
        to_c.write(model, tmp_path / "m.c", storage="zip")
    sequence = {"input_size": np.array([[3.0, np.nan]]), "layers": [layer("relu", "r")]}
    with pytest.raises(ModelError, match="known length"):
        to_c.write(sequence, tmp_path / "m.c")
    affine, _ = verbs.quantize(model, data=x, scheme="affine")
    with pytest.raises(ModelError, match=r"(?s)'c1' .*exceed int8.*'dw' .*exceed int8"):
        to_c.write(affine, tmp_path / "m.c")
    assert not list(tmp_path.iterdir())
