"""LSTM and GRU as operators of TensorFlow Lite, step by step: it has no GRU of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyoctcompress.exporters.network import bias_of
from pyoctcompress.exporters.steps import Step
from pyoctcompress.reference.internal import value_array
from pyoctcompress.reference.layers.common import option

if TYPE_CHECKING:
    from pyoctcompress.exporters.to_tflite import Writer


def recurrent(writer: Writer, step: Step, reads: list[int]) -> int:
    """Compute what all steps read at once, then one step after the other."""
    layer, count = step.layer, step.in_sizes[0][1]
    if count != count:
        writer.network.refuse(layer, "a sequence needs a known length: MODEL.INPUT_SIZE")
        return reads[0]
    cell = Cell(writer, step, reads[0])
    turn = range(int(count))
    states = [cell.next(t) for t in (reversed(turn) if option(layer, "reverse", False) else turn)]
    if layer.get("result") == "last":
        return states[-1]
    if option(layer, "reverse", False):
        states.reverse()
    fields = {"ValuesCount": len(states), "Axis": 1}
    return writer.file.operator("PACK", 1, states, writer.result(step), "PackOptions", **fields)


class Cell:
    """The operators of a layer, and its state."""

    def __init__(self, writer: Writer, step: Step, source: int) -> None:
        self.writer, self.layer = writer, step.layer
        self.rows = value_array(step.layer["weights"]).shape[0]
        self.units = value_array(step.layer["recurrent_weights"]).shape[1]
        self.gates = self.rows // self.units
        self.bias = bias_of(step.layer, self.rows, "recurrent_bias")
        self.recurrent = [
            writer.weights(step, (0, 1), 0, "recurrent_weights"),
            writer.file.constant(f"{step.layer['name']}_recurrent_bias", self.bias),
        ]
        first = bias_of(step.layer, self.rows)
        given = [writer.weights(step, (0, 1), 0), self.constant(first)]
        size = [self.rows, step.in_sizes[0][1]]
        self.read = self.product([source, *given], size, version=5, KeepNumDims=True)
        self.state: int | None = None
        self.memory: int | None = None

    def constant(self, value: Any) -> int:
        """Add a constant."""
        return self.writer.file.constant(f"{self.layer['name']}_constant", value)

    def op(
        self, name: str, inputs: list[int], options: str = "", size: Any = None, **fields: Any
    ) -> int:
        """Add an operator on features; returns its result."""
        size = size or [self.units]
        result = self.writer.activation(f"{self.layer['name']}_{name.lower()}", size, None)
        version = fields.pop("version", 1)
        return self.writer.file.operator(name, version, inputs, result, options, **fields)

    def product(self, inputs: list[int], size: Any, **fields: Any) -> int:
        """Multiply by weights, and add a bias."""
        return self.op("FULLY_CONNECTED", inputs, "FullyConnectedOptions", size, **fields)

    def add(self, a: int, b: int, size: Any = None) -> int:
        """Add two results."""
        return self.op("ADD", [a, b], "AddOptions", size)

    def times(self, a: int, b: int) -> int:
        """Multiply two results."""
        return self.op("MUL", [a, b], "MulOptions")

    def part(self, value: int, first: int, last: int, step: int | None = None) -> int:
        """Take rows of features; with `step`, of that step of a sequence."""
        at = [] if step is None else [step]
        ends = [
            np.array([0, *(n + k for n in at), row], np.int32)
            for k, row in enumerate((first, last))
        ]
        stride = self.constant(np.ones(len(ends[0]), np.int32))
        given = [value, *map(self.constant, ends), stride]
        fields = {"BeginMask": 1, "EndMask": 1, "ShrinkAxisMask": 2 if at else 0}
        return self.op("STRIDED_SLICE", given, "StridedSliceOptions", [last - first], **fields)

    def gate(self, value: int, number: int) -> int:
        """Take the rows of a gate."""
        return self.part(value, number * self.units, (number + 1) * self.units)

    def from_state(self, state: int | None) -> int:
        """Multiply a state by the recurrent weights; None is one of zeros."""
        if state is None:
            return self.constant(self.bias[np.newaxis])
        return self.product([state, *self.recurrent], [self.rows])

    def next(self, t: int) -> int:
        """Compute a step, and keep its state."""
        read = self.part(self.read, 0, self.rows, t)
        self.state = self.lstm(read) if self.layer["type"] == "lstm" else self.gru(read)
        return self.state

    def lstm(self, read: int) -> int:
        """Compute a step of an LSTM."""
        total = self.add(read, self.from_state(self.state), [self.rows])
        gates = [self.op("LOGISTIC", [self.gate(total, g)]) for g in (0, 1, 3)]
        memory = self.times(gates[0], self.op("TANH", [self.gate(total, 2)]))
        if self.memory is not None:
            memory = self.add(memory, self.times(gates[1], self.memory))
        self.memory = memory
        return self.times(gates[2], self.op("TANH", [memory]))

    def gru(self, read: int) -> int:
        """Compute a step of a GRU."""
        back = self.from_state(self.state)
        reset, update = (
            self.op("LOGISTIC", [self.add(self.gate(read, g), self.gate(back, g))]) for g in (0, 1)
        )
        if option(self.layer, "reset_after", True):
            more = self.times(reset, self.gate(back, 2))
        else:
            kept = self.times(reset, self.state) if self.state is not None else None
            more = self.gate(self.from_state(kept), 2)
        new = self.op("TANH", [self.add(self.gate(read, 2), more)])
        # (1 - update) * new + update * state
        if self.state is None:
            return self.op("SUB", [new, self.times(update, new)], "SubOptions")
        change = self.op("SUB", [self.state, new], "SubOptions")
        return self.add(new, self.times(update, change))
