"""Distillation in both implementations."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress import matfile
from pyoctcompress.errors import OctcompressError
from pyoctcompress.reference import distill, distill_cache, distill_inputs, verbs
from pyoctcompress.reference import model as graph

from . import models
from .harness import Case, compare, needs_octave, run_octave
from .test_train import KINDS, data, tolerance

pytestmark = needs_octave


def case(teacher, student, x, y, kind=np.float32, fails=None, **options):
    options = {"verbose": False, **options}
    shown = {name: v for name, v in options.items() if not isinstance(v, (np.ndarray, list))}
    args = [teacher, student, x, y]
    return Case(
        f"distill {shown}", "nn_distill", verbs.distill, args, options, 2, tolerance(kind), fails
    )


def row(*numbers):
    return np.array([numbers], float)


HARD = ("mse", "mae", "cosine")
SOFT = ("kl", "reverse_kl", "jensen_shannon")
RELATIONS = ("similarity", "rkd_distance", "rkd_angle")


def loss(name, *args, **settings):
    function = getattr(distill, name)
    return Case(name, f"octcompress.distill.{name}", function, args, nargout=2, **settings)


def test_losses():
    random, more = np.random.RandomState([1]), np.random.RandomState([2])
    cases = []
    # At high temperatures the loss of singles is a small difference of large numbers.
    for kind, bound in ((np.float64, 1e-12), (np.float32, 2e-3)):
        a, b = random.standard_normal((2, 4, 6)).astype(kind)
        within = {"": bound}
        pairs = [(a, b), (1000 * a, b), (a, a), (a[:, :1], b[:, :1]), (a[:1], b[:1])]
        for t, s in pairs:
            cases += [loss(name, t, s, tolerance=within) for name in (*HARD, "hint")]
            for temperature in (0.5, 1.0, 4.0, 100.0):
                cases += [loss(name, t, s, temperature, tolerance=within) for name in SOFT]
        wide = more.standard_normal((9, 6)).astype(kind)
        far = 30 * a
        far[:, 2] = far[:, 1]
        within = {"": 1e-11 if kind == np.float64 else 1e-4}
        for t, s in [(a, wide), (wide, far), (a, 0 * wide), (a[:, :2], b[:, :2]), (a[:, :1], b)]:
            n = min(t.shape[1], s.shape[1])
            args = (t[:, :n], s[:, :n])
            cases += [loss(name, *args, tolerance=within) for name in RELATIONS]
        images = more.standard_normal((4, 5, 7)).astype(kind)
        for s in (images, images[:2], 0 * images, images[:3, :1]):
            args = (images[:, : s.shape[1]], s)
            cases.append(loss("attention", *args, tolerance=within))
        means, variances = (more.random_sample((2, 4, 1)) + 0.5).astype(kind)
        for f in (a, images, np.ones_like(a)):
            function = distill_inputs.batch_statistics
            name = "octcompress.distill.batch_statistics"
            cases.append(
                Case(name, name, function, [f, means, variances], nargout=2, tolerance=within)
            )
    x = np.ones((3, 2))
    wrong = [(x, x[:2]), (x, np.ones((3, 2, 2)))]
    cases += [loss(name, *pair, fails=True) for name in (*HARD, "hint") for pair in wrong]
    cases += [loss(name, *pair, 1.0, fails=True) for name in SOFT for pair in wrong]
    cases += [loss(name, x, x, t, fails=True) for name in SOFT for t in (0.0, None, "hot")]
    wrong = [(x, x[:, :1]), (x, np.ones((3, 2, 2)))]
    cases += [loss(name, *pair, fails=True) for name in RELATIONS for pair in wrong]
    cases.append(loss("attention", x, x[:, :1], fails=True))
    compare(cases)


def gradient_error(function, x):
    """The largest difference to central differences, relative to the largest of these."""
    _, gradient = function(x)
    numeric = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        numeric[place] = (function(x + step)[0] - function(x - step)[0]) / 2e-5
    return np.abs(gradient - numeric).max() / np.abs(numeric).max()


@pytest.mark.parametrize("name", [*HARD, *SOFT, *RELATIONS, "hint", "attention"])
def test_gradients_of_the_reference(name):
    random = np.random.RandomState([4])
    t, s = random.standard_normal((2, 3, 5, 4) if name == "attention" else (2, 4, 6))
    settings = [2.5] if name in SOFT else []
    function = getattr(distill, name)
    assert gradient_error(lambda s: function(t, s, *settings), s) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_distill(kind):
    x, y = data()
    teacher = models.perceptron(kind)
    student = models.perceptron(kind, sizes=(6, 4, 3), hidden="tanh")
    pruned, _ = verbs.prune(teacher, sparsity=0.7)
    bare = models.perceptron(kind, sizes=(6, 3), last=None)
    once = {"epochs": 2.0, "batch_size": 16.0, "learning_rate": 0.02}
    cases = [
        case(teacher, student, x, None, kind, **once),
        case(teacher, student, x, None, kind, loss="kl", **once),
        case(teacher, student, x, y, kind, loss="kl", temperature=2.0, alpha=0.7, **once),
        case(teacher, student, x, y, kind, alpha=0.0, **once),
        case(teacher, student, x, y, kind, alpha=1.0, optimizer="adam", epochs=1.0),
        case(teacher, pruned, x, y, kind, validation=0.2, **once),
        case(teacher, bare, x, None, kind, validation=0.2, **once),
        case(bare, student, x, None, kind, validation_data=[x[:, :9]], **once),
        case(teacher, student, x, y, kind, validation_data=[x[:, :9], y[:, :9]],
             monitor="accuracy", **once),
        case(models.perceptron(np.float64), student, x, y, kind, **once),
        case(teacher, student, x, None, kind, loss="reverse_kl", **once),
        case(teacher, student, x, None, kind, loss="jensen_shannon", temperature=2.0, **once),
        case(teacher, student, x, y, kind, loss="cosine", **once),
        case(teacher, student, x, y, kind, loss="mae", generations=2.0, **once),
        case(teacher, student, x, y, kind, loss="kl", temperature=row(8, 1), alpha=row(1, 0.2),
             ramp="cosine", validation=0.2, **once),
        case([teacher, bare], student, x, y, kind, teacher_weights=row(1, 3), **once),
        case([teacher, bare, teacher], student, x, None, kind, loss="kl", **once),
    ]  # fmt: skip
    compare(cases)


def test_features():
    x, y = data()
    teacher = models.perceptron()
    student = models.perceptron(sizes=(6, 4, 3), hidden="tanh")
    inner, own = (graph.tidy("f", m)["layers"][1]["name"] for m in (teacher, student))
    once = {"epochs": 2.0, "batch_size": 16.0, "learning_rate": 0.02}

    def of(**fields):
        return {"teacher": inner, "student": own, **fields}

    cases = [
        case(teacher, student, x, y, features=[of()], **once),
        case(teacher, student, x, None, features=of(weight=0.3), loss="none", **once),
        case(teacher, student, x, y, features=[of(loss=name) for name in RELATIONS], **once),
        case([teacher, teacher], student, x, y, features=[of(), {**of(), "from": 2.0}],
             validation=0.2, **once),
        case(teacher, student, x, y, features=of(teacher="q"), fails=True),
        case(teacher, student, x, y, features=of(student="q"), fails=True),
        case(teacher, student, x, y, features=of(loss="attention"), fails=True),
        case(teacher, student, x, y, features=of(loss="kl"), fails=True),
        case(teacher, student, x, y, features=of(weight=-1.0), fails=True),
        case(teacher, student, x, y, features=["a"], fails=True),
        case(teacher, student, x, y, features={"layer": inner}, fails=True),
        case(teacher, student, x, y, features={**of(), "from": 2.0}, fails=True),
    ]  # fmt: skip
    images = np.random.RandomState([3]).random_sample((5, 4, 1, 24)).astype(np.float32)

    def network(filters):
        return verbs.new(
            "input", [5.0, 4.0, 1.0], "conv2d", [filters, 3.0, "padding", "same", "name", "c"],
            "tanh", "globalaveragepool", "flatten", "dense", 2.0,
        )  # fmt: skip

    for name in ("hint", "attention", "similarity"):
        features = {"teacher": "c", "loss": name}
        cases.append(case(network(6.0), network(3.0), images, None, features=features, **once))
    compare(cases)


def test_cache(tmp_path):
    """A cache written by either implementation is read by the other."""
    x, _ = data()
    teacher, student = models.perceptron(), models.perceptron(sizes=(6, 4, 3))
    once = {"epochs": 1.0, "batch_size": 16.0, "verbose": False}
    verbs.distill(teacher, student, x, cache=str(tmp_path / "a.mat"), **once)
    before = (tmp_path / "a.mat").read_bytes()
    compare([case(teacher, student, x, None, cache=str(tmp_path / "a.mat"), **once)])
    assert (tmp_path / "a.mat").read_bytes() == before
    made = {**once, "cache": str(tmp_path / "b.mat")}
    run_octave([case(teacher, student, x, None, **made)])
    written = (tmp_path / "b.mat").read_bytes()
    assert len(written) == len(before)
    assert written[:248] == before[:248]
    verbs.distill(teacher, student, x, **made)
    cases = [
        case(student, student, x, None, fails=True, **made),
        case(teacher, student, x[:, ::-1], None, fails=True, **made),
        case(teacher, student, x[:, 1:], None, fails=True, **made),
        case(teacher, student, x, None, fails=True, generations=2.0, **made),
    ]
    nothing = tmp_path / "c.mat"
    matfile.save(nothing, {"a": np.ones((2, 2))})
    cases.append(case(teacher, student, x, None, fails=True, **{**once, "cache": str(nothing)}))
    compare(cases)


def test_cache_in_parts(tmp_path):
    """Large caches are read batch by batch, over the ends of their variables."""
    x = np.arange(2100.0).reshape(3, 700, order="F")
    layout = distill_cache.cache_layout(3, 700, np.float64, 3600)
    assert len(layout.first) == 5
    file, mark = str(tmp_path / "a.mat"), np.arange(6.0)
    distill_cache.write_cache("f", file, mark, layout, lambda which: x[:, which])
    for most in (0, 1e9):
        read = distill_cache.open_cache("f", file, mark, layout, most)
        for which in (np.arange(700), np.array([149, 150, 7, 699, 0])):
            assert np.array_equal(read(which), x[:, which])
    found = matfile.load(file)
    parts = [found[f"outputs_{k + 1}"] for k in range(5)]
    assert np.array_equal(np.concatenate(parts, axis=1), x)


def test_fingerprints():
    things = [
        np.arange(12000.0).reshape(4, 3000), np.zeros((0, 3)), "text", "", 0.1, True,
        np.arange(9000, dtype=np.uint8), np.float32([[1.5, 2]]), {"b": [1.0, "x"], "a": {}}, [],
        np.random.RandomState([1]).random_sample((40, 30, 5, 60)).astype(np.float32),
    ]  # fmt: skip
    name = "octcompress.distill.fingerprint"
    compare([Case("fingerprint", name, distill_cache.fingerprint, [thing]) for thing in things])


def test_drawn_inputs():
    dense = verbs.new("input", 4.0, "batchnorm", "dense", 6.0, "batchnorm", "tanh", "dense", 3.0)
    dense["layers"][2]["variance"] = np.full((6, 1), 2, np.float32)
    image = verbs.new("input", [5.0, 4.0, 2.0], "conv2d", [3.0, 3.0], "batchnorm", "flatten",
                      "dense", 2.0)  # fmt: skip
    steps = verbs.new("input", [3.0, 6.0], "lstm", 4.0, "dense", 2.0)
    plain = verbs.new("input", 3.0, "dense", 2.0)
    given = {"mean": np.array([[1.0], [2], [3]]), "deviation": 0.5}
    few = {"count": 21.0, "batch_size": 10.0, "steps": 12.0}

    def drawn(model, **options):
        name = "octcompress.distill.draw_inputs"
        within = {"": 1e-3}
        function = distill_inputs.draw_inputs
        fails = options.pop("fails", False)
        return Case("draw", name, function, [model], options, 2, within, fails)

    cases = [
        drawn(dense, **few), drawn(dense, label_weight=0.0, **few), drawn(image, seed=3.0, **few),
        drawn(steps, mean=0.0, deviation=1.0, **few), drawn(plain, **given, **few),
        drawn(plain, steps=0.0, count=5.0, **given), drawn(plain, fails=True),
        drawn(plain, mean=np.ones((2, 1)), deviation=1.0, fails=True),
        drawn(plain, mean=0.0, deviation=-1.0, fails=True), drawn(3.0, fails=True),
        drawn(dense, count=0.0, fails=True), drawn(dense, number=3.0, fails=True),
    ]  # fmt: skip
    compare(cases)
    teacher = verbs.new("input", 6.0, "batchnorm", "dense", 4.0)
    options = {"draw": few, "epochs": 1.0, "learning_rate": 0.0}
    compare([
        case(teacher, teacher, None, None, **options),
        case(teacher, teacher, None, np.ones((1, 3)), fails=True),
    ])  # fmt: skip


def test_own_loss():
    """A callable of the user's; in features too."""
    x, y = data()
    teacher, student = models.perceptron(), models.perceptron(sizes=(6, 4, 3))
    once = {"epochs": 2.0, "batch_size": 16.0, "verbose": False}
    expected, _ = verbs.distill(teacher, student, x, y, loss="kl", temperature=2.0, **once)
    own, info = verbs.distill(
        teacher, student, x, y, loss=lambda t, s: distill.kl(t, s, 2.0), **once
    )
    assert np.array_equal(own["layers"][0]["weights"], expected["layers"][0]["weights"])
    assert isinstance(info["options"]["loss"], str)
    inner = {
        "teacher": graph.tidy("f", teacher)["layers"][0]["name"],
        "loss": lambda t, s: (0.0, 0 * s),
    }
    _, info = verbs.distill(teacher, student, x, y, features=inner, **once)
    assert info["history"]["feature_loss"].tolist() == [[0, 0]]
    with pytest.raises(OctcompressError, match="gradient of the size of the student's outputs"):
        verbs.distill(teacher, student, x, y, loss=lambda t, s: (0.0, 1.0), **once)


def test_refused():
    x, y = data(12)
    teacher, student = models.perceptron(), models.perceptron(sizes=(6, 3))
    narrow, short = models.perceptron(sizes=(5, 3)), models.perceptron(sizes=(6, 2))
    one = models.perceptron(sizes=(6, 1), last=None)
    inputs = [
        (3.0, student), (teacher, {"Theta1": np.ones((2, 2))}), (teacher, narrow), (teacher, short),
        (models.graph(), student), (teacher, models.sequence()),
    ]  # fmt: skip
    cases = [case(t, s, x, y, fails=True) for t, s in inputs]
    wrong = [
        {"loss": "hinge"}, {"temperature": 0.0}, {"alpha": 1.5}, {"alpha": "half"}, {"rate": 0.1},
        {"epochs": -1.0}, {"validation_data": [x]}, {"temperature": float("nan")},
        {"alpha": row(0.5, 2)}, {"temperature": row(1, 2, 3)}, {"ramp": "step"},
        {"teacher_weights": row(1, 2)}, {"teacher_weights": -1.0}, {"draw": 3.0},
        {"generations": 0.0}, {"generations": 2.0, "checkpoint": "a.mat"}, {"cache": 3.0},
    ]  # fmt: skip
    cases += [case(teacher, student, x, y, fails=True, **options) for options in wrong]
    huge = models.perceptron()
    huge["layers"][2]["weights"] = np.full((5, 8), 3e38, np.float32)
    cases += [
        case(teacher, student, x, None, alpha=0.5, fails=True),
        case(teacher, student, x, None, monitor="accuracy", validation=0.5, fails=True),
        case(one, one, x, None, loss="kl", fails=True),
        case(teacher, student, x, y + 3, fails=True),
        case(teacher, student, x[:5], y, fails=True),
        case(teacher, student, np.where(x > 1, np.nan, x), y, fails=True),
        case(huge, student, x, y, fails=True),
    ]
    compare(cases)
