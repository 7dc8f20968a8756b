"""The integers of ``predict(..., arithmetic="integer")`` beside those of LiteRT.

Run ``python benchmarks/quantization_tflite.py``; it needs ``ai-edge-litert`` and ``flatbuffers``. A
network with every kind of layer that has an integer kernel is quantized per tensor and per channel
and written as a .tflite file. LiteRT's reference kernels must give the same codes of every
activation, its optimised ones of all but the dense layer, whose rounding is another in rare cases;
how many differ with the XNNPACK delegate, which multiplies by the scales in floating point, is
printed too.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from pyoctcompress.reference import integer, verbs
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.quant import encode_grid

FUSED = {"relu": tfl.ActivationFunctionType.RELU, "relu6": tfl.ActivationFunctionType.RELU6}
VERSIONS = {
    tfl.BuiltinOperator.CONV_2D: 3,
    tfl.BuiltinOperator.DEPTHWISE_CONV_2D: 3,
    tfl.BuiltinOperator.FULLY_CONNECTED: 4,
    tfl.BuiltinOperator.RESHAPE: 1,
    tfl.BuiltinOperator.HARD_SWISH: 1,
}


def network() -> tuple[dict[str, Any], np.ndarray]:
    """Make a network with every kind of layer, and inputs for it."""
    rng = np.random.default_rng(3)

    def r(*shape: int) -> np.ndarray:
        return (rng.random(shape) - 0.5).astype(np.float32)

    def layer(kind: str, name: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "name": name, **fields}

    layers = [
        layer("conv2d", "c", weights=r(3, 3, 4, 6), bias=r(6, 1), padding="same"),
        layer("relu6", "r1"),
        layer("conv2d", "dw", weights=r(3, 3, 1, 6), bias=r(6, 1), groups=6.0, padding="same"),
        layer("relu", "r2"),
        layer("add", "a", inputs=["r1", "r2"]),
        layer("multiply", "m", inputs=["a", "r2"]),
        layer("leakyrelu", "l", slope=0.3),
        layer("hardswish", "h"),
        layer("maxpool", "p", pool_size=2.0, stride=2.0),
        layer("averagepool", "v", pool_size=2.0, stride=1.0),
        layer("flatten", "f", order="keras"),
        layer("dense", "d", weights=r(5, 54), bias=r(5, 1)),
        layer("softmax", "s"),
    ]
    return {"input_size": np.array([[9.0, 8.0, 4.0]]), "layers": layers}, r(9, 8, 4, 64)


class Writer:
    """A .tflite file in the making."""

    def __init__(self) -> None:
        self.model, self.graph = tfl.ModelT(), tfl.SubGraphT()
        self.model.version, self.model.buffers = 3, [tfl.BufferT()]
        self.model.operatorCodes, self.model.subgraphs = [], [self.graph]
        self.graph.tensors, self.graph.operators = [], []

    def tensor(self, shape: Any, kind: int, data: Any, scale: Any, zero: Any, dim: int = 0) -> int:
        """Add a tensor; returns its number."""
        tensor = tfl.TensorT()
        tensor.name, tensor.type, tensor.buffer = f"t{len(self.graph.tensors)}", kind, 0
        tensor.shape = [int(n) for n in shape]
        if data is not None:
            buffer = tfl.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        if scale is not None:
            quantization = tfl.QuantizationParametersT()
            quantization.scale = np.ravel(scale).astype(np.float32)
            quantization.zeroPoint = np.ravel(zero).astype(np.int64)
            quantization.quantizedDimension = dim
            tensor.quantization = quantization
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def activation(self, shape: Any, grid: dict[str, Any]) -> int:
        """Add an activation on a grid."""
        return self.tensor(shape, tfl.TensorType.INT8, None, grid["scale"], grid["zero_point"])

    def operator(
        self, name: str, inputs: list[int], output: int, options: str, **fields: Any
    ) -> None:
        """Add an operator with its options."""
        code = tfl.OperatorCodeT()
        code.builtinCode = getattr(tfl.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = VERSIONS.get(code.builtinCode, 2)
        self.model.operatorCodes.append(code)
        operator = tfl.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptions = getattr(tfl, options + "T")()
        operator.builtinOptionsType = getattr(tfl.BuiltinOptions, options)
        for key, value in fields.items():
            setattr(operator.builtinOptions, key, value)
        self.graph.operators.append(operator)

    def bytes(self) -> bytes:
        """Return the file."""
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def write(model: dict[str, Any]) -> tuple[bytes, dict[int, int]]:
    """Write a quantized network; the file, and the tensor of each layer (-1: the input)."""
    plan, layers, writer = graph.plan("write", model), model["layers"], Writer()
    grids = {-1: model["quantization"]["input"]}
    size = [1, *(int(n) for n in np.ravel(model["input_size"]))]
    places = {-1: writer.activation(size, grids[-1])}
    k = 0
    while k < len(layers):
        layer, kind, end, fused = layers[k], layers[k]["type"], k, 0
        if (
            "output" not in layer.get("quantization", {})
            and kind in integer.WEIGHTED + integer.ELEMENTWISE
        ):
            end = k + 1
            fused = FUSED[layers[end]["type"]]
        source = plan.inputs[k][0]
        grid = layers[end].get("quantization", {}).get("output", grids[source])
        output = writer.activation([1, *plan.sizes[end]], grid)
        inputs = [places[s] for s in plan.inputs[k]]
        if kind in integer.WEIGHTED:
            add_weighted(writer, layer, inputs[0], output, grids[source], grid, fused)
        elif kind in ("add", "multiply"):
            name, options = ("ADD", "AddOptions") if kind == "add" else ("MUL", "MulOptions")
            writer.operator(name, inputs, output, options, fusedActivationFunction=fused)
        elif kind in ("maxpool", "averagepool"):
            window = {f"filter{d}": int(layer["pool_size"]) for d in ("Height", "Width")}
            steps = {"strideH": int(layer["stride"]), "strideW": int(layer["stride"])}
            name = "MAX_POOL_2D" if kind == "maxpool" else "AVERAGE_POOL_2D"
            fields = {**window, **steps, "padding": tfl.Padding.VALID}
            writer.operator(name, inputs, output, "Pool2DOptions", **fields)
        elif kind == "leakyrelu":
            alpha = float(layer["slope"])
            writer.operator("LEAKY_RELU", inputs, output, "LeakyReluOptions", alpha=alpha)
        elif kind == "hardswish":
            writer.operator("HARD_SWISH", inputs, output, "HardSwishOptions")
        elif kind == "flatten":
            shape = np.array([1, *plan.sizes[end]], np.int32)
            target = writer.tensor([2], tfl.TensorType.INT32, shape, None, None)
            writer.operator(
                "RESHAPE", [*inputs, target], output, "ReshapeOptions", newShape=list(shape)
            )
        else:
            writer.operator("SOFTMAX", inputs, output, "SoftmaxOptions", beta=1.0)
        for j in range(k, end + 1):
            places[j], grids[j] = output, grid
        k = end + 1
    writer.graph.inputs, writer.graph.outputs = [places[-1]], [places[len(layers) - 1]]
    return writer.bytes(), places


def add_weighted(
    writer: Writer,
    layer: dict[str, Any],
    source: int,
    output: int,
    in_grid: dict[str, Any],
    grid: dict[str, Any],
    fused: int,
) -> None:
    """Add a dense or convolution layer with its int8 weights and int32 biases."""
    own = integer.integer_layer(layer, in_grid, grid)
    scale = np.ravel(layer["quantization"]["weights"]["scale"])
    zero, dim = np.zeros(scale.size), 0
    fields: dict[str, Any] = {"fusedActivationFunction": fused}
    if layer["type"] == "dense":
        name, options, w = "FULLY_CONNECTED", "FullyConnectedOptions", own.weights
    else:
        fields |= {"padding": tfl.Padding.SAME, "strideH": 1, "strideW": 1}
        fields |= {"dilationHFactor": 1, "dilationWFactor": 1}
        name, options, w = "CONV_2D", "Conv2DOptions", np.transpose(own.weights, (3, 0, 1, 2))
        if layer.get("groups", 1) > 1:
            name, options = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"
            w, dim = np.transpose(own.weights, (2, 0, 1, 3)), 3 if scale.size > 1 else 0
            fields["depthMultiplier"] = 1
    weights = writer.tensor(w.shape, tfl.TensorType.INT8, w.astype(np.int8), scale, zero, dim)
    bias = np.ravel(own.bias).astype(np.int32)
    product = np.float32(in_grid["scale"]) * scale
    biases = writer.tensor([bias.size], tfl.TensorType.INT32, bias, product, zero)
    writer.operator(name, [source, weights, biases], output, options, **fields)


def main() -> None:
    """Compare and print."""
    net, x = network()
    resolvers = {
        "reference": OpResolverType.BUILTIN_REF,
        "optimised": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        "XNNPACK": OpResolverType.BUILTIN,
    }
    for granularity in ("tensor", "channel"):
        model, _ = verbs.quantize(net, bits=8, granularity=granularity, data=x)
        grid = model["quantization"]["input"]
        codes = encode_grid(x, grid).astype(np.int8)
        data, places = write(model)
        ends = [
            k for k in places if k < 0 or "output" in model["layers"][k].get("quantization", {})
        ]
        names = [model["layers"][k]["name"] for k in ends if k >= 0]
        plan = graph.plan("main", {**model, "outputs": names})
        whole = codes.astype(np.float64)
        ours = integer.integer_forward(plan, model["layers"], whole, grid, "litert")
        for name, resolver in resolvers.items():
            interpreter = Interpreter(
                model_content=data,
                experimental_op_resolver_type=resolver,
                experimental_preserve_all_tensors=True,
            )
            interpreter.allocate_tensors()
            different = dict.fromkeys(names, 0)
            for n in range(codes.shape[3]):
                interpreter.set_tensor(places[-1], codes[..., n][np.newaxis])
                interpreter.invoke()
                for k, (y, _), layer in zip([k for k in ends if k >= 0], ours, names, strict=True):
                    theirs = interpreter.get_tensor(places[k])[0].astype(float)
                    different[layer] += int((theirs.ravel() != y[..., n].ravel()).sum())
            counts = ", ".join(
                f"{k} {v} of {y.size}"
                for (k, v), (y, _) in zip(different.items(), ours, strict=True)
            )
            print(f"{granularity}, {name}: codes that differ: {counts}")
            exact = {"reference": names, "optimised": names[:-2], "XNNPACK": []}[name]
            assert not any(different[layer] for layer in exact)


if __name__ == "__main__":
    main()
