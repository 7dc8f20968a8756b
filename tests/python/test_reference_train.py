"""The NumPy reference's training."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from pyoctcompress import matfile
from pyoctcompress.errors import OctcompressError, OptionError
from pyoctcompress.reference import model as graph
from pyoctcompress.reference import quant, train, verbs


def network(kind=np.float64):
    random = np.random.RandomState([3])
    layers = []
    for name, out, inputs in (("a", 8, 2), ("b", 3, 8)):
        weights = train.initial_weights(random, (out, inputs)).astype(kind)
        bias = np.zeros((out, 1), kind)
        layers.append({"type": "dense", "name": name, "weights": weights, "bias": bias})
    return {"layers": [layers[0], {"type": "relu"}, layers[1], {"type": "softmax"}]}


def three_clouds(count=90):
    random = np.random.RandomState([4])
    y = 1 + np.arange(count) % 3
    centers = np.array([[0, 2, -2], [2, -1, -1]])
    return centers[:, y - 1] + 0.5 * random.standard_normal((2, count)), y


def same(a, b):
    for one, other in zip(a["layers"], b["layers"], strict=True):
        for field in ("weights", "bias"):
            if field in one:
                np.testing.assert_array_equal(one[field], other[field])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_it_learns(optimizer):
    x, y = three_clouds()
    rate = 0.1 if optimizer == "sgd" else 0.02
    trained, info = verbs.train(
        network(), x, y, optimizer=optimizer, learning_rate=rate, epochs=15, batch_size=10
    )
    assert verbs.evaluate(trained, x, y)["accuracy"] > 0.97
    assert info["history"]["loss"].shape == (1, 15)
    assert (info["epochs"], info["steps"], info["stopped"]) == (15, 135, "finished")


def test_losses_by_central_differences():
    random = np.random.RandomState([5])
    z, t = random.standard_normal((2, 3, 4))
    labels = np.array([[2.0, 3, 1, 1]])
    losses = [
        lambda z: train.squared_error(z, t),
        lambda z: train.huber(z, t, 0.3),
        lambda z: train.absolute_error(z, t),
        lambda z: train.binary_cross_entropy(z, np.abs(np.tanh(t))),
        lambda z: train.cross_entropy(z, labels),
        lambda z: train.cross_entropy(z, labels, 0.3, np.array([1.0, 2, 5])),
    ]
    for loss in losses:
        _, gradient = loss(z)
        for place in np.ndindex(z.shape):
            e = np.zeros_like(z)
            e[place] = 1e-6
            slope = (loss(z + e)[0] - loss(z - e)[0]) / 2e-6
            assert abs(gradient[place] - slope) < 1e-8


def test_large_logits_do_not_overflow():
    loss, gradient = train.cross_entropy(np.float32([[1e30], [0]]), np.array([[1.0]]))
    assert loss == 0
    assert not gradient.any()
    loss, gradient = train.binary_cross_entropy(np.float32([[1e30, -1e30]]), np.float32([[1, 0]]))
    assert loss == 0
    assert not gradient.any()


def test_adam_is_that_of_the_paper():
    w = np.array([1, -2, 0.5])
    mean = root = np.zeros(3)
    expected, m, v = w.copy(), 0, 0
    for count in range(1, 11):
        g, rate = np.sin(count * np.array([1, 2, 3])), 0.1 / count
        w, mean, root = train.adam_step(w, mean, root, g, count, rate, 0.9, 0.99, 1e-3)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        step = (m / (1 - 0.9**count)) / (np.sqrt(v / (1 - 0.99**count)) + 1e-3)
        expected = expected - rate * step
        np.testing.assert_allclose(w, expected, atol=1e-14)


def test_promises_are_kept():
    x, y = three_clouds()
    model, _ = verbs.prune(network(np.float32), sparsity=0.5)
    model, _ = verbs.quantize(model, 3, granularity="channel")
    trained, info = verbs.train(model, x, y, epochs=3, learning_rate=0.1)
    for before, after in zip(model["layers"], trained["layers"], strict=True):
        if "weights" not in before:
            continue
        w = after["weights"]
        assert not w[before["weights"] == 0].any()
        assert w.dtype == np.float32
        grid = after["quantization"]["weights"]
        np.testing.assert_array_equal(quant.snap_to_grid(w, grid)[0], w)
        np.testing.assert_array_equal(grid["scale"], before["quantization"]["weights"]["scale"])
    assert any(np.any(a["weights"] != b["weights"]) for a, b in
               zip(model["layers"][::2], trained["layers"][::2], strict=True))  # fmt: skip
    assert info["layers"][0]["pruned"]
    assert info["layers"][0]["quantized"]


def test_arguments_stay_as_they_were():
    x, y = three_clouds()
    model = network()
    before = copy.deepcopy(model)
    state = np.random.get_state()[1].copy()
    verbs.train(model, x, y, epochs=1)
    same(model, before)
    assert model["layers"][0].keys() == before["layers"][0].keys()
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_same_seed_same_bits():
    x, y = three_clouds()
    once, _ = verbs.train(network(), x, y, epochs=2, seed=5)
    again, _ = verbs.train(network(), x, y, epochs=2, seed=5)
    other, _ = verbs.train(network(), x, y, epochs=2, seed=6, batch_size=16)
    same(once, again)
    assert np.any(once["layers"][0]["weights"] != other["layers"][0]["weights"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_resume_is_bit_for_bit(tmp_path, optimizer):
    x, y = three_clouds()
    file = tmp_path / "state.mat"
    start, _ = verbs.quantize(verbs.prune(network(), sparsity=0.3)[0], 5)
    options = {"optimizer": optimizer, "batch_size": 8, "seed": 3, "validation": 0.2}
    whole, info = verbs.train(start, x, y, epochs=6, **options)

    class Stop(Exception):
        pass

    def stop(seen):
        if seen["epoch"] == 4:
            raise Stop
        return False

    with pytest.raises(Stop):
        verbs.train(
            start, x, y, epochs=6, checkpoint=file, checkpoint_minutes=0, callback=stop, **options
        )
    resumed, again = verbs.train(start, x, y, epochs=6, resume=file, **options)
    same(whole, resumed)
    np.testing.assert_array_equal(info["history"]["loss"], again["history"]["loss"])
    assert info["best_epoch"] == again["best_epoch"]
    for wrong in ({"batch_size": 9}, {"seed": 4}, {"momentum": 0.1}):
        with pytest.raises(OctcompressError, match="in the checkpoint, but is") as caught:
            verbs.train(start, x, y, epochs=6, resume=file, **{**options, **wrong})
        assert caught.value.tag == "resumeMismatch"
    with pytest.raises(OctcompressError, match="on other data"):
        verbs.train(start, x[:, 1:], y[1:], epochs=6, resume=file, **options)
    deeper = {"layers": [*start["layers"][:2], {"type": "tanh"}, *start["layers"][2:]]}
    with pytest.raises(OctcompressError, match="another network"):
        verbs.train(deeper, x, y, epochs=6, resume=file, **options)


def test_interrupted_training_is_in_the_checkpoint(tmp_path, monkeypatch):
    x, y = three_clouds()
    file = tmp_path / "state.mat"
    passes = []
    forward = graph.forward

    def interrupted(*args):
        passes.append(args)
        if len(passes) == 13:
            raise KeyboardInterrupt
        return forward(*args)

    monkeypatch.setattr(graph, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verbs.train(network(), x, y, epochs=2, batch_size=10, checkpoint=file)
    monkeypatch.undo()
    assert graph.is_network(matfile.load(file))
    resumed, _ = verbs.train(network(), x, y, epochs=2, batch_size=10, resume=file)
    whole, _ = verbs.train(network(), x, y, epochs=2, batch_size=10)
    same(whole, resumed)


def test_validation_patience_callback_and_progress():
    x, y = three_clouds()
    seen, lines = [], []
    trained, info = verbs.train(
        network(), x, y, epochs=20, validation=0.3, patience=2, monitor="accuracy",
        callback=lambda each: bool(seen.append(each)), progress=lambda *line: lines.append(line),
    )  # fmt: skip
    assert info["stopped"] == "patience"
    assert info["best_epoch"] == info["epochs"] - 2
    assert [each["epoch"] for each in seen] == list(np.arange(1, info["epochs"] + 1))
    same(trained, seen[int(info["best_epoch"]) - 1]["model"])
    assert lines[0][:3] == ("training", 1.0, 20.0)
    _, info = verbs.train(network(), x, y, callback=lambda each: each["epoch"] == 2)
    assert (info["stopped"], info["epochs"]) == ("callback", 2)


def test_divergence_says_what_to_do():
    x, y = three_clouds()
    model = network()
    model["layers"][1]["type"] = "identity"
    with pytest.raises(OctcompressError, match="lower LEARNING_RATE") as caught:
        verbs.train(model, 1e100 * x, y, learning_rate=1e6)
    assert caught.value.identifier == "octcompress:nn_train:diverged"
    with pytest.raises(OptionError, match="there is no option 'rate'"):
        verbs.train(model, x, y, rate=1)


def test_random_state_goes_there_and_back():
    random = np.random.RandomState([9])
    random.random_sample(1000)
    state = train.random_state(random)
    assert (state.shape, state.dtype) == ((625, 1), np.uint32)
    again = np.random.RandomState([1])
    train.set_random_state(again, state)
    np.testing.assert_array_equal(again.random_sample(2000), random.random_sample(2000))
