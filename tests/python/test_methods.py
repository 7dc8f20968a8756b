"""The verbs around the main ones, through both backends: the same results."""

from __future__ import annotations

import numpy as np
import pytest

import pyoctcompress as oc


@pytest.fixture(scope="module")
def model():
    return oc.new("input", 6, "dense", 8, "relu", "dense", 3, backend="numpy")


@pytest.fixture(scope="module")
def data():
    random = np.random.RandomState([3])
    return random.rand(6, 60).astype(np.float32), (np.arange(60) % 3 + 1.0)[None, :]


def both(verb, *arguments, **options):
    return [
        getattr(oc, verb)(*arguments, backend=backend, **options) for backend in ("octave", "numpy")
    ]


def weights(model):
    return [layer["weights"] for layer in model["layers"] if "weights" in layer]


def test_new_draws_the_same_weights(model):
    drawn = oc.new("input", 6, "dense", 8, "relu", "dense", 3)
    for a, b in zip(weights(drawn), weights(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_check_lists_every_fault(model):
    assert both("check", model) == [(True, []), (True, [])]
    broken = {**model, "layers": [dict(layer) for layer in model["layers"]]}
    broken["layers"][0]["type"] = "blob"
    broken["layers"][2]["weights"] = np.full((3, 8), np.nan, np.float32)
    one, other = both("check", broken)
    assert one == other
    assert not one[0]
    assert len(one[1]) >= 2


def test_shrink_removes_dead_units_and_keeps_the_outputs(model, data):
    pruned, _ = oc.prune(model, sparsity=0.5, structure="neuron", backend="numpy")
    for small, _ in both("shrink", pruned):
        assert weights(small)[0].shape == (4, 6)
        np.testing.assert_allclose(
            oc.predict(small, data[0]), oc.predict(pruned, data[0]), rtol=0, atol=1e-5
        )


def test_student_is_the_teachers_best_units(model, data):
    for small, info in both("student", model, width=0.5):
        assert weights(small)[0].shape == (4, 6)
        assert info["parameters"][0, 1] < info["parameters"][0, 0]
        assert np.isin(weights(small)[0], weights(model)[0]).all()


@pytest.mark.parametrize(
    ("verb", "options"), [("lowrank", {"rank": 2}), ("equalize", {}), ("fold", {})]
)
def test_weights_agree(verb, options, model):
    (one, _), (other, _) = both(verb, model, **options)
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def test_calibrate_gives_grids_of_the_same_scale(model, data):
    (one, _), (other, _) = both("calibrate", model, data[0])
    a, b = (m["layers"][-1]["quantization"]["output"]["scale"] for m in (one, other))
    np.testing.assert_allclose(a, b, rtol=1e-5)


def test_prune_train_reaches_the_sparsity(model, data):
    for pruned, _ in both(
        "prune_train", model, *data, sparsity=0.5, epochs=4, batch_size=20, verbose=False
    ):
        entries = np.concatenate([w.ravel() for w in weights(pruned)])
        assert np.count_nonzero(entries == 0) >= entries.size // 2


def test_quantize_train_keeps_the_grid(model, data):
    quantized, _ = oc.quantize(model, bits=3)
    for trained, _ in both(
        "quantize_train", quantized, *data, epochs=2, batch_size=20, verbose=False
    ):
        grid = trained["layers"][0]["quantization"]["weights"]
        codes = trained["layers"][0]["weights"] / grid["scale"]
        np.testing.assert_allclose(codes, np.round(codes), atol=1e-4)


def test_sensitivity_and_mixed_agree(model, data):
    one, other = both("sensitivity", model, *data)
    assert [row["tensor"] for row in one["layers"]] == [row["tensor"] for row in other["layers"]]
    (bits, _), (same, _) = both("mixed", model, *data, accuracy=0.5)
    np.testing.assert_array_equal(np.ravel(bits).astype(object), np.ravel(same).astype(object))


def test_unknown_options_are_refused(model):
    with pytest.raises(oc.OptionError, match="there is no option 'rnk'"):
        oc.lowrank(model, rnk=2)
