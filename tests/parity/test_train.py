"""Training in both implementations: the same batches, and weights that stay close."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pyoctcompress.reference import train, train_data, verbs

from . import models
from .harness import Case, compare, needs_octave, run_octave

pytestmark = needs_octave
KINDS = [np.float32, np.float64]
# After the few dozen steps of these tests. Seconds are compared in class and size only.
AFTER_STEPS = {np.float32: 2e-4, np.float64: 1e-10}


def tolerance(kind):
    return {"": AFTER_STEPS[kind], "seconds": np.inf}


def data(count=60, kind=np.float64):
    x = models.features(6, count, kind)
    y = 1.0 + (x[:1] + x[1:2] > 0) + (x[2:3] > 0.5)
    return x, y


def case(model, x, y, kind=np.float32, fails=None, **options):
    options = {"verbose": False, **options}
    shown = {name: v for name, v in options.items() if not isinstance(v, (np.ndarray, list))}
    return Case(
        f"train {shown}", "nn_train", verbs.train, [model, x, y], options, 2, tolerance(kind), fails
    )


OPTIMISERS = [
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.0},
    {"optimizer": "sgd", "learning_rate": 0.05, "nesterov": True, "weight_decay": 0.01},
    {"optimizer": "adam", "weight_decay": 0.01},
    {"optimizer": "adamw", "learning_rate": 0.003, "weight_decay": 0.1, "beta1": 0.5},
    {"optimizer": "sgd", "learning_rate": 0.1, "clip_norm": 0.2},
    {"optimizer": "adam", "clip_norm": 0.05, "shuffle": False},
]
SCHEDULES = [
    {"schedule": "constant", "warmup": 1.0},
    {"schedule": "step", "decay_epochs": 1.0},
    {"schedule": "exponential", "decay": 0.5},
    {"schedule": "cosine", "warmup": 0.5},
    {"schedule": "onecycle"},
]


@pytest.mark.parametrize("kind", KINDS)
def test_optimisers_and_schedules(kind):
    x, y = data(kind=kind)
    model = models.perceptron(kind)
    cases = [
        case(model, x, y, kind, epochs=2.0, batch_size=16.0, seed=float(k), **options)
        for k, options in enumerate(OPTIMISERS + SCHEDULES)
    ]
    compare(cases)


def test_batches_are_the_same():
    """A rate of 0 leaves the weights, so the loss tells which batch was the last."""
    x, y = data(37)
    cases = [
        case(models.perceptron(np.float64), x, y, np.float64, epochs=1.0, batch_size=5.0,
             seed=seed, learning_rate=1e-6, momentum=0.0)
        for seed in (0.0, 1.0, 12345.0, 2.0**32 - 1)
    ]  # fmt: skip
    compare(cases)


@pytest.mark.parametrize("kind", KINDS)
def test_losses(kind):
    x, y = data()
    out = np.random.RandomState([8]).random_sample((3, 60))
    cases = []
    for loss, last in itertools.product(
        ("mse", "mae", "huber", "binary_crossentropy"), (None, "sigmoid", "softmax", "tanh")
    ):
        model = models.perceptron(kind, last=last)
        cases.append(case(model, x, out, kind, loss=loss, epochs=1.0, batch_size=20.0))
    model = models.perceptron(kind)
    weights = np.array([[1.0, 3.0, 0.5]])
    for options in (
        {"label_smoothing": 0.1},
        {"class_weights": weights},
        {"class_weights": weights.T, "label_smoothing": 1.0},
        {"loss": "huber", "huber_delta": 0.01},
    ):
        target = out if "huber_delta" in options else y
        cases.append(case(model, x, target, kind, epochs=1.0, batch_size=20.0, **options))
    single = models.perceptron(kind, sizes=(6, 4, 1), last="tanh")
    cases.append(case(single, x, out[0], kind, loss="mse", epochs=1.0))
    steps = models.features(3, 40).reshape(3, 10, 4)
    target = models.features(2, 40).reshape(2, 10, 4)
    cases.append(case(models.sequence(), steps, target, loss="mse", epochs=2.0))
    compare(cases)


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "identity"])
def test_activations(hidden):
    x, y = data()
    model = models.perceptron(np.float64, hidden=hidden)
    compare([case(model, x, y, np.float64, epochs=2.0, batch_size=16.0, learning_rate=0.1)])


@pytest.mark.parametrize("kind", KINDS)
def test_graph(kind):
    model = {**models.graph(kind), "outputs": "left"}
    x = models.features(4, 30)
    y = models.features(2, 30, seed=3)
    compare([
        case(model, x, y, kind, loss="mse", epochs=2.0, batch_size=8.0),
        case(model, x, 1.0 + (x[:1] > 0), kind, epochs=2.0, batch_size=8.0),
        case(models.graph(kind), x, y, kind, loss="mse", fails=True),
    ])  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_promises_are_kept(kind):
    x, y = data()
    model = models.perceptron(kind)
    pruned, _ = verbs.prune(model, sparsity=0.6, bias=True)
    options = [
        {"bits": 8, "scheme": "symmetric"},
        {"bits": 2, "scheme": "affine", "granularity": "channel"},
        {"bits": 1, "scheme": "symmetric"},
        {"bits": 16, "bias": True},
    ]
    cases = []
    for start in [pruned] + [verbs.quantize(pruned, **each)[0] for each in options]:
        cases.append(case(start, x, y, kind, epochs=2.0, batch_size=16.0, learning_rate=0.05))
        cases.append(case(start, x, y, kind, epochs=1.0, batch_size=16.0, optimizer="adam"))
    cases.append(case(verbs.quantize(model, bits=6, data=x)[0], x, y, kind, epochs=0.0))
    answers = compare(cases)
    for answer in answers[:-1]:
        for before, after in zip(pruned["layers"], answer["value"][0]["layers"], strict=True):
            if "weights" in before:
                assert not np.any(after["weights"][before["weights"] == 0])


def test_validation():
    x, y = data(50)
    x2, y2 = data(20)
    model = models.perceptron(np.float64)
    cases = [
        case(model, x, y, np.float64, epochs=4.0, learning_rate=0.2, **options)
        for options in (
            {"validation": 0.3, "batch_size": 16.0},
            {"validation": 0.3, "monitor": "accuracy"},
            {"validation": 0.3, "monitor": "top_k"},
            {"validation": 0.3, "monitor": "auc", "batch_size": 7.0},
            {"validation": 0.2, "patience": 1.0, "momentum": 0.99},
            {"validation_data": [x2, y2]},
            {"validation_data": [x2, y2], "shuffle": False, "batch_size": 7.0},
        )
    ]
    targets = np.random.RandomState([8]).random_sample((3, 50))
    steps = models.features(3, 40).reshape(3, 10, 4)
    ahead = models.features(2, 40).reshape(2, 10, 4)
    for loss, monitor in (("binary_crossentropy", "auc"), ("mae", "mse"), ("mse", "psnr")):
        options = {"loss": loss, "monitor": monitor, "validation": 0.3}
        cases.append(case(model, x, targets, np.float64, epochs=3.0, **options))
        if loss != "binary_crossentropy":
            cases.append(case(models.sequence(), steps, ahead, epochs=2.0, **options))
    compare(cases)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_goes_on_from_the_other_s_checkpoint(tmp_path, optimizer):
    x, y = data(50)
    model, _ = verbs.prune(models.perceptron(np.float64), sparsity=0.4)
    model, _ = verbs.quantize(model, 6)
    options = {"optimizer": optimizer, "batch_size": 16.0, "validation": 0.2, "seed": 5.0}
    files = [str(tmp_path / "numpy.mat"), str(tmp_path / "octave.mat")]
    verbs.train(model, x, y, epochs=2.0, checkpoint=files[0], **options)
    start = case(model, x, y, epochs=2.0, checkpoint=files[1], **options)
    [answer] = run_octave([start])
    assert answer["ok"]
    ends = [case(model, x, y, np.float64, epochs=4.0, resume=file, **options) for file in files]
    ends.append(case(model, x, y, np.float64, epochs=4.0, **options))
    compare(ends)
    compare([case(model, x, y, epochs=4.0, resume=files[0], **{**options, "seed": 6.0}, fails=True),
             case(model, x[:, 1:], y[:, 1:], resume=files[1], **options, fails=True),
             case(models.perceptron(sizes=(6, 3)), x, y, resume=files[0], **options, fails=True),
             case(model, x, y, resume="nowhere.mat", **options, fails=True)])  # fmt: skip


def test_augmentation():
    """Both draw their numbers after the same seed."""
    images = np.random.RandomState([9]).random_sample((5, 4, 2, 6))
    cases = []
    for flip, shift, size in itertools.product(
        ("none", "horizontal", "vertical", "both"), (0.0, 2.0), ([5.0, 4, 2], [3.0, 2, 2])
    ):
        options = {"flip": flip, "shift": shift, "crop": size[0] < 5, "pixels": None}

        def reference(what, seed, images, size, options, training):
            random = np.random.RandomState([int(seed)]) if training else None
            return train.augment(images, [int(n) for n in size.ravel()], options, random)

        for training in (True, False):
            args = ["seed", 1.0, images, np.array([size]), options, training]
            name = "octcompress.train.augment"
            cases.append(Case(f"{options} {training}", name, reference, args, seeded=True))
            if not options["crop"]:
                pixels = {**options, "pixels": np.array([[4.0, 5, 2]])}
                args = ["seed", 1.0, images.reshape(40, 6), np.array([[40.0]]), pixels, training]
                cases.append(Case(f"{pixels} {training}", name, reference, args, seeded=True))
    compare(cases)


def test_initial_weights():
    cases = []
    for sizes in ([4.0, 5], [3.0, 3, 2, 4], [1.0, 1]):
        for kind in ("he", "glorot"):

            def reference(what, seed, sizes, kind):
                return train.initial_weights(np.random.RandomState([int(seed)]), sizes, kind)

            args = ["seed", 7.0, np.array([sizes]), kind]
            name = "octcompress.train.initial_weights"
            cases.append(Case(f"{sizes} {kind}", name, reference, args, seeded=True))
    compare(cases)


@pytest.mark.parametrize("seed", [0.0, 7.0, 2.0**32 - 1])
def test_random_numbers(seed):
    random = np.random.RandomState([int(seed)])

    def state(what, seed, *rest):
        return train.random_state(np.random.RandomState([int(seed)]))

    def order(what, seed, kind, count):
        return train.random_order(np.random.RandomState([int(seed)]), int(count))[None] + 1.0

    def uniform(what, seed, kind, sizes):
        return train.random_uniform(np.random.RandomState([int(seed)]), sizes)

    name = "octcompress.train.random"
    compare([
        Case("state", name, state, ["seed", seed, "state"], seeded=True),
        Case("order", name, order, ["seed", seed, "order", 1000.0], seeded=True),
        Case("uniform", name, uniform, ["seed", seed, "uniform", np.array([[7.0, 3, 40]])],
             seeded=True),
    ])  # fmt: skip
    random.random_sample(777)
    after = train.random_state(random)
    again = np.random.RandomState([1])
    train.set_random_state(again, after)
    np.testing.assert_array_equal(random.random_sample(1000), again.random_sample(1000))


def test_pure_functions():
    random = np.random.RandomState([10])
    z, t = random.standard_normal((2, 4, 6))
    labels = random.randint(1, 5, (1, 6)).astype(float)
    cases = []

    def add(name, *args, nargout=2, bound=1e-13):
        reference = getattr(train, name)
        cases.append(
            Case(f"{name} {len(cases)}", f"octcompress.train.{name}", reference, args,
                 nargout=nargout, tolerance={"": bound})
        )  # fmt: skip

    for kind, bound in ((np.float64, 1e-13), (np.float32, 1e-6)):
        a, b = z.astype(kind), t.astype(kind)
        for name in ("squared_error", "absolute_error", "huber"):
            add(name, a, b, bound=bound)
        add("huber", a, b, 0.1, bound=bound)
        add("binary_cross_entropy", 50 * a, np.abs(np.tanh(b)), bound=bound)
        add("cross_entropy", a, labels, bound=bound)
        add("cross_entropy", 1000 * a, labels, 0.2, np.array([[1.0, 2, 3, 4]]), bound=bound)
        for momentum, nesterov in ((0.0, False), (0.9, False), (0.9, True)):
            add("sgd_step", a, b, a * b, momentum, nesterov, bound=bound)
        add("adam_step", a, b, np.abs(b), a * b, 3.0, 0.01, 0.9, 0.99, 1e-8, nargout=3, bound=bound)
        add("adam_step", a, b, np.abs(b), a * b, 3.0, 0.0, 0.9, 0.99, 1e-8, nargout=3, bound=bound)
    options = train_data.training_options("f", {}, {"warmup": 1.5, "epochs": 4.0})
    options = {name: value for name, value in options.items() if name != "callback"}
    for schedule, step in itertools.product(
        ("constant", "step", "exponential", "cosine", "onecycle"), range(0, 40, 3)
    ):
        add("learning_rate", {**options, "schedule": schedule}, float(step), 10.0, nargout=1)
    compare(cases)


def test_refused():
    x, y = data(12)
    model = models.perceptron()
    wrong = [
        {"rate": 0.1}, {"optimizer": "rmsprop"}, {"learning_rate": -1.0}, {"learning_rate": "x"},
        {"schedule": "linear"}, {"epochs": 1.5}, {"batch_size": 0.0}, {"seed": -1.0},
        {"seed": 2.0**32}, {"momentum": 1.5}, {"beta1": 1.0}, {"clip_norm": 0.0},
        {"clip_norm": float("nan")}, {"patience": 2.0}, {"patience": 0.0, "validation": 0.5},
        {"validation": 0.95}, {"validation": 0.01}, {"monitor": "error"}, {"nesterov": "yes"},
        {"validation": 0.5, "validation_data": [x, y]}, {"validation_data": 3.0},
        {"validation_data": [x]}, {"validation_data": [x[:5], y]},
        {"validation_data": [x, y[:, 1:]]},
        {"validation_data": [x, None]}, {"callback": 3.0}, {"augmentation": 3.0},
        {"augmentation": {"turn": 9.0}}, {"augmentation": {"flip": "up"}},
        {"augmentation": {"shift": 1.0}},
        {"augmentation": {"pixels": np.array([[2.0, 2, 1]])}},
        {"augmentation": {"pixels": np.array([[3.0, 2]])}},
        {"augmentation": {"pixels": np.array([[3.0, 2, 1]]), "crop": True}}, {"loss": "hinge"},
        {"label_smoothing": 2.0},
        {"huber_delta": 0.0}, {"class_weights": np.ones((1, 2))}, {"class_weights": "abc"},
        {"class_weights": np.array([[1.0, 0, 1]])}, {"class_weights": np.array([[1.0, np.nan, 1]])},
        {"loss": "mse", "monitor": "accuracy"}, {"monitor": "psnr"}, {"loss": "mse"},
        {"checkpoint": 4.0},
        {"resume": {"layers": [1.0]}}, {"learning_rate": None, "optimizer": None},
    ]  # fmt: skip
    cases = [case(model, x, y, fails=True, **options) for options in wrong]
    out = np.ones((3, 12))
    cases += [
        case(model, x, None, fails=True),
        case(model, x, y[:, 1:], fails=True),
        case(model, x, y + 3, fails=True),
        case(model, x[:5], y, fails=True),
        case(model, x[:, :0], y, fails=True),
        case(model, np.where(x > 1, np.nan, x), y, fails=True),
        case(model, x, out[:2], loss="mse", fails=True),
        case(model, x, out[:, 1:], loss="mae", fails=True),
        case(model, x, np.ones((3, 12, 2)), loss="mae", fails=True),
        case(model, x, np.where(out > 0, np.nan, 1), loss="huber", fails=True),
        case(model, x, "text", loss="huber", fails=True),
        case(model, x, [1.0], loss="huber", fails=True),
        case(model, x, 2 * out, loss="binary_crossentropy", fails=True),
        case(model, x, -out / 3, loss="binary_crossentropy", fails=True),
        case(models.images(), np.ones((4, 3, 2, 5)), np.ones((1, 5)), fails=True),
        case(models.perceptron(sizes=(6, 1), last=None), x, y, fails=True),
        case({"layers": [{"type": "tanh"}], "input_size": 6.0}, x, x, loss="mse", fails=True),
        case(models.perceptron(hidden="identity"), 1e30 * x, y, learning_rate=1e6, fails=True),
        case({"Theta1": np.ones((2, 2))}, x, y, fails=True),
    ]
    compare(cases)
