"""ONNX: opset 7 to the newest, constants folded, external data within the folder."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress.errors import OctcompressError
from pyoctcompress.importers import onnx_constants as constants
from pyoctcompress.importers import onnx_layers as nodes
from pyoctcompress.importers.building import Builder, Unsupported, Value, fail, library
from pyoctcompress.importers.onnx_call import Call, attributes_of, text_of
from pyoctcompress.importers.onnx_patterns import with_gelu, with_states


def read(path: Path, options: Mapping[str, Any]) -> tuple[dict[str, Any], Builder, list[Value]]:
    """Make a network of an ONNX file.

    Parameters
    ----------
    path : path
        The file; external data must lie in its folder.
    options : mapping
        ``input_size``, where the file leaves it open.

    Returns
    -------
    model : dict
        The network.
    builder : Builder
        With the input's axes.
    outputs : list of Value
        With the outputs' axes.
    """
    onnx = library("onnx", "an ONNX file")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's own, which has no public name
        fail("badFile", f"'{path}' is not an ONNX file, or is damaged: {_first_line(error)}")
    if not model.HasField("graph") or not model.graph.node:
        fail("badFile", f"'{path}' is not an ONNX file, or holds no node")
    opset = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")),
                default=0)  # fmt: skip
    if opset < 7:
        fail("badFile", f"'{path}' has the opset {opset}; opset 7 and later are read")
    graph = _Graph(onnx, path, model.graph, opset)
    graph.refuse_unknown()
    return graph.build(options)


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).split("\n")[0]


class _Graph:
    """The graph of a file while it is turned into layers."""

    def __init__(self, onnx: Any, path: Path, graph: Any, opset: int) -> None:
        self.onnx = onnx
        self.path = path
        self.graph = graph
        self.opset = opset
        self.builder = Builder()
        self.values: dict[str, Value] = {}
        self.known: dict[str, Any] = {}  # constants: arrays, or tensors not yet read
        self.quantized: dict[str, constants.Quantized | constants.Listed] = {}
        self.faults: list[str] = []
        for tensor in graph.initializer:
            self.known[tensor.name] = tensor
        constant = {
            node.output[0]: attribute.t
            for node in graph.node
            if node.op_type == "Constant" and node.output
            for attribute in node.attribute
            if attribute.name == "value"
        }

        def number(name: str) -> Any:
            tensor = self.known.get(name, constant.get(name))
            small = tensor is not None and list(tensor.dims) in ([], [1])
            return constants.tensor_array(onnx, tensor, path.parent) if small else None

        self.nodes = with_gelu(with_states(graph.node, number), number)
        self.readers = Counter(name for node in self.nodes for name in node.input)
        self.readers.update(one.name for one in graph.output)

    def refuse_unknown(self) -> None:
        """Name all the operators that are not known, each with its nodes, at once."""
        if self.graph.sparse_initializer:
            fail("unsupported", f"'{self.path}' has sparse constants")
        unknown: dict[str, list[str]] = {}
        for node in self.nodes:
            fine = node.domain in ("", "ai.onnx") and (
                node.op_type in nodes.LAYERS or node.op_type in constants.FOLDED
            )
            fine = fine or (node.op_type in ("QuantizeLinear", "DequantizeLinear"))
            if not fine:
                kind = f"{node.domain}.{node.op_type}".lstrip(".")
                unknown.setdefault(kind, []).append(_name_of(node))
        if unknown:
            said = [
                f"{kind} ({', '.join(names[:5])}{f' and {len(names) - 5} more' * (len(names) > 5)})"
                for kind, names in sorted(unknown.items())
            ]
            fail(
                "unsupported",
                f"'{self.path}' has operators that no layer of ours computes: {'; '.join(said)}",
            )

    def build(self, options: Mapping[str, Any]) -> tuple[dict[str, Any], Builder, list[Value]]:
        """Go through the nodes in their order."""
        self.start(options)
        for node in self.nodes:
            if any(name and not self.is_known(name) for name in node.input):
                continue  # reads what could not be computed, which is told already
            try:
                self.node(node)
            except OctcompressError:  # some are ValueErrors
                raise
            except (Unsupported, ValueError, IndexError, TypeError, KeyError) as why:
                self.faults.append(f"{node.op_type} ({_name_of(node)}): {_first_line(why)}")
        if self.faults:
            fail("unsupported", f"'{self.path}' cannot become a network: {'; '.join(self.faults)}")
        outputs = []
        for one in self.graph.output:
            if one.name not in self.values:
                fail("badFile", f"'{self.path}': nothing computes its output {one.name}")
            outputs.append(self.values[one.name])
        if not self.builder.layers:
            fail("unsupported", f"'{self.path}' has no layer")
        return self.builder.model(outputs, "onnx", self.path), self.builder, outputs

    def is_known(self, name: str) -> bool:
        """Whether a name stands for a value, a constant or an integer tensor."""
        return name in self.values or name in self.known or name in self.quantized

    def start(self, options: Mapping[str, Any]) -> None:
        """Find the network's input and the meaning of its axes."""
        inputs = [one for one in self.graph.input if one.name not in self.known]
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs)
            fail(
                "unsupported",
                f"'{self.path}' has {len(inputs)} inputs ({names}), where a network has one",
            )
        one = inputs[0]
        shape = [
            dim.dim_value if dim.HasField("dim_value") else None
            for dim in one.type.tensor_type.shape.dim
        ]
        first = next((node for node in self.nodes if one.name in node.input), None)
        axes = _axes_of_input(len(shape), first, attributes_of(first) if first else {})
        if axes is None:
            fail("unsupported", f"'{self.path}' reads an input of {len(shape)} dimensions")
        names = {2: "F", 3: "FT", 4: "HWC"}[len(axes)]
        size = [shape[axes.index(axis)] for axis in names]
        given = options.get("input_size")
        if given is not None:
            size = [int(n) if n == n else None for n in np.ravel(given)]
        if len(size) != len(names) or any(n is None for n in size if names != "FT"):
            fail(
                "badOption",
                f"'{self.path}' leaves the size of its input open ({shape}); give the option "
                "input_size",
            )
        size = [np.nan if n is None else n for n in size]
        self.values[one.name] = self.builder.start(size, axes)
        self.builder.batch = shape[axes.index("N")] or 1

    def node(self, node: Any) -> None:
        """Compute a constant, or add a layer."""
        reads = [name for name in node.input if name]
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            self.quantization(node)
        elif all(name in self.known for name in reads) and node.op_type in constants.FOLDED:
            arrays = [self.array(name) if name else None for name in node.input]
            found = constants.fold(self.onnx, node, arrays, self.opset)
            for name, array in zip(node.output, found, strict=False):
                self.known[name] = array
            promised = constants.listed(node.op_type, node.input, arrays, found[0])
            if promised is not None:
                self.quantized[node.output[0]] = promised
        elif node.op_type == "Shape" and reads[0] in self.values:
            shape = self.values[reads[0]].shape()
            dims = [constants.BATCH if n is None else n for n in shape]
            dims = [constants.STEPS if n != n else n for n in dims]
            attributes = attributes_of(node)
            cut = dims[attributes.get("start", 0) : attributes.get("end", None)]
            self.known[node.output[0]] = np.array(cut, np.int64)
        elif node.op_type in nodes.LAYERS:
            call = Call(self, node)
            self.values[node.output[0]] = nodes.LAYERS[node.op_type](call)
        else:
            raise Unsupported("it can be computed of constants alone")

    def array(self, name: str) -> Any:
        """Give a constant as an array."""
        found = self.known[name]
        if not isinstance(found, np.ndarray):
            found = constants.tensor_array(self.onnx, found, self.path.parent)
            if found.size < 2**16:  # large weights are read once, where they are used
                self.known[name] = found
        return found

    def quantization(self, node: Any) -> None:
        """Turn QuantizeLinear and DequantizeLinear into our promises."""
        source, out = node.input[0], node.output[0]
        axis, block = (attributes_of(node).get(*one) for one in (("axis", 1), ("block_size", 0)))
        if block and (node.op_type == "QuantizeLinear" or source not in self.known):
            raise Unsupported("a scale for each block")
        scale = self.array(node.input[1])
        has_zero = len(node.input) > 2 and node.input[2]
        zero = self.array(node.input[2]) if has_zero else np.zeros(1, np.uint8)
        if source in self.known:
            array = self.array(source)
            if node.op_type == "QuantizeLinear":
                self.known[out] = constants.quantize(array, scale, zero, axis)
                return
            zero = zero if has_zero else np.zeros_like(scale, array.dtype)
            integers = constants.Quantized(array, scale, zero, axis, source, block)
            self.quantized[out] = integers
            self.known[out] = integers.values()
            return
        if node.op_type == "DequantizeLinear":
            self.values[out] = self.values[source]
            return
        if scale.size != 1 or zero.size != 1:
            raise Unsupported("activations with a scale for each channel")
        value = self.values[source]
        promise = constants.activation_grid(scale, zero)
        layer = self.builder.layer(value)
        if value.layer == "input" and self.readers[source] == 1:
            self.builder.input_grid = promise
            self.values[out] = value
            return
        if not layer or self.readers[source] > 1 or "output" in layer.get("quantization", {}):
            value = self.builder.add("identity", value, _name_of(node))
            layer = self.builder.layer(value)
        layer.setdefault("quantization", {})["output"] = promise
        self.values[out] = value


def _name_of(node: Any) -> str:
    return text_of(node.name or (node.output[0] if node.output else node.op_type))


def _axes_of_input(dims: int, first: Any, attributes: Mapping[str, Any]) -> str | None:
    """Find which of our axes an input's are, by what reads it first."""
    permuted = list(attributes.get("perm", [])) if first and first.op_type == "Transpose" else []
    if dims == 4:
        return "NHWC" if permuted == [0, 3, 1, 2] else "NCHW"
    if dims == 3:
        recurrent = first is not None and first.op_type in ("LSTM", "GRU")
        return "TNF" if recurrent else "NTF"
    return {2: "NF"}.get(dims)
