"""TensorFlow Lite: float and full int8, whose integers become our grids."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress.errors import OctcompressError
from pyoctcompress.importers import tflite_layers as layers
from pyoctcompress.importers.building import (
    Array,
    Builder,
    Unsupported,
    Value,
    fail,
    grid,
    library,
)

_DTYPES = {0: "f4", 1: "f2", 2: "i4", 3: "u1", 4: "i8", 6: "?", 7: "i2", 9: "i1", 17: "i4"}


def read(path: Path) -> tuple[dict[str, Any], Builder, list[Value]]:
    """Make a network of a .tflite file.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    model : dict
        The network.
    builder : Builder
        With the input's axes.
    outputs : list of Value
        With the outputs' axes.
    """
    schema = library("tflite", "a .tflite file")
    library("flatbuffers", "a .tflite file")
    data = path.read_bytes()
    try:
        return _Graph(schema, path, data).build()
    except OctcompressError:  # some are ValueErrors
        raise
    except (IndexError, ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        _damaged(path, error)
    except Exception as error:  # struct.error is one; what flatbuffers raises is not documented
        if type(error).__module__ not in ("struct", "flatbuffers.number_types", "builtins"):
            raise
        _damaged(path, error)
    raise AssertionError


def _damaged(path: Path, error: BaseException) -> None:
    first = (str(error) or type(error).__name__).split("\n")[0]
    fail("damaged", f"'{path}' is damaged, or no .tflite file: {first}")


class _Graph:
    """The first subgraph while it is turned into layers."""

    def __init__(self, schema: Any, path: Path, data: bytes) -> None:
        self.schema = schema
        self.path = path
        self.data = data
        self.model = schema.Model.GetRootAs(data, 0)
        if self.model.SubgraphsLength() != 1:
            fail(
                "unsupported",
                f"'{path}' has {self.model.SubgraphsLength()} graphs, where a network has one",
            )
        self.graph = self.model.Subgraphs(0)
        if self.graph.OperatorsLength() * 8 + self.graph.TensorsLength() * 8 > len(data):
            raise ValueError("more operators or tensors than it has bytes")
        self.builder = Builder()
        self.values: dict[int, Value] = {}
        self.stored: dict[int, int] = {}  # where the numbers of a constant are that is dequantized
        self.padded: dict[int, Array] = {}  # by the least number, for the pooling that follows
        self.faults: list[str] = []
        names = {
            value: name for name, value in vars(schema.BuiltinOperator).items()
            if isinstance(value, int)
        }  # fmt: skip
        self.codes = []
        for k in range(self.model.OperatorCodesLength()):
            one = self.model.OperatorCodes(k)
            code = max(one.BuiltinCode(), one.DeprecatedBuiltinCode())
            custom = one.CustomCode()
            self.codes.append(custom.decode() if custom else names.get(code, str(code)))

    def build(self) -> tuple[dict[str, Any], Builder, list[Value]]:
        """Go through the operators in their order."""
        operators = [self.graph.Operators(k) for k in range(self.graph.OperatorsLength())]
        unknown: dict[str, list[str]] = {}
        for k, one in enumerate(operators):
            kind = self.codes[one.OpcodeIndex()]
            if kind not in layers.LAYERS:
                unknown.setdefault(kind, []).append(f"operator {k}")
        if unknown:
            said = [f"{kind} ({', '.join(at[:5])})" for kind, at in sorted(unknown.items())]
            fail(
                "unsupported",
                f"'{self.path}' has operators that no layer of ours computes: {'; '.join(said)}",
            )
        self.start()
        for k, one in enumerate(operators):
            kind = self.codes[one.OpcodeIndex()]
            call = layers.Call(self, one, kind)
            if not all(self.is_known(place) for place in call.inputs if place >= 0):
                continue  # reads what could not be computed, which is told already
            if kind == "DEQUANTIZE" and self.is_constant(call.inputs[0]):
                self.stored[call.output] = call.inputs[0]
                continue
            try:
                if self.padded and kind != "MAX_POOL_2D":
                    raise Unsupported("padding by the least number before it")
                self.values[call.output] = layers.LAYERS[kind](call)
            except Unsupported as why:
                self.faults.append(f"{kind} (operator {k}, {self.name(call.output)}): {why}")
        if self.faults:
            fail("unsupported", f"'{self.path}' cannot become a network: {'; '.join(self.faults)}")
        if not self.builder.layers or self.padded:
            fail("unsupported", f"'{self.path}' has no layer, or ends with padding")
        outputs = [self.values[int(k)] for k in self.graph.OutputsAsNumpy()]
        return self.builder.model(outputs, "tflite", self.path), self.builder, outputs

    def start(self) -> None:
        """Find the network's input."""
        if self.graph.InputsLength() != 1:
            fail("unsupported", f"'{self.path}' has {self.graph.InputsLength()} inputs, where a "
                 "network has one")  # fmt: skip
        place = int(self.graph.Inputs(0))
        shape = self.shape(place)
        axes = {2: "NF", 3: "NTF", 4: "NHWC"}.get(len(shape))
        if axes is None:
            fail("unsupported", f"'{self.path}' reads an input of {len(shape)} dimensions")
        names = {2: "F", 3: "FT", 4: "HWC"}[len(shape)]
        size = [shape[axes.index(axis)] for axis in names]
        self.values[place] = self.builder.start(size, axes)
        self.builder.batch = max(shape[0], 1)
        self.builder.input_grid = self.grid(place)

    def is_known(self, place: int) -> bool:
        """Whether a tensor is computed, or a constant."""
        return place in self.values or self.is_constant(place)

    def is_constant(self, place: int) -> bool:
        """Whether a tensor has its numbers in the file."""
        tensor = self.graph.Tensors(place)
        buffer = self.model.Buffers(tensor.Buffer())
        return tensor.Buffer() > 0 and (buffer.DataLength() > 0 or 0 in self.shape(place))

    def name(self, place: int) -> str:
        """Give a tensor's name."""
        found = self.graph.Tensors(place).Name()
        return str(found.decode("utf-8", "replace")) if found else f"tensor {place}"

    def shape(self, place: int) -> list[int]:
        """Give a tensor's shape."""
        tensor = self.graph.Tensors(place)
        found = tensor.ShapeAsNumpy()
        return [int(n) for n in found] if isinstance(found, np.ndarray) else []

    def codes_of(self, place: int) -> Array:
        """Give the numbers of a constant as they lie in the file."""
        tensor = self.graph.Tensors(place)
        kind = _DTYPES.get(tensor.Type())
        if kind is None:
            raise Unsupported(f"a constant of the type {tensor.Type()}")
        if tensor.Sparsity() is not None:
            raise Unsupported("a sparse constant")
        raw = self.model.Buffers(tensor.Buffer()).DataAsNumpy()
        raw = raw if isinstance(raw, np.ndarray) else np.zeros(0, np.uint8)
        return np.frombuffer(raw.tobytes(), "<" + kind).reshape(self.shape(place))

    def scales(self, place: int) -> tuple[Array, Array, int] | None:
        """Give scale, zero point and dimension of a quantized tensor."""
        found = self.graph.Tensors(place).Quantization()
        if found is None or found.ScaleLength() == 0:
            return None
        zero = found.ZeroPointAsNumpy() if found.ZeroPointLength() else np.zeros(1)
        return np.asarray(found.ScaleAsNumpy()), np.asarray(zero), found.QuantizedDimension()

    def numbers(self, place: int) -> Array:
        """Give the values of a constant."""
        codes, found = self.codes_of(place), self.scales(place)
        if found is None or codes.dtype.kind == "f":
            return codes.astype(np.float32) if codes.dtype.kind == "f" else codes
        scale, zero, axis = found
        shape = [1] * codes.ndim
        if scale.size > 1:
            shape[axis] = -1
        scale = scale.astype(np.float32).reshape(shape if scale.size > 1 else ())
        zero = zero.astype(np.float64).reshape(
            shape if zero.size > 1 else (-1,) if codes.ndim else ()
        )
        if codes.dtype == np.int32:  # a bias may need more than single precision on the way
            return ((codes.astype(np.float64) - zero) * scale).astype(np.float32)
        return (codes.astype(np.float32) - zero.astype(np.float32)) * scale

    def grid(self, place: int) -> dict[str, Any] | None:
        """Give the promise of a computed tensor; None of float."""
        kind, found = self.graph.Tensors(place).Type(), self.scales(place)
        if kind not in layers.BITS or found is None:
            return None
        if found[0].size != 1:
            raise Unsupported("activations with a scale for each channel")
        bits, signed = layers.BITS[kind]
        promise: dict[str, Any] = grid(found[0], found[1], bits, signed, 0, False)
        return promise
