"""ONNX in: each operator held to ONNX Runtime, which `convert` asks at its end."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, version_converter

import pyoctcompress as oc
from pyoctcompress import FileError, ModelError, OctcompressError, OptionError
from pyoctcompress.importers import convert

pytest.importorskip("onnxruntime")
R = np.random.RandomState


def numbers(*shape, seed=0):
    return R([seed, *shape]).standard_normal(shape).astype(np.float32)


def node(kind, inputs, output="y", **attributes):
    return helper.make_node(kind, inputs.split(), [output], name=f"{kind}_{output}", **attributes)


def write(folder, nodes, constants, shape, opset=17, outputs=("y",), **options):
    reads = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    gives = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    tensors = [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()]
    graph = helper.make_graph(nodes, "g", reads, gives, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8 if opset < 21 else 10
    onnx.save(model, folder / "m.onnx", **options)
    return folder / "m.onnx"


def converted(folder, nodes, constants, shape, opset=17, outputs=("y",), **options):
    model, info = convert(write(folder, nodes, constants, shape, opset, outputs), **options)
    assert info["check"]["checked"], info["check"]
    assert info["check"]["difference"] < 1e-4
    return model


IMAGE = [1, 4, 9, 7]
ROI = {"roi": np.zeros(0, np.float32)}


def scales(high, wide):
    return {**ROI, "f": np.array([1, 1, high, wide], np.float32)}


# name: (nodes, constants, input's shape, opset)
GRAPHS = {
    "conv": ([node("Conv", "x w b")], {"w": numbers(6, 4, 3, 3), "b": numbers(6)}, IMAGE, 7),
    "conv of everything": (
        [node("Conv", "x w", pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2], group=2)],
        {"w": numbers(6, 2, 3, 2)}, IMAGE, 11),
    "depthwise, same upper": (
        [node("Conv", "x w b", auto_pad="SAME_UPPER", strides=[2, 2], group=4)],
        {"w": numbers(8, 1, 3, 3), "b": numbers(8)}, IMAGE, 13),
    "same lower": ([node("Conv", "x w", auto_pad="SAME_LOWER", strides=[2, 2])],
                   {"w": numbers(2, 4, 2, 2)}, IMAGE, 13),
    "1 x 1, valid": ([node("Conv", "x w", auto_pad="VALID")], {"w": numbers(2, 4, 1, 1)}, IMAGE,
                     13),
    "transposed": (
        [node("ConvTranspose", "x w b", strides=[2, 2], pads=[1, 1, 0, 1], output_padding=[1, 0])],
        {"w": numbers(4, 3, 3, 3), "b": numbers(3)}, IMAGE, 13),
    "transposed in groups": ([node("ConvTranspose", "x w", strides=[2, 1], group=2)],
                             {"w": numbers(4, 3, 2, 2)}, IMAGE, 13),
    "conv and an added bias": ([node("Conv", "x w", "c"), node("Add", "c b")],
                               {"w": numbers(6, 4, 3, 3), "b": numbers(1, 6, 1, 1)}, IMAGE, 13),
    "batchnorm": ([node("BatchNormalization", "x s o m v", epsilon=1e-3)],
                  {"s": numbers(4), "o": numbers(4), "m": numbers(4), "v": np.abs(numbers(4))},
                  IMAGE, 15),
    "activations": (
        [node("Relu", "x", "a"), node("LeakyRelu", "a", "b", alpha=0.2), node("Sigmoid", "b", "c"),
         node("Tanh", "c", "d"), node("Elu", "d", "e", alpha=0.7), node("HardSigmoid", "e", "f"),
         node("HardSwish", "f", "g"), node("Identity", "g", "h"), node("Softmax", "h", axis=1)],
        {}, IMAGE, 14),
    "gelu": ([node("Gelu", "x", "a"), node("Gelu", "a", approximate="tanh")], {}, IMAGE, 20),
    "gelu of many": (
        [node("Div", "x r", "a"), node("Erf", "a", "b"), node("Add", "b one", "c"),
         node("Mul", "x c", "d"), node("Mul", "d half", "e"),
         node("Mul", "e half", "f"), node("Mul", "e r2", "g"), node("Erf", "g", "h"),
         node("Add", "one h", "i"), node("Mul", "f i")],
        {"r": np.float32(2**0.5), "r2": np.float32([0.5**0.5]), "one": np.float32(1),
         "half": np.float32(0.5)}, IMAGE, 13),
    "swish of two": ([node("Sigmoid", "x", "s"), node("Mul", "x s")], {}, IMAGE, 13),
    "prelu": ([node("PRelu", "x s")], {"s": np.abs(numbers(4, 1, 1))}, IMAGE, 13),
    "clip by attributes": ([node("Clip", "x", min=0.0, max=6.0)], {}, IMAGE, 7),
    "clip by inputs": ([node("Clip", "x low high")],
                       {"low": np.float32(0), "high": np.float32(6)}, IMAGE, 13),
    "clip below": ([node("Clip", "x low")], {"low": np.float32(0)}, IMAGE, 13),
    "pools": ([node("MaxPool", "x", "a", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]),
               node("AveragePool", "a", kernel_shape=[2, 2], strides=[1, 1], pads=[1, 1, 0, 0])],
              {}, IMAGE, 11),
    "pools that round up": (
        [node("MaxPool", "x", "a", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
         node("AveragePool", "a", kernel_shape=[2, 2], count_include_pad=1, pads=[1, 1, 1, 1])],
        {}, IMAGE, 13),
    "dilated pool": ([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])], {}, IMAGE, 12),
    "global pools": ([node("GlobalAveragePool", "x", "a"), node("GlobalMaxPool", "x", "b"),
                      node("Add", "a b", "c"), node("Flatten", "c")], {}, IMAGE, 13),
    "mean over the image": ([node("ReduceMean", "x", axes=[2, 3], keepdims=0)], {}, IMAGE, 13),
    "mean by an input": ([node("ReduceMean", "x axes", "a", keepdims=1), node("Squeeze", "a axes")],
                         {"axes": np.array([2, 3])}, IMAGE, 18),
    "flatten and gemm": ([node("Flatten", "x", "f"), node("Gemm", "f w b", transB=1)],
                         {"w": numbers(5, 252), "b": numbers(5)}, IMAGE, 11),
    "reshape and matmul": (
        [node("Reshape", "x s", "f"), node("MatMul", "f w", "m"), node("Add", "m b", "a"),
         node("LogSoftmax", "a", axis=1)],
        {"s": np.array([0, -1]), "w": numbers(252, 5), "b": numbers(5)}, IMAGE, 13),
    "gemm with factors": ([node("Gemm", "x w b", alpha=0.5, beta=2.0)],
                          {"w": numbers(6, 5), "b": numbers(1, 5)}, [1, 6], 13),
    "channels last, as tf2onnx writes": (
        [node("Transpose", "x", "a", perm=[0, 3, 1, 2]), node("Conv", "a w b", "c"),
         node("Transpose", "c", "d", perm=[0, 2, 3, 1]), node("Reshape", "d s", "e"),
         node("MatMul", "e m")],
        {"w": numbers(3, 2, 3, 3), "b": numbers(3), "s": np.array([-1, 60]), "m": numbers(60, 4)},
        [1, 6, 7, 2], 13),
    "constants around": (
        [node("Sub", "x m", "a"), node("Div", "a s", "b"), node("Mul", "b k", "c"),
         node("Add", "k2 c", "d"), node("Sub", "one d")],
        {"m": numbers(1, 4, 1, 1), "s": np.abs(numbers(4, 1, 1)) + 1, "k": np.float32(0.5),
         "k2": numbers(4, 9, 7), "one": np.float32(1)}, IMAGE, 13),
    "a residual block": (
        [node("Conv", "x w b", "c", pads=[1] * 4), node("Relu", "c", "r"), node("Add", "r x", "s"),
         node("Concat", "s x r", axis=1)],
        {"w": numbers(4, 4, 3, 3), "b": numbers(4)}, IMAGE, 13),
    "squeeze and excitation": (
        [node("GlobalAveragePool", "x", "a"), node("Conv", "a w", "c"), node("Sigmoid", "c", "s"),
         node("Mul", "x s")], {"w": numbers(4, 4, 1, 1)}, IMAGE, 13),
    "features made an image": (
        [node("Gemm", "x w", "a"), node("Reshape", "a s", "b"), node("Conv", "b k")],
        {"w": numbers(6, 36), "s": np.array([-1, 4, 3, 3]), "k": numbers(2, 4, 2, 2)}, [1, 6], 13),
    "unsqueezed": ([node("Unsqueeze", "x a", "u"), node("Conv", "u w")],
                   {"a": np.array([2, 3]), "w": numbers(2, 6, 1, 1)}, [1, 6], 13),
    "padding": ([node("Pad", "x p")], {"p": np.array([0, 0, 1, 2, 0, 0, 0, 1])}, IMAGE, 13),
    "padding by attributes": ([node("Pad", "x", pads=[0, 0, 1, 2, 0, 0, 0, 1])], {}, IMAGE, 7),
    "upsample of old": ([node("Upsample", "x f", mode="nearest")],
                        {"f": np.array([1, 1, 2, 3], np.float32)}, IMAGE, 9),
    "nearest": ([node("Resize", "x roi f", mode="nearest", nearest_mode="floor",
                      coordinate_transformation_mode="asymmetric")], scales(2, 2), IMAGE, 13),
    "nearest with half pixels": ([node("Resize", "x roi f", mode="nearest")], scales(3, 2), IMAGE,
                                 13),
    "linear": ([node("Resize", "x roi f", mode="linear")], scales(2, 3), IMAGE, 13),
    "linear between corners": (
        [node("Resize", "x roi f", mode="linear",
              coordinate_transformation_mode="align_corners")], scales(2, 2), IMAGE, 13),
    "resize to sizes": (
        [node("Resize", "x roi e s", mode="linear",
              coordinate_transformation_mode="pytorch_half_pixel")],
        {**ROI, "e": np.zeros(0, np.float32), "s": np.array([1, 4, 18, 14])}, IMAGE, 13),
    "dropout and casts": ([node("Dropout", "x", "a"), node("Cast", "a", "b", to=1),
                           node("Sum", "a b")], {}, IMAGE, 13),
    "softmax of old": ([node("Flatten", "x", "f"), node("Softmax", "f")], {}, IMAGE, 8),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_operators(name, tmp_path):
    converted(tmp_path, *GRAPHS[name])


def test_shapes_that_the_graph_computes(tmp_path):
    """As PyTorch writes x.view (x.size (0), -1) with an open number of observations."""
    nodes = [
        node("Shape", "x", "shape"),
        node("Constant", "", "zero", value=numpy_helper.from_array(np.array(0))),
        node("Gather", "shape zero", "count", axis=0),
        node("Constant", "", "axes", value=numpy_helper.from_array(np.array([0]))),
        node("Unsqueeze", "count axes", "counts"),
        node("Concat", "counts rest", "target", axis=0),
        node("Reshape", "x target", "f"),
        node("MatMul", "f w"),
    ]
    converted(tmp_path, nodes, {"rest": np.array([-1]), "w": numbers(252, 3)}, ["n", 4, 9, 7])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_recurrent(kind, direction, tmp_path):
    gates = 4 if kind == "LSTM" else 3
    constants = {"w": numbers(1, gates * 3, 5), "r": numbers(1, gates * 3, 3),
                 "b": numbers(1, gates * 6)}  # fmt: skip
    more = {"linear_before_reset": 1} if kind == "GRU" else {}
    sequence = helper.make_node(kind, ["x", "w", "r", "b"], ["s"], hidden_size=3,
                                direction=direction, name="r", **more)  # fmt: skip
    nodes = [sequence, node("Squeeze", "s one", "y")]
    model = converted(tmp_path, nodes, {**constants, "one": np.array([1])}, [6, 1, 5])
    assert model["layers"][0]["type"] == kind.lower()
    last = helper.make_node(kind, ["x", "w", "r"], ["", "h"], hidden_size=3, name="r",
                            direction=direction)  # fmt: skip
    nodes = [last, node("Squeeze", "h zero", "q"), node("MatMul", "q m", "y")]
    constants |= {"zero": np.array([0]), "m": numbers(3, 2)}
    model = converted(tmp_path, nodes, constants, [6, 1, 5])
    assert model["layers"][0]["result"] == "last"


def test_several_observations_at_a_time(tmp_path):
    """A file that is made for four of them is checked with four."""
    nodes = [node("Conv", "x w", "c"), node("Reshape", "c shape", "f"), node("Gemm", "f v")]
    constants = {"w": numbers(2, 4, 9, 7), "shape": np.array([4, 2]), "v": numbers(2, 3)}
    model = converted(tmp_path, nodes, constants, [4, 4, 9, 7])
    assert model["layers"][-1]["weights"].shape == (3, 2)


def test_shapes_that_contradict_each_other(tmp_path):
    """What NumPy raises is told with the node."""
    path = write(tmp_path, [node("PRelu", "x s")], {"s": numbers(3, 1, 1)}, IMAGE)
    with pytest.raises(ModelError, match=r"PRelu \(PRelu_y\): "):
        convert(path)


def test_two_outputs(tmp_path):
    nodes = [node("Relu", "x", "a"), node("Sigmoid", "a", "b")]
    model = converted(tmp_path, nodes, {}, IMAGE, outputs=("a", "b"))
    assert model["outputs"] == ["Relu_a", "Sigmoid_b"]


def test_open_sizes_are_asked_for(tmp_path):
    path = write(tmp_path, [node("Relu", "x")], {}, [1, 3, "h", "w"])
    with pytest.raises(OptionError, match="input_size"):
        convert(path)
    model, _ = convert(path, input_size=[5, 6, 3])
    assert model["input_size"].tolist() == [[5, 6, 3]]


def test_quantized_weights_keep_their_integers(tmp_path):
    codes = R([1]).randint(-127, 128, (5, 252)).astype(np.int8)
    scale = np.linspace(0.01, 0.05, 5, dtype=np.float32)
    filters = R([2]).randint(0, 256, (4, 4, 3, 3)).astype(np.uint8)
    nodes = [
        node("DequantizeLinear", "k ks kz", "w"),
        node("Conv", "x w", "c", pads=[1] * 4),
        node("Flatten", "c", "f"),
        node("DequantizeLinear", "q s", "m", axis=0),
        node("Gemm", "f m b", transB=1),
    ]
    constants = {"k": filters, "ks": np.float32(0.02), "kz": np.uint8(120), "q": codes, "s": scale,
                 "b": numbers(5)}  # fmt: skip
    model = converted(tmp_path, nodes, constants, IMAGE)
    conv, dense = (layer for layer in model["layers"] if "weights" in layer)
    grid = conv["quantization"]["weights"]
    assert (grid["scheme"], grid["bits"], grid["zero_point"].item()) == ("affine", 8, -8)
    grid = dense["quantization"]["weights"]
    assert (grid["scheme"], grid["axis"]) == ("symmetric", 1)
    assert np.array_equal(grid["scale"].ravel(), scale)
    assert np.array_equal(np.rint(dense["weights"] / scale[:, None]), codes)
    assert dense["source"]["weights"]["name"] == "q"


@pytest.mark.parametrize(("axis", "kept"), [(0, True), (-4, True), (1, False), (2, False)])
def test_a_grid_along_another_axis_is_no_promise(axis, kept, tmp_path):
    """The numbers are right all the same."""
    filters = R([2]).randint(-127, 128, (4, 4, 4, 4)).astype(np.int8)
    nodes = [node("DequantizeLinear", "k s", "w", axis=axis), node("Conv", "x w", "y")]
    constants = {"k": filters, "s": np.array([0.1, 0.2, 0.3, 0.4], np.float32)}
    model = converted(tmp_path, nodes, constants, IMAGE)
    assert ("quantization" in model["layers"][0]) == kept


def test_quantized_activations_become_grids(tmp_path):
    constants = {"sx": np.float32(0.03), "zx": np.uint8(128), "sy": np.float32(0.05),
                 "zy": np.int8(-10), "k": R([2]).randint(-127, 128, (4, 4, 3, 3)).astype(np.int8),
                 "ks": np.full(4, 0.01, np.float32)}  # fmt: skip
    nodes = [
        node("QuantizeLinear", "x sx zx", "xq"),
        node("DequantizeLinear", "xq sx zx", "xd"),
        node("DequantizeLinear", "k ks", "w", axis=0),
        node("Conv", "xd w", "c"),
        node("Relu", "c", "r"),
        node("QuantizeLinear", "r sy zy", "rq"),
        node("DequantizeLinear", "rq sy zy", "y"),
    ]
    path = write(tmp_path, nodes, constants, IMAGE)
    model, info = convert(path)
    assert info["check"]["checked"] and info["check"]["difference"] < 0.06
    assert model["quantization"]["input"]["zero_point"].item() == 0
    assert [layer["type"] for layer in model["layers"]] == ["conv2d", "relu"]
    assert model["layers"][1]["quantization"]["output"]["zero_point"].item() == -10
    assert model["layers"][0]["quantization"]["weights"]["axis"] == 4


def test_everything_unknown_is_named_at_once(tmp_path):
    nodes = [
        node("Sin", "x", "a"),
        node("Cos", "a", "b"),
        node("Sin", "b", "c"),
        node("CumSum", "c axis", "y"),
    ]
    path = write(tmp_path, nodes, {"axis": np.int32(1)}, IMAGE)
    with pytest.raises(ModelError) as caught:
        convert(path)
    assert caught.value.identifier == "octcompress:convert:unsupported"
    for part in ("Cos (Cos_b)", "CumSum (CumSum_y)", "Sin (Sin_a, Sin_c)"):
        assert part in caught.value.message
    nodes = [
        node("Softmax", "x", "a", axis=2),
        node("Clip", "x", "b", min=-1.0, max=1.0),
        node("Add", "a b", "y"),
    ]
    path = write(tmp_path, nodes, {}, IMAGE, opset=10)
    with pytest.raises(ModelError) as caught:
        convert(path)
    for part in ("Softmax (Softmax_a): ", "Clip (Clip_b): limits -1.0 and 1.0"):
        assert part in caught.value.message


@pytest.mark.parametrize(
    ("nodes", "constants", "shape", "message"),
    [
        ([node("Flatten", "x", axis=2)], {}, IMAGE, "the axis 2"),
        ([node("Reshape", "x s")], {"s": np.array([4, -1])}, IMAGE, "a reshape of"),
        ([node("Transpose", "x", "t", perm=[0, 2, 1, 3]), node("Flatten", "t")], {}, IMAGE,
         "axes in the order NHCW"),
        ([node("MatMul", "x x")], {}, [1, 1], "a product of two values"),
        ([node("Pad", "x", mode="reflect", pads=[0, 0, 1, 1, 0, 0, 1, 1])], {}, IMAGE, "reflect"),
        ([node("Conv", "x w")], {"w": numbers(6, 5, 3, 3)}, IMAGE, "channels"),
        ([node("Add", "x k")], {"k": numbers(1, 1, 1, 7)}, IMAGE, ""),
        ([node("Div", "k x")], {"k": np.float32(1)}, IMAGE, "divided by a value"),
        ([node("Conv", "x w")], {"w": numbers(6, 4, 3)}, [1, 4, 9], "NCHW is needed"),
    ],
)  # fmt: skip
def test_refused_for_what_they_say(nodes, constants, shape, message, tmp_path):
    path = write(tmp_path, nodes, constants, shape, opset=10)
    try:
        convert(path)
        assert not message
    except ModelError as error:
        assert message in error.message and nodes[-1].name in error.message


def test_two_inputs_are_refused(tmp_path):
    reads = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3]) for n in ("x", "z")]
    gives = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([node("Add", "x z")], "g", reads, gives)
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"2 inputs \(x, z\)"):
        convert(tmp_path / "m.onnx")


def test_opset_6_is_refused(tmp_path):
    path = write(tmp_path, [node("Relu", "x")], {}, IMAGE, opset=6)
    with pytest.raises(FileError, match="opset 6"):
        convert(path)


def test_external_data_within_the_folder_only(tmp_path):
    w = numbers(50, 252)
    nodes = [node("Flatten", "x", "f"), node("Gemm", "f w", transB=1)]
    options = {"save_as_external_data": True, "location": "w.bin", "size_threshold": 100}
    path = write(tmp_path, nodes, {"w": w}, IMAGE, **options)
    model, info = convert(path)
    assert info["check"]["checked"]
    assert np.array_equal(model["layers"][-1]["weights"], w)
    (tmp_path / "w.bin").write_bytes((tmp_path / "w.bin").read_bytes()[:-4])
    with pytest.raises(FileError, match="too short for w"):
        convert(path)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(FileError, match="which is not there"):
        convert(path)
    for place in ("../w.bin", "/etc/passwd"):
        loaded = onnx.load(path, load_external_data=False)
        for entry in loaded.graph.initializer[0].external_data:
            if entry.key == "location":
                entry.value = place
        onnx.save(loaded, tmp_path / "bad.onnx")
        with pytest.raises(FileError, match="outside of the model's folder"):
            convert(tmp_path / "bad.onnx")


@pytest.mark.parametrize("stretched", ["ConstantOfShape", "Expand"])
def test_states_of_zeros_for_every_observation(stretched, tmp_path):
    """As PyTorch writes them: as many as the batch has, which is open."""
    make = [node("ConstantOfShape", "s", "h")] if stretched == "ConstantOfShape" else [
        node("Expand", "zero s", "h")]  # fmt: skip
    nodes = [
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node("Shape", "t", "all"),
        node("Gather", "all one", "n", axis=0),
        node("Concat", "one n five", "s", axis=0),
        *make,
        node("GRU", "t w r b no h", "seq", hidden_size=5),
        node("Squeeze", "seq one", "y"),
    ]
    constants = {"one": np.array([1]), "five": np.array([5]), "zero": np.zeros(1, np.float32),
                 "w": numbers(1, 15, 3), "r": numbers(1, 15, 5), "b": numbers(1, 30)}  # fmt: skip
    nodes[5].input[4] = ""
    model = converted(tmp_path, nodes, constants, ["n", 6, 3])
    assert [layer["type"] for layer in model["layers"]] == ["gru"]
    constants["zero"] += 1
    if stretched == "Expand":
        with pytest.raises(ModelError, match="states, lengths or peepholes"):
            convert(write(tmp_path, nodes, constants, ["n", 6, 3]))


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_last_step_of_a_sequence(direction, tmp_path):
    """As PyTorch's y[:, -1] is written; any other step is refused, and one that others read."""

    def nodes(step, more=()):
        return [
            node("Transpose", "x", "t", perm=[1, 0, 2]),
            node("LSTM", "t w r b", "seq", hidden_size=5, direction=direction),
            node("Squeeze", "seq one", "s"),
            node("Transpose", "s", "b0", perm=[1, 0, 2]),
            node("Gather", f"b0 {step}", "y", axis=1),
            *more,
        ]  # fmt: skip

    constants = {"one": np.array([1]), "last": np.array(-1), "first": np.array(0),
                 "w": numbers(1, 20, 3), "r": numbers(1, 20, 5), "b": numbers(1, 40)}  # fmt: skip
    right, wrong = ("first", "last") if direction == "reverse" else ("last", "first")
    model = converted(tmp_path, nodes(right), constants, ["n", 6, 3])
    assert [layer["result"] for layer in model["layers"]] == ["last"]
    for bad in (nodes(wrong), nodes(right, [node("Relu", "b0", "z")])):
        with pytest.raises(ModelError, match="of a sequence, where the last one"):
            convert(write(tmp_path, bad, constants, ["n", 6, 3]))


@pytest.mark.parametrize("steps", [6, "t"])
def test_the_state_of_the_last_of_a_stack(steps, tmp_path):
    """As PyTorch's h[-1]: the states of all layers are joined, and one is picked."""

    def gru(reads, weights, outputs):
        given = [reads, *weights.split(), "", "h"]
        return helper.make_node("GRU", given, outputs, hidden_size=5)

    nodes = [
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node("Shape", "t", "all"),
        node("Gather", "all one", "n", axis=0),
        node("Concat", "one n five", "size", axis=0),
        node("ConstantOfShape", "size", "h"),
        gru("t", "w r b", ["y1", "h1"]),
        node("Squeeze", "y1 one", "s1"),
        gru("s1", "w2 r b", ["", "h2"]),
        node("Concat", "h1 h2", "states", axis=0),
        node("Gather", "states last", "y", axis=0),
    ]
    constants = {"one": np.array([1]), "five": np.array([5]), "last": np.array(-1),
                 "w": numbers(1, 15, 3), "w2": numbers(1, 15, 5), "r": numbers(1, 15, 5),
                 "b": numbers(1, 30)}  # fmt: skip
    model = converted(tmp_path, nodes, constants, ["n", steps, 3])
    assert [layer.get("result") for layer in model["layers"]] == [None, "last"]


def test_features_beside_an_image_one_axis_after_the_other(tmp_path):
    nodes = [
        node("GlobalAveragePool", "x", "p"),
        node("Flatten", "p", "f"),
        node("Unsqueeze", "f two", "u"),
        node("Unsqueeze", "u three", "v"),
        node("Mul", "x v"),
    ]
    constants = {"two": np.array([2]), "three": np.array([3])}
    model = converted(tmp_path, nodes, constants, IMAGE)
    assert model["layers"][-1]["type"] == "multiply"


def test_constants_that_would_fill_the_memory(tmp_path):
    nodes = [node("ConstantOfShape", "s", "k"), node("Add", "x k")]
    path = write(tmp_path, nodes, {"s": np.array([1, 4, 2**20, 2**20])}, IMAGE)
    with pytest.raises(ModelError, match="a constant of 4398046511104"):
        convert(path)


def test_what_pytorch_wrote(tmp_path):
    """The models that come with the onnx package: right in ONNX Runtime, or refused by name."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data"
    files = sorted(folder.glob("pytorch-*/*/model.onnx"))
    if not files:
        pytest.skip("this onnx package has no models")
    checked = 0
    for file in files:
        newer = version_converter.convert_version(onnx.load(file), 13)
        onnx.save(newer, tmp_path / "m.onnx")
        try:
            _, info = convert(tmp_path / "m.onnx")
        except ModelError as error:
            assert error.tag == "unsupported", file
            continue
        assert info["check"]["checked"], (file, info["check"]["text"])
        checked += 1
    assert checked > len(files) / 4


def test_damaged_by_chance(tmp_path):
    path = write(tmp_path, *GRAPHS["reshape and matmul"][:3])
    content = bytearray(path.read_bytes())
    random = R([5])
    refused = 0
    for _ in range(80):
        data = bytearray(content)
        for _ in range(random.randint(1, 4)):
            data[random.randint(0, len(data))] = random.randint(0, 256)
        if random.rand() < 0.3:
            del data[random.randint(0, len(data)) :]
        (tmp_path / "bad.onnx").write_bytes(data)
        try:
            convert(tmp_path / "bad.onnx", verify=False)
        except OctcompressError:
            refused += 1
    assert refused > 10


def test_without_a_check(tmp_path):
    model, info = convert(write(tmp_path, [node("Relu", "x")], {}, IMAGE), verify=False)
    assert info["check"]["text"] == "not checked: not asked for"
    assert oc.predict(model, np.ones((9, 7, 4, 2)), backend="numpy").shape == (9, 7, 4, 2)
