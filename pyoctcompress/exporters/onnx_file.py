"""An ONNX model in the making, written to its file tensor by tensor."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from onnx import NodeProto, TensorProto, helper

from pyoctcompress._version import __version__
from pyoctcompress.exporters.constants import Constant, constant, write_file

_LARGEST = 2**31 - 2**16  # bytes of a protobuf message, less what stands around the graph
_APART = 1024  # bytes from which a constant may stand in another file: shapes must not

_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
    "int16": TensorProto.INT16,
    "uint16": TensorProto.UINT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}


class OnnxFile:
    """Nodes and constants.

    Attributes
    ----------
    opset : int
        The version of the operators.
    """

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[NodeProto] = []
        self.constants: list[tuple[str, int, Constant, bool]] = []
        self.names: set[str] = set()

    def unique(self, name: str) -> str:
        """Give a name that nothing has yet."""
        found, count = name, 1
        while found in self.names:
            count += 1
            found = f"{name}_{count}"
        self.names.add(found)
        return found

    def constant(self, name: str, value: Any, kind: int | None = None, packed: bool = False) -> str:
        """Add a constant: an array, or a `Constant`.

        Parameters
        ----------
        kind : int, optional
            The type of ``TensorProto``, where the array's class does not say it.
        packed : bool
            Two codes of four bits share a byte.
        """
        name = self.unique(name)
        value = value if isinstance(value, Constant) else constant(value)
        kind = _TYPES[value.dtype.name] if kind is None else kind
        self.constants.append((name, kind, value, packed))
        return name

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output; returns its name."""
        output = self.unique(output)
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def several(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs, of which an empty name is not wanted."""
        names = [self.unique(name) if name else "" for name in outputs]
        label = next(name for name in names if name)
        self.nodes.append(helper.make_node(op, list(inputs), names, name=label, **attributes))
        return names

    def rename(self, old: str, new: str) -> None:
        """Give a tensor another name, wherever nodes write or read it."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]

    def write(
        self, path: Any, inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> list[os.PathLike[str]]:
        """Write the file, and where it would be too large, its large constants into one beside it.

        Parameters
        ----------
        inputs, outputs : sequence of (name, shape)

        Returns
        -------
        list of path
            What was written.

        Raises
        ------
        OctcompressError
            ``octcompress:export:notWritten``.
        """
        path = Path(path)
        infos = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in each]
            for each in (inputs, outputs)
        ]
        graph = helper.make_graph(self.nodes, path.stem or "network", infos[0], infos[1])
        imports = [helper.make_opsetid("", self.opset)]
        whole = helper.make_model(
            helper.make_graph([], "", [], []),
            opset_imports=imports,
            ir_version=helper.find_min_ir_version_for(imports),
            producer_name="octcompress",
            producer_version=__version__,
        )
        whole.ClearField("graph")
        body = graph.SerializeToString()
        inside, beside = self.constants, []
        heads = [_head(*each) for each in inside]
        if len(body) + sum(map(len, heads)) + sum(_bytes(*one[2:]) for one in inside) > _LARGEST:
            beside = [one for one in self.constants if _bytes(*one[2:]) >= _APART]
            inside = [one for one in self.constants if _bytes(*one[2:]) < _APART]
            heads = [_head(*each) for each in inside]
        other, place = path.with_name(f"{path.name}.data"), 0
        for name, kind, value, packed in beside:
            count = _bytes(value, packed)
            where = {"location": other.name, "offset": place, "length": count}
            tensor = TensorProto(name=name, data_type=kind, dims=value.shape)
            tensor.data_location = TensorProto.EXTERNAL
            for key, entry in where.items():
                tensor.external_data.add(key=key, value=str(entry))
            described = tensor.SerializeToString()
            body += _tag(5) + _varint(len(described)) + described
            place += count
        size = len(body) + sum(map(len, heads)) + sum(_bytes(*one[2:]) for one in inside)

        def put(file: BinaryIO) -> None:
            # Fields of a protobuf message stand one after the other: the constants follow.
            file.write(whole.SerializeToString())
            file.write(_tag(7) + _varint(size) + body)
            for head, one in zip(heads, inside, strict=True):
                file.write(head)
                file.writelines(_parts(*one[2:]))

        if beside:
            write_file(
                other, lambda file: file.writelines(p for c in beside for p in _parts(*c[2:]))
            )
        write_file(path, put)
        return [path, other] if beside else [path]


def _parts(value: Constant, packed: bool) -> Iterator[memoryview]:
    return ((pack_nibbles(part) if packed else part).data for part in value.parts())


def _bytes(value: Constant, packed: bool) -> int:
    return (value.size + 1) // 2 if packed else value.nbytes


def pack_nibbles(codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Put two codes of four bits in a byte, the first in the lower half."""
    flat = codes.reshape(-1).astype(np.uint8) & 15
    flat = np.append(flat, np.zeros(flat.size % 2, np.uint8))
    return flat[0::2] | flat[1::2] << 4


def _head(name: str, kind: int, value: Constant, packed: bool) -> bytes:
    """Give the bytes of an initializer of the graph (field 5), up to its raw data (field 9)."""
    tensor = TensorProto(name=name, data_type=kind, dims=value.shape).SerializeToString()
    count = _bytes(value, packed)
    tensor += _tag(9) + _varint(count)
    return _tag(5) + _varint(len(tensor) + count) + tensor


def _tag(number: int) -> bytes:
    """Give the tag of a field of bytes."""
    return _varint(number << 3 | 2)


def _varint(number: int) -> bytes:
    """Encode a number in groups of seven bits."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
