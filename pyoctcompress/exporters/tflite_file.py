"""A .tflite file in the making: a flatbuffer, written with the schema package `tflite`."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

from pyoctcompress.exporters.constants import CALLER, Constant, constant, write_file
from pyoctcompress.reference.internal import fail

_LARGEST = 2**31 - 2**20  # bytes of a flatbuffer
_ALIGN = 16  # of the data of a buffer, as the schema wants it

_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int8": tflite.TensorType.INT8,
    "uint8": tflite.TensorType.UINT8,
    "int32": tflite.TensorType.INT32,
    "float16": tflite.TensorType.FLOAT16,
}


@dataclass
class Tensor:
    """A tensor: its scale, zero point and their dimension where it has integers."""

    name: str
    shape: list[int]
    kind: int
    buffer: int = 0
    scale: Any = None
    zero_point: Any = None
    axis: int = 0


@dataclass
class Operator:
    """An operator with the name and the fields of its options."""

    name: str
    version: int
    inputs: list[int]
    outputs: list[int]
    options: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


class TfliteFile:
    """Tensors, operators and constants."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.buffers: list[Constant] = []

    def tensor(self, name: str, shape: Sequence[int], kind: int, **quantization: Any) -> int:
        """Add a tensor that is computed; returns its number."""
        self.tensors.append(Tensor(name, [int(n) for n in shape], kind, **quantization))
        return len(self.tensors) - 1

    def constant(self, name: str, value: Any, kind: int | None = None, **quantization: Any) -> int:
        """Add a constant: an array, or a `Constant`; returns the number of its tensor."""
        value = value if isinstance(value, Constant) else constant(value)
        kind = _TYPES[value.dtype.name] if kind is None else kind
        self.buffers.append(value)
        return self.tensor(name, value.shape, kind, buffer=len(self.buffers), **quantization)

    def operator(
        self,
        name: str,
        version: int,
        inputs: Sequence[int],
        output: int,
        options: str = "",
        **fields: Any,
    ) -> int:
        """Add an operator; returns the number of its output."""
        self.operators.append(Operator(name, version, list(inputs), [output], options, fields))
        return output

    def write(self, path: Any, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Write the file.

        Raises
        ------
        OctcompressError
            ``octcompress:export:tooLarge``, ``notWritten``.
        """
        size = sum(value.nbytes + 64 for value in self.buffers)
        if size > _LARGEST:
            fail(
                CALLER,
                "tooLarge",
                f"a .tflite file holds at most {_LARGEST} bytes, but this one needs {size}; "
                "quantize the weights first",
            )
        packer = Packer(flatbuffers.Builder(size + 2**12))
        packer.model(self, inputs, outputs)
        write_file(path, lambda file: file.write(packer.bytes()))


class Packer:
    """Puts the tables of a model into a flatbuffer."""

    def __init__(self, builder: flatbuffers.Builder) -> None:
        self.builder = builder

    def bytes(self) -> memoryview:
        """Give the bytes of the file, without a copy."""
        return memoryview(self.builder.Bytes)[self.builder.Head() :]

    def table(self, name: str, **fields: Any) -> int:
        """Write a table of the schema; what is not a number was written before."""
        getattr(tflite, f"{name}Start")(self.builder)
        for key, value in fields.items():
            if value is not None:
                getattr(tflite, f"{name}Add{key}")(self.builder, value)
        return getattr(tflite, f"{name}End")(self.builder)

    def numbers(self, values: Any, dtype: Any = np.int32) -> int:
        """Write a vector of numbers."""
        return self.builder.CreateNumpyVector(np.ravel(np.asarray(values)).astype(dtype))

    def tables(self, places: Sequence[int]) -> int:
        """Write a vector of tables."""
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return self.builder.EndVector()

    def buffer(self, value: Constant) -> int:
        """Write the data of a constant, part by part."""
        builder = self.builder
        builder.StartVector(1, value.nbytes, _ALIGN)
        builder.head = place = builder.Head() - value.nbytes
        for part in value.parts():
            builder.Bytes[place : place + part.nbytes] = part.reshape(-1).view(np.uint8).data
            place += part.nbytes
        return self.table("Buffer", Data=builder.EndVector())

    def tensor(self, tensor: Tensor) -> int:
        """Write a tensor."""
        name, shape = self.builder.CreateString(tensor.name), self.numbers(tensor.shape)
        quantization = None
        if tensor.scale is not None:
            scale = self.numbers(tensor.scale, np.float32)
            zero_point = self.numbers(tensor.zero_point, np.int64)
            quantization = self.table(
                "QuantizationParameters",
                Scale=scale,
                ZeroPoint=zero_point,
                QuantizedDimension=tensor.axis,
            )
        return self.table(
            "Tensor",
            Shape=shape,
            Type=tensor.kind,
            Buffer=tensor.buffer,
            Name=name,
            Quantization=quantization,
        )

    def operator(self, operator: Operator, codes: list[tuple[str, int]]) -> int:
        """Write an operator."""
        inputs, outputs = self.numbers(operator.inputs), self.numbers(operator.outputs)
        kind = options = None
        if operator.options:
            fields = {
                name: self.numbers(value) if isinstance(value, (list, np.ndarray)) else value
                for name, value in operator.fields.items()
            }
            options = self.table(operator.options, **fields)
            kind = getattr(tflite.BuiltinOptions, operator.options)
        return self.table(
            "Operator",
            OpcodeIndex=codes.index((operator.name, operator.version)),
            Inputs=inputs,
            Outputs=outputs,
            BuiltinOptionsType=kind,
            BuiltinOptions=options,
        )

    def model(self, file: TfliteFile, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Write the whole."""
        codes = sorted({(each.name, each.version) for each in file.operators})
        buffers = [self.table("Buffer"), *(self.buffer(value) for value in file.buffers)]
        graph = {
            "Tensors": self.tables([self.tensor(each) for each in file.tensors]),
            "Operators": self.tables([self.operator(each, codes) for each in file.operators]),
            "Inputs": self.numbers(inputs),
            "Outputs": self.numbers(outputs),
            "Name": self.builder.CreateString("main"),
        }
        kinds = []
        for name, version in codes:
            number = getattr(tflite.BuiltinOperator, name)
            kinds.append(
                self.table(
                    "OperatorCode",
                    DeprecatedBuiltinCode=min(number, 127),
                    BuiltinCode=number,
                    Version=version,
                )
            )
        parts = {
            "Version": 3,
            "OperatorCodes": self.tables(kinds),
            "Subgraphs": self.tables([self.table("SubGraph", **graph)]),
            "Buffers": self.tables(buffers),
            "Description": self.builder.CreateString("octcompress"),
        }
        self.builder.Finish(self.table("Model", **parts), b"TFL3")
