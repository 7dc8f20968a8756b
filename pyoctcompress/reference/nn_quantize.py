"""The verb quantize: the reference of ``nn_quantize.m`` and ``calibrate.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .gram import input_gram, matrix_weights, weights_matrix
from .internal import (
    Array,
    check,
    describe,
    fail,
    is_empty,
    parse_options,
    plain,
    scalar,
    sequential_sum,
    size,
    value_array,
)
from .layers import TYPES
from .observers import KINDS, Observer, activation_points
from .quant import (
    FLOAT_FORMATS,
    UNIFORM,
    Grid,
    channel_axis,
    choose_grid,
    code_range,
    decode_grid,
    encode_grid,
    grid_of_range,
)
from .rounding import codebook_grid, encode_stochastic, kmeans, quantize_matrix

Info = dict[str, Any]
CALLER = "nn_quantize"
COMPENSATED = ("gptq", "adaround", "obq")


def quantize(model: Any, bits: Any = 8, **options: Any) -> tuple[Any, Info]:
    """Put weights, and given data also activations, on grids of n bits.

    Parameters
    ----------
    model : dict or array
        A network, any dict of arrays, or a single or double array.
    bits : int or array
        1 to 16, of the weights (8); or one number for each tensor.
    scheme : str
        ``symmetric`` (default) about 0, ``signed``, ``affine`` from the least to the greatest
        weight, ``unsigned``, ``ternary``, ``binary``, ``codebook``, ``bf16``, ``fp16``,
        ``fp8_e4m3``, ``fp8_e5m2``.
    granularity : str
        ``tensor`` (default): one scale; ``channel``: one for each output channel; ``group``: one
        for every `group_size` (64) weights of a channel.
    axis : int, optional
        The dimension of the channels, from 1: 1 for a matrix, the last for other arrays.
    power2 : bool
        Scales are powers of two (False).
    fit : str, optional
        ``range``, ``mse`` or ``hessian``.
    codebook_start : str
        ``linear`` (default), ``density`` or ``random``.
    rounding : str
        ``nearest`` (default), ``stochastic``, ``gptq``, ``adaround``, ``obq``.
    sparsity, damping, steps, seed, bias_correction
        0, 0.01, 1000, 0, None: of the rounding.
    layers : list of str or int, optional
        Names or numbers (from 1) of the layers to quantize; all.
    bias : bool
        Biases and other vectors too (False).
    data : array, optional
        Calibration inputs, as `predict` takes them.
    activations : str, optional
        ``static``, ``dynamic`` or ``none``; static where data are given and nothing else needs
        them.
    activation_bits, activation_scheme, observer, percentile
        8, ``affine``, ``minmax``, 99.99: the grids of activations.
    fuse : bool
        Layers that runtimes compute in one piece have a grid only at their end (True).
    batch_size : int
        Observations at a time in calibration (256).
    output : str
        For an array: ``values`` (default) on the grid, or ``codes``.

    Returns
    -------
    model : dict or array
        With the grids in ``layer['quantization']['weights']``, ``layer['quantization']['output']``
        and ``model['quantization']['input']``.
    info : dict
        options, layers (a list of dicts: tensor, bits, count, levels, max_error, sqnr in dB, and
        output_sqnr with data-driven rounding), activations (layer, lo, hi, scale, zero_point); for
        an array grid.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_quantize:badValue``, ``unknownOption``, ``notFinite``, ``unknownLayer``,
        ``noTensors``, ``badType``, ``notModel``, ``badInput``.

    References
    ----------
    .. [1] Jacob et al., Quantization and training of neural networks for efficient
       integer-arithmetic-only inference, CVPR 2018, arXiv:1712.05877.
    """
    defaults = {
        "bits": 8,
        "scheme": "symmetric",
        "granularity": "tensor",
        "group_size": 64,
        "axis": None,
        "power2": False,
        "fit": None,
        "codebook_start": "linear",
        "rounding": "nearest",
        "sparsity": 0,
        "damping": 0.01,
        "steps": 1000,
        "seed": 0,
        "bias_correction": None,
        "layers": None,
        "bias": False,
        "data": None,
        "activations": None,
        "activation_bits": 8,
        "activation_scheme": "affine",
        "observer": "minmax",
        "percentile": 99.99,
        "fuse": True,
        "batch_size": 256,
        "output": "values",
    }
    options = parse_options(CALLER, defaults, {"bits": bits, **options})
    check_quantize_options(options)
    settings = settle(options)
    if isinstance(model, Mapping):
        if options["output"] == "codes":
            fail(
                CALLER,
                "badValue",
                "OUTPUT can be 'codes' for an array only; a model keeps its grids in "
                "layer.quantization",
            )
        if not graph.is_network(model) and size(options["data"]) != (0, 0):
            fail(
                CALLER,
                "notModel",
                "DATA needs a network that can be computed, but MODEL is a struct of arrays; "
                "leave DATA out",
            )
    else:
        check(CALLER, "w", model, "finite")
        if len(settings["bits"]) != 1:
            fail(
                CALLER,
                "badValue",
                f"BITS must be one number for an array, but is {describe(options['bits'])}",
            )
    model, tensors, arrays = graph.chosen_tensors(CALLER, model, options["layers"], options["bias"])
    each = settings["bits"]
    if len(each) == 1:
        each = each * len(tensors)
    elif len(each) != len(tensors):
        fail(
            CALLER,
            "badValue",
            f"BITS must be one number, or one for each of the {len(tensors)} tensors, but are "
            f"{len(each)}",
        )
    original = graph.copy_tree(model) if settings["needs_data"] else model
    info: Info = {"options": options, "layers": [], "activations": []}
    for tensor, w, n in zip(tensors, arrays, each, strict=True):
        promised = bool(tensor.path) and graph.get_promise(model, tensor, "pruning") is not None
        own = {**settings, "zeros": w == 0 if promised else None}
        axis = quantize_axis(model, tensor, w, options)
        if settings["needs_data"] and has_hessian(model, tensor):
            info["layers"].append(quantize_with_data(model, original, tensor, n, axis, own))
            continue
        grid = plain_grid(w, n, axis, own)
        if options["rounding"] == "stochastic":
            codes = encode_stochastic(w, grid, options["seed"])
        else:
            codes = encode_grid(w, grid)
        q = decode_grid(codes, grid, w.dtype)
        info["layers"].append(quantize_figures(tensor.name, w, q, codes, grid))
        if not tensor.path:
            info["grid"] = grid
            model = plain(small_codes(codes, grid) if options["output"] == "codes" else q)
        else:
            graph.set_tensor(model, tensor, q)
            graph.set_promise(model, tensor, "quantization", grid)
    if isinstance(model, Mapping) and settings["activations"] != "none":
        choice = {
            "activations": settings["activations"],
            "bits": options["activation_bits"],
            "scheme": options["activation_scheme"],
            **{key: options[key] for key in ("observer", "percentile", "fuse", "batch_size")},
        }
        info["activations"] = calibrate(CALLER, model, options["data"], choice)
    return model, info


def check_quantize_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `quantize` cannot use."""
    bits = options["bits"]
    if isinstance(bits, np.ndarray) and 1 in size(bits) and len(size(bits)) == 2:
        for one in np.ravel(np.asarray(bits)):
            check(CALLER, "bits", one, "integer", (1, 16))
    else:
        check(CALLER, "bits", bits, "integer", (1, 16))
    schemes = [*UNIFORM, "ternary", "binary", "codebook", *FLOAT_FORMATS]
    check(CALLER, "scheme", options["scheme"], "choice", schemes)
    check(CALLER, "granularity", options["granularity"], "choice", ["tensor", "channel", "group"])
    check(CALLER, "group_size", options["group_size"], "integer", (1, math.inf))
    if not is_empty(options["axis"]):
        check(CALLER, "axis", options["axis"], "integer", (1, 16))
    check(CALLER, "power2", options["power2"], "flag")
    if not is_empty(options["fit"]):
        check(CALLER, "fit", options["fit"], "choice", ["range", "mse", "hessian"])
    starts = ["linear", "density", "random"]
    check(CALLER, "codebook_start", options["codebook_start"], "choice", starts)
    rounding = ["nearest", "stochastic", "gptq", "adaround", "obq"]
    check(CALLER, "rounding", options["rounding"], "choice", rounding)
    check(CALLER, "sparsity", options["sparsity"], "number", (0, 1))
    check(CALLER, "damping", options["damping"], "number", (0, math.inf))
    check(CALLER, "steps", options["steps"], "integer", (1, math.inf))
    check(CALLER, "seed", options["seed"], "integer", (0, 2**32 - 1))
    if not is_empty(options["bias_correction"]):
        check(CALLER, "bias_correction", options["bias_correction"], "flag")
    check(CALLER, "bias", options["bias"], "flag")
    if not is_empty(options["activations"]):
        kinds = ["none", "static", "dynamic"]
        check(CALLER, "activations", options["activations"], "choice", kinds)
    check(CALLER, "activation_bits", options["activation_bits"], "integer", (1, 16))
    two = ["symmetric", "affine"]
    check(CALLER, "activation_scheme", options["activation_scheme"], "choice", two)
    check(CALLER, "observer", options["observer"], "choice", KINDS)
    check(CALLER, "percentile", options["percentile"], "number", (50, 100))
    check(CALLER, "fuse", options["fuse"], "flag")
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    check(CALLER, "output", options["output"], "choice", ["values", "codes"])
    check_together(options)


def check_together(options: Mapping[str, Any]) -> None:
    """Refuse options that do not go together."""
    method, scheme = options["rounding"], options["scheme"]
    no_data = size(options["data"]) == (0, 0)
    fault = ""
    if method in COMPENSATED and no_data:
        fault = f"ROUNDING '{method}' needs DATA: calibration inputs of a network"
    elif method not in COMPENSATED and options["fit"] == "hessian":
        fault = "FIT 'hessian' needs ROUNDING 'gptq', 'adaround' or 'obq'"
    elif scalar(options["sparsity"]) > 0 and method not in ("gptq", "obq"):
        fault = "SPARSITY needs ROUNDING 'gptq' or 'obq'; use nn_prune before"
    elif not is_empty(options["bias_correction"]) and options["bias_correction"] and no_data:
        fault = "BIAS_CORRECTION needs DATA: calibration inputs of a network"
    elif options["activations"] == "static" and no_data:
        fault = "ACTIVATIONS 'static' needs DATA: calibration inputs"
    elif scheme == "codebook" and options["granularity"] != "tensor":
        fault = "SCHEME 'codebook' needs GRANULARITY 'tensor': a codebook is one for each tensor"
    elif scheme in ("codebook", *FLOAT_FORMATS) and method in ("adaround", "stochastic"):
        fault = f"ROUNDING '{method}' needs a uniform grid; SCHEME is '{scheme}'"
    if fault:
        fail(CALLER, "badValue", fault)


def settle(options: Mapping[str, Any]) -> dict[str, Any]:
    """Find what the options mean together."""
    settings = dict(options)
    settings["bits"] = [int(n) for n in np.ravel(np.asarray(options["bits"], dtype=float))]
    settings["fit"] = None if is_empty(options["fit"]) else options["fit"]
    if options["scheme"] in ("ternary", "binary"):
        settings["bits"] = [2 if options["scheme"] == "ternary" else 1]
        settings["scheme"] = "symmetric"
        settings["fit"] = settings["fit"] or "mse"
    settings["power2"] = bool(scalar(options["power2"]))
    settings["group"] = options["group_size"] if options["granularity"] == "group" else None
    compensated = options["rounding"] in COMPENSATED
    has_data = size(options["data"]) != (0, 0)
    if compensated and is_empty(options["fit"]):
        settings["fit"] = "hessian"
    settings["fit"] = settings["fit"] or "range"
    if is_empty(options["bias_correction"]):
        settings["bias_correction"] = compensated
    corrects = bool(settings["bias_correction"])
    settings["needs_data"] = has_data and (
        compensated or corrects or options["scheme"] == "codebook"
    )
    if is_empty(options["activations"]):
        settings["activations"] = "static" if has_data and not settings["needs_data"] else "none"
    return settings


def plain_grid(w: Array, bits: int, axis: int, settings: Mapping[str, Any]) -> Grid:
    """Choose the grid of a tensor without calibration data."""
    if settings["scheme"] == "codebook":
        start, seed = settings["codebook_start"], settings["seed"]
        codebook, _ = kmeans(w, 2**bits, start=start, seed=seed, zero=settings["zeros"] is not None)
        return codebook_grid(bits, codebook)
    fit = "mse" if settings["fit"] == "hessian" else settings["fit"]
    group, power2 = settings["group"], settings["power2"]
    return choose_grid(w, bits, settings["scheme"], axis, group=group, power2=power2, fit=fit)


def small_codes(codes: Array, grid: Grid) -> Array:
    """Put codes in the smallest integer class: 8 bits, above that 16."""
    signed = code_range(grid)[0] < 0
    small: Any = np.int8 if signed else np.uint8
    if grid["bits"] <= 8 and codes.max(initial=0) <= np.iinfo(small).max:
        return codes.astype(small)
    return codes.astype(np.int16 if signed else np.uint16)


def has_hessian(model: Any, tensor: graph.Tensor) -> bool:
    """Whether a tensor is the weights of a dense or conv2d layer."""
    if tensor.layer == 0 or tensor.field != "weights":
        return False
    return model["layers"][tensor.layer - 1]["type"] in ("dense", "conv2d")


def quantize_with_data(
    model: Any, original: Any, tensor: graph.Tensor, bits: int, axis: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """Quantize a layer in place so that its outputs on the data change least; its figures."""
    k = tensor.layer - 1
    layer = model["layers"][k]
    own_axis = channel_axis(layer, "weights")
    if axis not in (0, own_axis):
        fail(
            CALLER,
            "badValue",
            f"AXIS must be {own_axis}, the output channels of layer '{layer['name']}', with "
            f"data-driven rounding, but is {axis}",
        )
    settings["axis"] = int(axis > 0)
    stats = input_gram(CALLER, model, settings["data"], k, settings["batch_size"], original)
    if settings["zeros"] is not None:
        settings["zeros"] = weights_matrix(layer, settings["zeros"])
    if bits > 6 and settings["fit"] == "hessian":
        settings["fit"] = "range"
    bias = None if is_empty(layer.get("bias")) else value_array(layer["bias"])
    w = weights_matrix(layer)
    q, new_bias, grid, codes, output_sqnr = quantize_matrix(w, bias, stats, bits, settings)
    if axis > 0:
        grid["axis"] = float(own_axis)
    layer["weights"] = plain(matrix_weights(q, layer))
    if new_bias is not None:
        layer["bias"] = plain(new_bias)
    graph.set_promise(model, tensor, "quantization", grid)
    if scalar(settings["sparsity"]) > 0:
        rule = {
            "criterion": "obs",
            "structure": "weight",
            "scope": "layer",
            "rule": "sparsity",
            "amount": settings["sparsity"],
            "limit": 0.0,
            "zeros": float(np.count_nonzero(q == 0)),
        }
        graph.set_promise(model, tensor, "pruning", rule)
    row = quantize_figures(tensor.name, w, q, codes, grid)
    return {**row, "output_sqnr": output_sqnr}


def quantize_axis(model: Any, tensor: graph.Tensor, w: Array, options: Mapping[str, Any]) -> int:
    """Choose the dimension that has one scale per slice; 0 for one scale."""
    if options["granularity"] == "tensor":
        return 0
    if not is_empty(options["axis"]):
        return int(scalar(options["axis"]))
    if tensor.layer > 0:
        return channel_axis(model["layers"][tensor.layer - 1], tensor.field)
    return 1 if len(size(w)) == 2 else len(size(w))


def quantize_figures(name: str, w: Array, q: Array, codes: Array, grid: Grid) -> dict[str, Any]:
    """Say how far the values on the grid are from the weights."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        difference = (q - w).astype(np.float64)
        noise = sequential_sum(difference**2)
        signal = sequential_sum(w.astype(np.float64) ** 2)
        sqnr = 10 * np.log10(np.divide(signal, noise))
    return {
        "tensor": name,
        "bits": grid["bits"],
        "count": float(w.size),
        "levels": float(np.unique(codes).size),
        "max_error": float(np.nanmax(np.abs(difference), initial=0)),
        "sqnr": float(sqnr),
    }


def calibrate(caller: str, model: Any, x: Any, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give a network's activations their grids, from data, in place.

    `options`: activations (``static`` or ``dynamic``), bits, scheme, observer, percentile, fuse,
    batch_size. Returns a row for each grid; none where dynamic.
    """
    model["quantization"] = {}
    model["layers"] = layers = [without_output_grid(layer) for layer in model["layers"]]
    if options["activations"] == "none":
        return []
    plan = graph.plan(caller, model)
    points = activation_points(plan, layers, bool(scalar(options["fuse"])))
    bits, scheme = int(scalar(options["bits"])), options["scheme"]
    if options["activations"] == "dynamic":
        dynamic_grids(model, plan, bits, scheme)
        return []
    x, ranges = graph.batches(caller, model, x, options["batch_size"])
    if not ranges:
        fail(caller, "badInput", "DATA must hold at least one observation")
    watched = [-1] + [k for k, point in enumerate(points) if point != "none"]
    percentile = scalar(options["percentile"])
    observers = {k: Observer(options["observer"], percentile) for k in watched}
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        _, trace = graph.forward(plan, layers, batch)
        for k in watched:
            observers[k].add(batch if k < 0 else trace.values[k])

    grids: dict[int, Grid] = {}
    rows = []
    for k in watched:
        lo, hi = observers[k].range(bits, scheme)
        if not math.isfinite(lo + hi):
            fail(
                caller,
                "notFinite",
                f"the output of layer '{layers[max(k, 0)]['name']}' is not finite on DATA; scale "
                "the inputs as in training",
            )
        point = "own" if k < 0 else points[k]
        source = -1 if k < 0 else plan.inputs[k][0]
        if point == "inherit":
            grids[k] = grids[source]
            continue
        if point == "fixed":
            lo, hi = known_range(layers[k]["type"], bits)
        if point == "same":
            grids[k] = grids[source]
        else:
            grids[k] = grid_of_range(lo, hi, bits, scheme, 0, graph.float_class(model))
        set_grid(model, k, grids[k])
        rows.append(
            {
                "layer": "input" if k < 0 else layers[k]["name"],
                "lo": lo,
                "hi": hi,
                "scale": float(value_array(grids[k]["scale"])[0, 0]),
                "zero_point": float(value_array(grids[k]["zero_point"])[0, 0]),
            }
        )
    share_grids(model, plan, points)
    return rows


def set_grid(model: Any, k: int, grid: Grid) -> None:
    """Put a grid on the output of layer k, or on the network's input where k is -1."""
    owner, key = (model, "input") if k < 0 else (model["layers"][k], "output")
    owner["quantization"] = {**owner.get("quantization", {}), key: grid}


def get_grid(model: Any, k: int) -> Grid:
    """Return the grid of the output of layer k, or of the network's input where k is -1."""
    if k < 0:
        return model["quantization"]["input"]
    return model["layers"][k]["quantization"]["output"]


def share_grids(model: Any, plan: graph.Plan, points: list[str]) -> None:
    """Put what a concat reads on the concat's grid, from the last one to the first."""
    for k in reversed(range(len(points))):
        if points[k] != "shared":
            continue
        for read in plan.inputs[k]:
            source = read
            while source >= 0 and points[source] in ("inherit", "same"):
                source = plan.inputs[source][0]
            if source < 0 or points[source] != "fixed":
                set_grid(model, source, get_grid(model, k))
    for k, point in enumerate(points):
        if point == "same":
            source = plan.inputs[k][0]
            while source >= 0 and points[source] == "inherit":
                source = plan.inputs[source][0]
            set_grid(model, k, get_grid(model, source))


def dynamic_grids(model: Any, plan: graph.Plan, bits: int, scheme: str) -> None:
    """Put what layers with weights read on grids of its own range, by observation."""
    for k, layer in enumerate(model["layers"]):
        if not TYPES[layer["type"]].prunable:
            continue
        for source in plan.inputs[k]:
            sizes = np.ravel(model["input_size"]) if source < 0 else plan.sizes[source]
            grid = {
                "bits": float(bits),
                "scheme": scheme,
                "dynamic": True,
                "scale": 1.0,
                "zero_point": 0.0,
                "axis": 3.0 if len(sizes) == 3 else 2.0,
            }
            set_grid(model, source, grid)


def known_range(kind: str, bits: int) -> tuple[float, float]:
    """Return the range of softmax, its logarithm, sigmoid or tanh."""
    if kind == "tanh":
        return -1.0, 1 - 2.0 ** (1 - bits)
    if kind == "logsoftmax":
        return 2.0 ** (4 - bits) - 16, 0.0
    return 0.0, 1 - 2.0**-bits


def without_output_grid(layer: graph.Layer) -> graph.Layer:
    """Copy a layer without the grid of its output."""
    if "output" not in layer.get("quantization", {}):
        return layer
    kept = {key: grid for key, grid in layer["quantization"].items() if key != "output"}
    return {**layer, "quantization": kept}
