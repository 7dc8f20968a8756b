"""Networks as C99: one .c and one .h, for microcontrollers.

Nothing is allocated: activations share one static block whose size the header states, and weights
are const arrays, plain, as nonzeros with gaps, or as codes of a few bits. Between integers the
results are those of ``nn_predict (.., 'arithmetic', 'integer')`` to the bit.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyoctcompress._version import __version__
from pyoctcompress.exporters import c_layers
from pyoctcompress.exporters.c_file import STORAGES, CFile, Memory, Weights, identifier
from pyoctcompress.exporters.c_kernels import chosen
from pyoctcompress.exporters.c_weights import scale_and_zero
from pyoctcompress.exporters.constants import CALLER, write_file
from pyoctcompress.exporters.network import Network, channels_last, from_channels_last, prepare
from pyoctcompress.exporters.steps import Step, steps
from pyoctcompress.reference.internal import Array, check, fail
from pyoctcompress.reference.quant import code_range

FLATTEN_ORDER = "keras"


def write(
    model: Any,
    path: Any,
    *,
    precision: str | None = None,
    storage: str = "auto",
    name: str | None = None,
    requantization: str = "double",
) -> Network:
    """Write a network as C99: `path`, which ends in .c, and the header beside it.

    Parameters
    ----------
    model : dict
        A network.
    path : path
        The file.
    precision : str, optional
        ``float``; ``weights``: floating point with weights as codes; ``integer``: int8. What the
        model's grids say unless given.
    storage : str
        Of weights: ``dense``, ``sparse``, ``packed``, or ``auto``, the smallest for each layer.
    name : str, optional
        What the functions begin with; the file's name unless given.
    requantization : str
        Of integers: ``double`` rounding or ``single``, as in ``nn_predict``.

    Returns
    -------
    Network
        What was written.
    """
    check(CALLER, "storage", storage, "choice", list(STORAGES))
    check(CALLER, "requantization", requantization, "choice", ["double", "single"])
    path = Path(os.fspath(path)).with_suffix(".c")
    if not path.name.isprintable() or set(path.name) & set('"\\?'):
        fail(CALLER, "badName", f"the name '{path.name}' cannot stand in a line of C")
    network = prepare(model, precision, FLATTEN_ORDER, fold=True)
    if any(n != n for n in network.input_size):
        fail(
            CALLER,
            "badSize",
            "C needs a sequence of known length: set MODEL.INPUT_SIZE to [features steps]",
        )
    Writer(network, storage, requantization, identifier(name or path.stem)).write(path)
    return network


def layout(size: Sequence[int]) -> list[int]:
    """Give an observation's shape as H x W x C, with the channels fastest."""
    return [*size] if len(size) == 3 else [1, *([1] if len(size) == 1 else []), *size[::-1]]


def to_layout(x: Array) -> Array:
    """Put observations in the layout of the code: N x numbers."""
    turned = channels_last(x)
    return turned.reshape(len(turned), -1)


def from_layout(y: Array, size: Sequence[int]) -> Array:
    """Put outputs of the code, N x numbers, in our layout."""
    shape = [y.shape[0], *(size if len(size) == 3 else size[::-1])]
    return from_channels_last(y.reshape(shape))


class Writer:
    """A network on its way into C.

    Attributes
    ----------
    network : Network
    integer : bool
        Whether activations are integers.
    file : CFile
    lines : list of str
        The body of the function that computes the network.
    """

    def __init__(self, network: Network, storage: str, requantization: str, name: str) -> None:
        self.network, self.storage, self.name = network, storage, name
        self.requantization = requantization
        self.integer = network.precision == "integer"
        self.type = "int8_t" if self.integer else "float"
        self.file = CFile(self.integer)
        self.lines: list[str] = []
        self.memory = Memory()
        self.row = 0  # numbers of the longest row of weights that is decoded
        self.stored: list[Weights] = []
        self.now = 0
        self.labels: set[str] = set()
        self.values: dict[int, str] = {-1: "input"}
        self.last_read: dict[int, int] = {}

    def write(self, path: Path) -> None:
        """Translate all layers and write both files."""
        network, plan = self.network, self.network.plan
        pieces = steps(network)
        self.last_read = {k: place for place, step in enumerate(pieces) for k in step.reads}
        self.last_read |= dict.fromkeys(plan.outputs, len(pieces))
        values = self.values
        for self.now, step in enumerate(pieces):
            kind = step.layer["type"]
            values[step.end] = "input"
            if self.integer and kind in c_layers.NOT_INTEGER:
                network.refuse(step.layer, "it has no integer form")
            elif not step.faulty:
                reads = [values[r] for r in step.reads]
                values[step.end] = c_layers.LAYERS[kind](self, step, reads)
        network.check("C")
        for k, (size, birth, death) in enumerate(self.memory.spans):
            self.memory.spans[k] = (size, birth, max(death, self.death(f"@{k}@")))
        places, total = self.memory.places()
        body = "".join(self.lines)
        offset = 0
        self.file.kernels.add("copied")
        for k in plan.outputs:
            count = math.prod(plan.sizes[k])
            body += f"  copied ({values[k]}, output + {offset}, {count});\n"
            offset += count
        for k, place in enumerate(places):
            body = body.replace(f"@{k}@", f"memory + {place}" if place else "memory")
        self.files(path, body, total, offset)
        network.files = [path, path.with_suffix(".h")]

    def label(self, step: Step) -> str:
        """Give the name that a layer's arrays begin with."""
        name = base = identifier(step.layer["name"])
        count = 1
        while name in self.labels:
            count += 1
            name = f"{base}_{count}"
        self.labels.add(name)
        return name

    def death(self, value: str) -> int:
        """Return the last piece that reads a place, whichever layer's result it is."""
        owners = [k for k, place in self.values.items() if place == value]
        return max((self.last_read.get(k, 0) for k in owners), default=0)

    def in_place(self, step: Step, value: str) -> str:
        """Reserve the result of a piece, where its input is if that is not read any more."""
        return value if value != "input" and self.death(value) <= self.now else self.result(step)

    def room(self, count: int, more: int = 0) -> str:
        """Reserve numbers for a result, from now until its last use."""
        return f"@{self.memory.add(count, self.now, self.now + more)}@"

    def result(self, step: Step) -> str:
        """Reserve the result of a piece."""
        return self.room(math.prod(step.out_size))

    def call(self, kernel: str, *arguments: Any) -> None:
        """Add a call of a function of `c_kernels`."""
        self.file.kernels.add(kernel)
        self.lines.append(f"  {kernel} ({', '.join(map(str, arguments))});\n")

    def files(self, path: Path, body: str, total: int, outputs: int) -> None:
        """Write the header and the code."""
        network, name = self.network, self.name
        scratch = f"static {self.type} scratch[{self.row}];\n" if self.row else ""
        used = (total + self.row) * (1 if self.integer else 4)
        inputs = math.prod(network.input_size)
        header = header_text(self, inputs, outputs, used)
        memory = f"static {self.type} memory[{total}];\n" if total else ""

        def text() -> Iterator[str]:
            yield f"/* Written by octcompress {__version__}. */\n\n#include <math.h>\n"
            yield f'#include <stddef.h>\n#include "{path.stem}.h"\n\n'
            yield chosen(self.file.kernels, self.integer, self.requantization) + "\n"
            yield from self.file.text()
            yield f"\n{memory}{scratch}\nvoid {name}_run (const {self.type} *input, "
            yield f"{self.type} *output)\n{{\n{body}}}\n"
            yield conversions(self)

        write_file(path.with_suffix(".h"), lambda file: file.write(header.encode()))
        write_file(path, lambda file: file.writelines(part.encode() for part in text()))


def header_text(writer: Writer, inputs: int, outputs: int, used: int) -> str:
    """Give the header's text."""
    network, name, kind = writer.network, writer.name, writer.type
    guard = f"{name.upper()}_H"
    rows = "\n".join(
        f"   {layer.name.removeprefix('w_')}: {layer.storage}, {layer.nbytes} bytes"
        for layer in writer.stored
    )
    shape = " x ".join(str(n) for n in layout(network.input_size))
    names = [
        f"{identifier(network.layers[k]['name'])} ({math.prod(network.plan.sizes[k])})"
        for k in network.plan.outputs
    ]
    text = f"""/* Written by octcompress {__version__}: a network in {
        "8-bit integers" if writer.integer else "single precision"
    }.

   Input: {shape}, the last dimension fastest. Output: {", ".join(names)}.
   Static memory: {used} bytes; constants: {writer.file.nbytes} bytes.
   Weights:
{rows}
   Not reentrant: the memory is shared by all calls. */

#ifndef {guard}
#define {guard}

#include <stdint.h>

#define {name.upper()}_INPUTS {inputs}
#define {name.upper()}_OUTPUTS {outputs}
#define {name.upper()}_MEMORY_BYTES {used}

/* Compute one observation. */
void {name}_run (const {kind} *input, {kind} *output);
"""
    if writer.integer:
        text += f"""
/* Codes of inputs, and the numbers that codes of outputs stand for. */
void {name}_encode (const float *input, int8_t *codes);
void {name}_decode (const int8_t *codes, float *output);
"""
    return text + "\n#endif\n"


def conversions(writer: Writer) -> str:
    """Give the functions between numbers and codes."""
    if not writer.integer:
        return ""
    network, name = writer.network, writer.name
    grid = network.output_grid(-1)
    assert grid is not None
    low, high = (int(n) for n in code_range(grid))
    scale, zero = scale_and_zero(grid)
    count = math.prod(network.input_size)
    text = f"""
void {name}_encode (const float *input, int8_t *codes)
{{
  int32_t i;
  for (i = 0; i < {count}; i++) {{
    float code = roundf (input[i] / {scale}) + ({zero});
    codes[i] = (int8_t) (code < {low} ? {low} : code > {high} ? {high} : code);
  }}
}}

void {name}_decode (const int8_t *codes, float *output)
{{
  int32_t i;
"""
    first = 0
    for k, grid in zip(network.plan.outputs, network.output_grids(), strict=True):
        assert grid is not None
        scale, zero = scale_and_zero(grid)
        last = first + math.prod(network.plan.sizes[k])
        text += f"  for (i = {first}; i < {last}; i++)\n"
        text += f"    output[i] = (float) (codes[i] - ({zero})) * {scale};\n"
        first = last
    return text + "}\n"
