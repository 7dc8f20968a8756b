"""What runtimes compute in one piece: a layer, with the relu or relu6 that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyoctcompress.errors import OctcompressError
from pyoctcompress.exporters.network import POOLS, Network
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.integer import ELEMENTWISE, KEEPING, WEIGHTED, integer_layer
from pyoctcompress.reference.internal import value_array
from pyoctcompress.reference.quant import Grid, code_range


@dataclass
class Step:
    """One piece.

    Attributes
    ----------
    place, end : int
        The layer that computes, and the last one that the piece stands for.
    layer : dict
        The layer that computes.
    clip : str
        ``relu``, ``relu6``, or nothing.
    reads : list of int
        The layers whose results it reads; -1 is the network's input.
    in_sizes : list
        Sizes of one observation of these.
    out_size : list
        Size of one observation of the result.
    in_grids : list of grids
        Between integers only.
    grid : grid
        That of the result, between integers only.
    faulty : bool
        Whether integers cannot be computed here.
    """

    place: int
    end: int
    layer: graph.Layer
    clip: str
    reads: list[int]
    in_sizes: list[list[Any]]
    out_size: list[Any]
    in_grids: list[Grid | None]
    grid: Grid | None
    faulty: bool


def steps(network: Network) -> list[Step]:
    """Cut a network into pieces; layers without a grid between integers are refused."""
    plan, layers = network.plan, network.layers
    integer = network.precision == "integer"
    grids: dict[int, Grid | None] = {-1: network.output_grid(-1)}
    if integer:
        check_grid(network, {"name": "input", "type": "the network's input"}, grids[-1])
    found: list[Step] = []
    k = 0
    while k < len(layers):
        layer, kind = layers[k], layers[k]["type"]
        end = k
        if kind in WEIGHTED + ELEMENTWISE and network.output_grid(k) is None:
            end = clipped_by(network, k)
        in_grids = [grids[r] for r in plan.inputs[k]]
        grid = network.output_grid(end)
        if grid is None and kind in (*KEEPING, *POOLS, "concat"):
            grid = in_grids[0]
        clip = layers[end]["type"] if end > k else ""
        faults = len(network.faults)
        if integer:
            check_grid(network, layer, grid)
        if integer and kind in WEIGHTED:
            check_weights(network, layer, in_grids[0], grid)
        faulty = len(network.faults) > faults or (integer and None in in_grids)
        step = Step(
            k, end, layer, clip, plan.inputs[k], network.in_sizes(k), plan.sizes[end],
            in_grids, grid, faulty,
        )  # fmt: skip
        found.append(step)
        for j in range(k, end + 1):
            grids[j] = grid
        k = end + 1
    return found


def clipped_by(network: Network, k: int) -> int:
    """Find the relu or relu6 right after a layer that alone reads it; or the layer itself."""
    readers = [r for r, reads in enumerate(network.plan.inputs) for source in reads if source == k]
    alone = readers == [k + 1] and k not in network.plan.outputs
    return k + 1 if alone and network.layers[k + 1]["type"] in ("relu", "relu6") else k


def check_grid(network: Network, layer: graph.Layer, grid: Grid | None) -> None:
    """Refuse what has no grid that integers can be computed on."""
    if grid is None:
        network.refuse(
            layer,
            "its output has no grid; fold batch normalisations (nn_fold) and use nn_quantize with "
            "data, or nn_calibrate",
        )
    elif grid.get("dynamic") or grid["bits"] > 8 or grid["scheme"] == "unsigned":
        network.refuse(layer, "its grid must be static and signed, of up to 8 bits")


def check_weights(
    network: Network, layer: graph.Layer, in_grid: Grid | None, grid: Grid | None
) -> None:
    """Refuse weights whose codes, less their zero points, are not int8."""
    if in_grid is None or grid is None:
        return
    try:
        integer_layer(layer, in_grid, grid)
    except OctcompressError as error:
        network.refuse(layer, error.message.partition(": ")[2])
        return
    if not fits_int8(layer["quantization"]["weights"]):
        network.refuse(
            layer, "its codes less their zero points exceed int8; use scheme 'symmetric'"
        )


def fits_int8(grid: Grid) -> bool:
    """Whether codes less their zero points fit into int8."""
    zero = value_array(grid["zero_point"]).astype(float)
    first, last = code_range(grid)
    return bool((first - zero).min() >= -128 and (last - zero).max() <= 127)
