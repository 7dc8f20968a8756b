"""Networks as .tflite: every layer in LiteRT, and integers equal to ours."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress import data, load
from pyoctcompress.errors import ModelError
from pyoctcompress.exporters import to_tflite
from pyoctcompress.reference import verbs
from pyoctcompress.reference.quant import encode_grid

from .export_cases import apart, branches, layer, many_kinds, single_layers, small_integers

pytest.importorskip("tflite")
interpreter = pytest.importorskip("ai_edge_litert.interpreter")
# LiteRT's default kernels (XNNPACK) round once, its reference kernels twice but in dense layers.
KERNELS = {
    "single": interpreter.OpResolverType.BUILTIN,
    "litert": interpreter.OpResolverType.BUILTIN_REF,
}


def run(path, x, kernels="single"):
    run = interpreter.Interpreter(
        str(path), num_threads=1, experimental_op_resolver_type=KERNELS[kernels]
    )
    run.allocate_tensors()
    outputs = run.get_output_details()
    found = [[] for _ in outputs]
    for row in to_tflite.to_layout(x):
        run.set_tensor(run.get_input_details()[0]["index"], row[np.newaxis])
        run.invoke()
        for place, detail in zip(found, outputs, strict=True):
            place.append(run.get_tensor(detail["index"]))
    return [to_tflite.from_layout(np.concatenate(rows)) for rows in found]


def test_every_layer(tmp_path):
    """All vectors; what TensorFlow Lite does not have is refused by name."""
    path, refused, count = tmp_path / "m.tflite", set(), 0
    for label, model, x, wanted in single_layers():
        try:
            to_tflite.write(model, path)
        except ModelError as error:
            assert error.tag == "unsupported" and "'tested'" in error.message
            refused.add(model["layers"][0]["type"])
            continue
        assert apart(run(path, x)[0], wanted) < 5e-6, label
        count += 1
    assert count > 380
    assert refused == {"transposedconv2d", "maxpool", "elu", "upsample"}


def test_several_inputs_and_outputs(tmp_path):
    model, x = branches()
    to_tflite.write(model, tmp_path / "m.tflite")
    for y, wanted in zip(run(tmp_path / "m.tflite", x), verbs.predict(model, x), strict=True):
        assert apart(y, wanted) < 1e-5


@pytest.mark.parametrize("options", [{}, {"granularity": "channel"}])
@pytest.mark.parametrize("rounding", ["single", "litert"])
def test_integers(tmp_path, options, rounding):
    """Every activation of every kind of layer: the same codes."""
    model, x = many_kinds()
    model, _ = verbs.quantize(model, data=x, **options)
    ends = [k for k in model["layers"] if "output" in k.get("quantization", {})]
    model["outputs"] = [k["name"] for k in ends]
    network = to_tflite.write(model, tmp_path / "m.tflite")
    assert network.precision == "integer"
    codes = encode_grid(x, model["quantization"]["input"]).astype(np.int8)
    found = run(tmp_path / "m.tflite", codes, rounding)
    wanted = verbs.predict(model, x, arithmetic="integer", requantization=rounding)
    for y, own, end in zip(found, wanted, ends, strict=True):
        ours = encode_grid(own, end["quantization"]["output"])
        assert np.array_equal(y.reshape(ours.shape), ours), end["name"]


def test_integers_of_a_trained_network(tmp_path, root):
    """LeNet-5, every activation of images it was not trained on."""
    x, _ = data(root / "examples/data/mnist.mat", limit=60, input_size=[28, 28, 1])
    model = load(root / "examples/models/lenet5.mat")
    model, _ = verbs.quantize(model, data=x, granularity="channel")
    ends = [k for k in model["layers"] if "output" in k.get("quantization", {})]
    model["outputs"] = [k["name"] for k in ends]
    to_tflite.write(model, tmp_path / "m.tflite")
    codes = encode_grid(x, model["quantization"]["input"]).astype(np.int8)
    for rounding in KERNELS:
        own = verbs.predict(model, x, arithmetic="integer", requantization=rounding)
        for y, ours, end in zip(
            run(tmp_path / "m.tflite", codes, rounding), own, ends, strict=True
        ):
            wanted = encode_grid(ours, end["quantization"]["output"])
            apart = np.abs(y.reshape(wanted.shape).astype(int) - wanted)
            # XNNPACK multiplies by scales in floating point: a tie may fall to the other side.
            assert apart.max() <= (rounding == "single"), end["name"]
            assert np.count_nonzero(apart) <= 1e-4 * apart.size, end["name"]


def test_integers_of_other_layers(tmp_path):
    for kind, model, x in small_integers():
        network = to_tflite.write(model, tmp_path / "m.tflite")
        codes = encode_grid(x, model["quantization"]["input"]).astype(np.int8)
        found = run(tmp_path / "m.tflite", codes, "litert")[0]
        own = verbs.predict(model, x, arithmetic="integer", requantization="litert")
        grid = network.output_grids()[0]
        assert np.array_equal(found.reshape(np.shape(own)), encode_grid(own, grid)), kind


@pytest.mark.parametrize("scheme", ["symmetric", "affine", "codebook"])
def test_weights_only(tmp_path, scheme):
    """Weights as int8, made floating point as they are loaded; a codebook stays floating point."""
    model, x = many_kinds()
    model, _ = verbs.quantize(model, bits=6, scheme=scheme)
    network = to_tflite.write(model, tmp_path / "m.tflite")
    assert bool(network.notes) == (scheme == "codebook")
    assert apart(run(tmp_path / "m.tflite", x)[0], verbs.predict(model, x)) < 1e-5


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("bits", [None, 8])
def test_recurrent(tmp_path, after, bits):
    """One after the other, with weights in floating point and as int8."""
    rng = np.random.default_rng(1)

    def r(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    lstm = layer("lstm", "l", weights=r(20, 3), recurrent_weights=r(20, 5), bias=r(20, 1),
                 recurrent_bias=r(20, 1), reverse=True)  # fmt: skip
    gru = layer("gru", "g", weights=r(12, 5), recurrent_weights=r(12, 4), bias=r(12, 1),
                recurrent_bias=r(12, 1), reset_after=after, result="last")  # fmt: skip
    dense = layer("dense", "d", weights=r(2, 4))
    model = {"input_size": np.array([[3.0, 6.0]]), "layers": [lstm, gru, dense]}
    if bits:
        model, _ = verbs.quantize(model, bits=bits, granularity="channel")
    x = r(3, 9, 6)
    network = to_tflite.write(model, tmp_path / "m.tflite")
    assert network.precision == ("weights" if bits else "float") and not network.notes
    assert apart(run(tmp_path / "m.tflite", x)[0], verbs.predict(model, x)) < 1e-5
    with pytest.raises(ModelError, match=r"'l' \(lstm\): a sequence needs a known length"):
        to_tflite.write({**model, "input_size": np.array([[3.0, np.nan]])}, tmp_path / "m.tflite")


def test_refusals(tmp_path):
    """All layers that cannot be held are named at once."""
    model, x = many_kinds()
    norm = {name: np.ones((4, 1), np.float32) for name in ("scale", "offset", "mean", "variance")}
    layers = [layer("batchnorm", "norm", **norm), *model["layers"][:9], layer("swish", "w")]
    model, _ = verbs.quantize({**model, "layers": layers}, data=x)
    with pytest.raises(ModelError) as caught:
        to_tflite.write(model, tmp_path / "m.tflite")
    assert "cannot hold 2 layers" in caught.value.message
    assert "'norm' (batchnorm)" in caught.value.message and "'w' (swish)" in caught.value.message
    assert not list(tmp_path.iterdir())
