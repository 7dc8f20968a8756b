"""The NumPy reference on whole models."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from pyoctcompress.errors import DataError, ModelError
from pyoctcompress.matfile import StructArray
from pyoctcompress.reference import layers as table
from pyoctcompress.reference import model as graph
from pyoctcompress.reference import quant, verbs


def dense(name, weights, bias=None, kind=np.float32):
    layer = {"type": "dense", "name": name, "weights": np.array(weights, kind)}
    if bias is not None:
        layer["bias"] = np.array(bias, kind).reshape(-1, 1)
    return layer


def small():
    layers = [dense("a", [[1, 2], [3, 4]], [0.5, 0.25]), {"type": "relu"}]
    return {"layers": [*layers, dense("b", [[10, 20], [30, 0.5]])]}


def test_tidy_fills_in_and_changes_nothing_else():
    model = {"layers": [dense("", np.ones((2, 3))), {"type": "relu"}], "meta": {"x": 1.0}}
    before = copy.deepcopy(model)
    tidy = graph.tidy("f", model)
    assert [layer["name"] for layer in tidy["layers"]] == ["dense_1", "relu_2"]
    assert (tidy["format"], tidy["version"], tidy["input_size"]) == ("octcompress", 1.0, 3.0)
    np.testing.assert_array_equal(tidy["layers"][0]["weights_size"], [[2, 3]])
    assert graph.is_network(tidy)
    assert model.keys() == before.keys()
    assert model["layers"][1] == before["layers"][1]


def test_plan_of_a_graph():
    model = {"layers": [dense("a", np.ones((2, 3))), {"type": "relu", "name": "b"},
                        {"type": "sigmoid", "name": "c", "inputs": ["a"]}]}  # fmt: skip
    plan = graph.plan("f", graph.tidy("f", model))
    assert plan.inputs == [[-1], [0], [0]]
    assert plan.outputs == [1, 2]
    assert plan.sizes == [[2], [2], [2]]
    assert plan.macs == [6, 0, 0]


@pytest.mark.parametrize("name", sorted(table.TYPES))
def test_every_type_has_the_three_functions(name):
    entry = table.TYPES[name]
    for function in ("forward", "backward", "size"):
        assert callable(getattr(entry.run, function))
    assert set(entry.prunable) <= set(entry.trained)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "identity", "softmax"])
def test_derivatives_of_activations(name):
    random = np.random.RandomState([3])
    x, dy = random.standard_normal((2, 4, 3))
    layer = {"type": name}
    run = table.TYPES[name].run
    y, state = run.forward(layer, x, None)
    dx, gradients = run.backward(layer, x, y, dy, state, True)
    assert gradients == {}
    step = 1e-6
    for place in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[place] = step
        up, down = run.forward(layer, x + e, None)[0], run.forward(layer, x - e, None)[0]
        assert abs(dx[place] - (dy * (up - down)).sum() / (2 * step)) < 1e-7


def test_gradients_of_a_graph_with_a_value_read_twice():
    random = np.random.RandomState([4])
    model = {
        "layers": [
            dense("a", random.standard_normal((3, 4)), random.standard_normal(3), np.float64),
            {"type": "tanh", "name": "t"},
            {**dense("b", random.standard_normal((2, 3)), kind=np.float64), "inputs": ["t"]},
            {"type": "sigmoid", "name": "s", "inputs": ["a"]},
        ]
    }
    model = graph.tidy("f", model)
    plan = graph.plan("f", model)
    x = random.standard_normal((4, 5))
    weights = [random.standard_normal((2, 5)), random.standard_normal((3, 5))]

    def loss(layers, x):
        y, trace = graph.forward(plan, layers, x)
        return sum((w * each).sum() for w, each in zip(weights, y, strict=True)), trace

    _, trace = loss(model["layers"], x)
    gradients, dx = graph.backward(plan, model["layers"], trace, weights, need_dx=True)
    step = 1e-6

    def slope(change):
        values = []
        for sign in (1, -1):
            layers, inputs = copy.deepcopy(model["layers"]), x.copy()
            change(layers, inputs, sign * step)
            values.append(loss(layers, inputs)[0])
        return (values[0] - values[1]) / (2 * step)

    for k, field in ((0, "weights"), (0, "bias"), (2, "weights")):
        for place in np.ndindex(gradients[k][field].shape):

            def change(layers, inputs, e, k=k, field=field, place=place):
                layers[k][field][place] += e

            assert abs(gradients[k][field][place] - slope(change)) < 1e-6
    for place in np.ndindex(x.shape):

        def change_input(layers, inputs, e, place=place):
            inputs[place] += e

        assert abs(dx[place] - slope(change_input)) < 1e-6


def test_straight_through_gradient_stops_at_the_ends_of_a_grid():
    grid = quant.grid_of_range(-1.0, 1.0, 4, "symmetric", 0)
    model = {"layers": [{**dense("a", np.eye(2), kind=np.float64),
                         "quantization": {"output": grid}}]}  # fmt: skip
    model = graph.tidy("f", model)
    plan = graph.plan("f", model)
    _, trace = graph.forward(plan, model["layers"], np.array([[0.5], [9.0]]))
    _, dx = graph.backward(plan, model["layers"], trace, [np.ones((2, 1))], need_dx=True)
    np.testing.assert_array_equal(dx, [[1], [0]])


def test_predict_and_batches():
    model = {"layers": [dense("a", [[1, 0, -1], [1, 1, 1]], [0, 1]), {"type": "relu"}]}
    x = np.array([[1, 2], [1, 2], [5, 1]])
    y = verbs.predict(model, x)
    np.testing.assert_array_equal(y, np.float32([[0, 1], [8, 6]]))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(verbs.predict(model, x.astype(np.uint8), batch_size=1), y)
    assert verbs.predict(model, np.zeros((3, 0))).shape == (2, 0)
    two = {"layers": [*model["layers"], {"type": "sigmoid", "name": "s", "inputs": ["a"]}]}
    assert [each.shape for each in verbs.predict(two, x)] == [(2, 2), (2, 2)]


def test_evaluate_by_hand():
    model = {"layers": [dense("a", np.eye(3))]}
    x = np.array([[1.0, 0, 0, 0], [0, 1, 0, 3], [0, 0, 1, 0]])
    result = verbs.evaluate(model, x, np.array([1, 2, 3, 1]))
    assert (result["accuracy"], result["correct"], result["count"]) == (0.75, 3, 4)
    np.testing.assert_array_equal(result["predicted"], [[1, 2, 3, 2]])
    p = np.exp([1, 1, 1, 0]) / (np.exp([1, 1, 1, 3]) + 2)
    assert abs(result["loss"] + np.log(p).mean()) < 1e-12
    with pytest.raises(DataError, match="Y must label each of the 4 observations of X"):
        verbs.evaluate(model, x, [1, 2])


def test_labels():
    def given(y, classes):
        return graph.labels("f", np.array(y), classes).tolist()

    assert given([3, 1, 2], 3) == [[3, 1, 2]]
    assert given([[0, 1], [0, 0], [1, 0]], 3) == [[3, 1]]
    assert given([[0, 0, 1], [1, 0, 0]], 3) == [[3, 1]]
    assert given([[0], [1], [0]], 3) == [[2]]
    with pytest.raises(DataError, match="element 2 is 4"):
        given([1, 4], 3)


def test_tensors_of_anything():
    cells = np.empty((2, 2), object)
    for place in np.ndindex(cells.shape):
        cells[place] = np.ones((2, 2))
    model = {
        "Theta1": np.ones((2, 3)),
        "b": np.ones((1, 3)),
        "scalar": 4.0,
        "nn": {"W": [np.ones((2, 2)), "text", np.ones((2, 2), np.int8)]},
        "s": StructArray([{"w": np.ones((2, 2))}, {"w": np.ones((3, 3))}]),
        "c": cells,
    }
    names = [t.name for t in graph.tensors(model)]
    places = ["c{1}", "c{2}", "c{3}", "c{4}"]
    assert names == ["Theta1", "nn.W{1}", "s(1).w", "s(2).w", *places]
    assert [t.name for t in graph.tensors(model, True)][:2] == ["Theta1", "b"]
    third = graph.tensors(model)[6]
    graph.set_tensor(model, third, np.zeros((2, 2)))
    assert not cells[0, 1].any()  # column-major: the third cell is row 1, column 2


def test_prune_a_network():
    model = small()
    before = copy.deepcopy(model)
    pruned, info = verbs.prune(model, sparsity=0.5)
    np.testing.assert_array_equal(pruned["layers"][0]["weights"], [[0, 0], [3, 4]])
    np.testing.assert_array_equal(pruned["layers"][2]["weights"], [[0, 20], [30, 0]])
    assert pruned["layers"][2]["pruning"]["weights"]["zeros"] == 2
    assert info["layers"][1]["tensor"] == "b.weights"
    np.testing.assert_array_equal(model["layers"][0]["weights"], before["layers"][0]["weights"])
    assert "pruning" not in model["layers"][0]
    pruned, _ = verbs.prune(model, sparsity=0.5, scope="global")
    np.testing.assert_array_equal(pruned["layers"][2]["weights"], [[10, 20], [30, 0]])
    pruned, _ = verbs.prune(model, sparsity=1, layers="a", bias=True)
    assert not pruned["layers"][0]["bias"].any()
    assert pruned["layers"][2]["weights"].all()
    with pytest.raises(ModelError, match="LAYERS names 'c', but no layer with weights"):
        verbs.prune(model, sparsity=1, layers="c")


def test_prune_and_quantize_any_dict():
    bag = {"Theta1": np.array([[1.0, 2], [3, 4]]), "note": "text", "deep": [np.eye(2)]}
    pruned, _ = verbs.prune(bag, sparsity=0.5)
    np.testing.assert_array_equal(pruned["Theta1"], [[0, 0], [3, 4]])
    assert pruned["note"] == "text"
    assert [entry["tensor"] for entry in pruned["octcompress_promises"]] == ["Theta1", "deep{1}"]
    both, _ = verbs.quantize(pruned, 4)
    assert set(both["octcompress_promises"][0]) == {"tensor", "pruning", "quantization"}
    assert "quantization" not in pruned["octcompress_promises"][0]
    np.testing.assert_array_equal(bag["deep"][0], np.eye(2))


def test_calibration_puts_predictions_on_grids():
    model = small()
    x = np.array([[0.0, 1, 2], [1, -1, 0]])
    q, info = verbs.quantize(model, 8, data=x)
    grid = q["layers"][2]["quantization"]["output"]
    y = verbs.predict(q, x)
    np.testing.assert_array_equal(quant.snap_to_grid(y, grid)[0], y)
    assert (info["activations"][0]["lo"], info["activations"][0]["hi"]) == (-1, 2)
    assert [row["layer"] for row in info["activations"]] == ["input", "relu_2", "b"]
    again, _ = verbs.quantize(q, 8, data=x)
    np.testing.assert_array_equal(
        again["layers"][2]["quantization"]["output"]["scale"], grid["scale"]
    )


def test_info_table():
    model = {"layers": [dense("fc", [[1, 0, 2], [0, 0, 3]], [1, 1]), {"type": "relu", "name": "r"}]}
    info = verbs.info(model)
    assert info["text"].splitlines() == [
        "layer  type   shape  parameters   nonzeros  bits  bytes  MACs",
        "fc     dense  2 x 3           8          5    32     32     6",
        "r      relu                   -          -     -      -     -",
        "total                         8  5 (62.5%)  32.0     32     6",
    ]
    small_info = verbs.info(verbs.quantize(model, 3)[0])
    assert small_info["rows"][0]["bytes"] == 3 + 8
