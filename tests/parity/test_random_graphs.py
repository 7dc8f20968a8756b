"""Networks drawn at random: branches, joins, several outputs, layers that no output reads."""

from __future__ import annotations

import numpy as np
import pytest

from pyoctcompress.reference import nn_equalize, nn_fold, verbs

from .harness import Case, compare, needs_octave

pytestmark = needs_octave
ACTIVATIONS = ["relu", "relu6", "leakyrelu", "elu", "gelu", "swish", "hardswish", "sigmoid", "tanh"]
CLOSE = dict.fromkeys(("", "weights", "bias", "limit", "greatest", "least"), 1e-9)
X = np.random.RandomState([3]).standard_normal((6, 5, 2, 12))
Y = 1.0 + np.arange(12.0)[np.newaxis] % 3


def graph(seed):
    """Some layers on images of 6 x 5, each of a layer before it, mostly the last; then a head."""
    random = np.random.RandomState([seed])
    names, channels = ["input"], [2]
    layers = []

    def r(*shape):
        return random.random_sample(shape) - 0.4

    for k in range(random.randint(5, 13)):
        back = random.randint(1, 4) if random.random_sample() < 0.3 else 1
        source = max(len(names) - back, 0)
        c = channels[source]
        new = {"inputs": [names[source]]}
        match random.randint(9):
            case 0 | 1:
                out = random.randint(1, 6)
                new |= {"type": "conv2d", "weights": r(3, 3, c, out), "padding": 1.0}
                new |= {"weights_size": np.array([[3.0, 3.0, c, out]])}
                if random.random_sample() < 0.5:
                    new["bias"] = r(out, 1)
                c = out
            case 2 | 3:
                new |= {"type": "batchnorm", "variance": r(c, 1) + 1}
                new |= {name: r(c, 1) for name in ("scale", "offset", "mean")}
            case 4:
                new |= {"type": "conv2d", "weights": r(3, 3, 1, c), "padding": "same"}
                new |= {"groups": float(c), "weights_size": np.array([[3.0, 3.0, 1.0, c]])}
            case 5:
                alike = [name for name, count in zip(names, channels, strict=True) if count == c]
                new["type"] = ["add", "subtract", "multiply"][random.randint(3)]
                new["inputs"].append(alike[random.randint(len(alike))])
            case 6:
                other = random.randint(len(names))
                new["type"] = "concat"
                new["inputs"].append(names[other])
                c += channels[other]
            case 7:
                new |= {"type": "averagepool", "pool_size": 3.0, "stride": 1.0, "padding": 1.0}
                new["count_include_pad"] = bool(random.randint(2))
            case 8:
                new["type"] = ACTIVATIONS[random.randint(len(ACTIVATIONS))]
        names.append(f"l{k + 1}")
        channels.append(c)
        layers.append({"name": names[-1], **new})
    layers.append({"type": "flatten", "name": "flat", "inputs": [names[-1]]})
    layers.append({"type": "dense", "name": "head", "weights": r(3, 30 * channels[-1])})
    return {"input_size": np.array([[6.0, 5.0, 2.0]]), "layers": layers}


@pytest.mark.parametrize("first", [0, 15])
def test_random_graphs(first):
    cases = []
    for seed in range(first, first + 15):
        whole = graph(seed)
        single = {**whole, "outputs": ["head"]}
        for label, model in (("all", whole), ("head", single)):
            expected = verbs.predict(model, X)
            for same in (nn_fold.fold, nn_equalize.equalize):
                changed, _ = same(model)
                for a, b in zip(outputs(verbs.predict(changed, X)), outputs(expected), strict=True):
                    np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * np.abs(b).max())
            cases += [
                Case(f"{seed} {label}", "nn_predict", verbs.predict, [model, X], {}, 1, CLOSE),
                Case(f"{seed} {label}", "nn_fold", nn_fold.fold, [model], {}, 2, CLOSE),
                Case(f"{seed} {label}", "nn_equalize", nn_equalize.equalize, [model], {}, 2, CLOSE),
            ]
        rule = {"sparsity": 0.4, "criterion": "taylor", "data": X, "labels": Y}
        cases.append(Case(f"{seed}", "nn_prune", verbs.prune, [single], rule, 2, CLOSE))
    compare(cases)


def outputs(y):
    return y if isinstance(y, list) else [y]
