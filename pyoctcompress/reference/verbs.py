"""The public verbs on plain data: the reference of ``nn_prune.m``, ``nn_quantize.m`` and so on.

Names, options and defaults are those of the Octave functions without ``nn_``; no verb changes its
arguments.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .internal import (
    Array,
    Progress,
    check,
    class_name,
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
from .prune import smallest_mask, threshold_limit
from .quant import (
    Grid,
    channel_axis,
    choose_grid,
    decode_grid,
    encode_grid,
    grid_of_range,
)
from .train_data import Source, cut, data_source, training_options
from .train_loop import loop

Info = dict[str, Any]


def share(part: float, whole: float) -> float:
    """Divide a part by the whole; 0 of nothing."""
    return part / max(whole, 1)


def chosen_tensors(
    caller: str, model: Any, layers: Any, bias: bool
) -> tuple[Any, list[graph.Tensor], list[Array]]:
    """Copy the model and find the tensors that the user named, and their finite arrays.

    An array comes as one tensor that is called 'array'.
    """
    if not isinstance(model, Mapping):
        check(caller, "w", model, "finite")
        return model, [graph.Tensor("array", "array", 0, "", ())], [value_array(model)]
    model = graph.tidy(caller, model) if graph.is_network(model) else graph.copy_tree(model)
    tensors = graph.select_tensors(caller, model, layers, bias)
    arrays = []
    for tensor in tensors:
        w = graph.get_tensor(model, tensor)
        check(caller, "w", w, "finite", f"'{tensor.name}'")
        arrays.append(value_array(w))
    return model, tensors, arrays


def prune(model: Any, **options: Any) -> tuple[Any, Info]:
    """Set the least important weights to zero.

    Parameters
    ----------
    model : dict or array
        A network, any dict of arrays, or a single or double array.
    threshold : float, optional
        Zero where |w| < threshold * scale.
    scale : str
        ``max`` (default): the largest magnitude; ``std``: the standard deviation; ``none``: 1.
    sparsity : float, optional
        Zero the share 0 to 1 of smallest magnitude: exactly floor (sparsity * number of
        weights); of equal ones the first in linear (column-major) order go.
    scope : str
        ``layer`` (default): each tensor by itself; ``global``: all of them as one.
    layers : list of str or int, optional
        Names or numbers (from 1) of the layers to prune; all.
    bias : bool
        Biases and other vectors too (False).

    Returns
    -------
    model : dict or array
        With the promise in ``layer['pruning']['weights']``.
    info : dict
        options, count, zeros, sparsity, layers (a list of dicts: tensor, count, zeros, sparsity,
        limit); for an array mask, true where a weight is kept.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_prune:badValue``, ``unknownOption``, ``notFinite``, ``unknownLayer``,
        ``noTensors``, ``badType``.

    References
    ----------
    .. [1] Han et al., Learning both weights and connections for efficient neural networks, NIPS
       2015, arXiv:1506.02626.
    """
    defaults = {
        "threshold": None,
        "scale": "max",
        "sparsity": None,
        "scope": "layer",
        "layers": None,
        "bias": False,
    }
    options = parse_options("nn_prune", defaults, options)
    check_prune_options(options)
    model, tensors, arrays = chosen_tensors("nn_prune", model, options["layers"], options["bias"])

    info: Info = {"options": options, "count": 0.0, "zeros": 0.0, "sparsity": 0.0, "layers": []}
    if options["scope"] == "global":
        masks, limit = prune_masks(arrays, options)
        limits = [limit] * len(arrays)
    else:
        each = [prune_masks([w], options) for w in arrays]
        masks = [mask for [mask], _ in each]
        limits = [limit for _, limit in each]
    for tensor, w, mask, limit in zip(tensors, arrays, masks, limits, strict=True):
        pruned = np.where(mask, w.dtype.type(0), w)
        zeros = pruned.size - int(np.count_nonzero(pruned))
        row = {
            "tensor": tensor.name,
            "count": float(w.size),
            "zeros": float(zeros),
            "sparsity": share(zeros, w.size),
            "limit": float(limit),
        }
        info["layers"].append(row)
        info["count"] += row["count"]
        info["zeros"] += row["zeros"]
        if not tensor.path:
            model = plain(pruned)
            info["mask"] = plain(~mask)
        else:
            graph.set_tensor(model, tensor, pruned)
            graph.set_promise(model, tensor, "pruning", pruning_promise(options, row))
    info["sparsity"] = share(info["zeros"], info["count"])
    return model, info


def check_prune_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `prune` cannot use."""
    caller = "nn_prune"
    if is_empty(options["threshold"]) == is_empty(options["sparsity"]):
        fail(
            caller,
            "badValue",
            "give either THRESHOLD or SPARSITY, as in nn_prune (model, 'sparsity', 0.9)",
        )
    if is_empty(options["sparsity"]):
        check(caller, "threshold", options["threshold"], "number", (0, math.inf))
    else:
        check(caller, "sparsity", options["sparsity"], "number", (0, 1))
    check(caller, "scale", options["scale"], "choice", ["max", "none", "std"])
    check(caller, "scope", options["scope"], "choice", ["layer", "global"])
    check(caller, "bias", options["bias"], "flag")


def prune_masks(arrays: list[Array], options: Mapping[str, Any]) -> tuple[list[Array], Any]:
    """Mark what to zero in each of several arrays that are pruned as one, and the limit."""
    magnitudes = [np.abs(w) for w in arrays]
    if not is_empty(options["sparsity"]):
        count = math.floor(scalar(options["sparsity"]) * sum(w.size for w in arrays))
        return smallest_mask(magnitudes, count)
    together = np.concatenate([w.ravel(order="F") for w in arrays])
    limit = threshold_limit(together, scalar(options["threshold"]), options["scale"])
    return [m < limit for m in magnitudes], limit


def pruning_promise(options: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the pruning of a tensor: what stands beside it."""
    by_sparsity = not is_empty(options["sparsity"])
    return {
        "criterion": "magnitude",
        "structure": "weight",
        "scope": options["scope"],
        "rule": "sparsity" if by_sparsity else f"threshold-{options['scale']}",
        "amount": scalar(options["sparsity" if by_sparsity else "threshold"]),
        "limit": row["limit"],
        "zeros": row["zeros"],
    }


def quantize(model: Any, bits: Any = 8, **options: Any) -> tuple[Any, Info]:
    """Put weights, and given data also activations, on a uniform grid of n bits.

    Parameters
    ----------
    model : dict or array
        A network, any dict of arrays, or a single or double array.
    bits : int
        1 to 16, of the weights (8).
    scheme : str
        ``symmetric`` (default) about 0, or ``affine``: from the least to the greatest weight.
    granularity : str
        ``tensor`` (default): one scale; ``channel``: one for each output channel.
    axis : int, optional
        The dimension of the channels, from 1: 1 for a matrix, the last for other arrays.
    layers : list of str or int, optional
        Names or numbers (from 1) of the layers to quantize; all.
    bias : bool
        Biases and other vectors too (False).
    data : array, optional
        Calibration inputs, as `predict` takes them; the input and the output of every layer then
        get a grid as well, and `predict` computes on it.
    activation_bits, activation_scheme
        8 and ``affine``: those grids, over the range seen in data.
    batch_size : int
        Observations at a time in calibration (256).
    output : str
        For an array: ``values`` (default) on the grid, or ``codes``: int8 up to 8 bits, int16
        above.

    Returns
    -------
    model : dict or array
        With the grids in ``layer['quantization']['weights']``, ``layer['quantization']['output']``
        and ``model['quantization']['input']``.
    info : dict
        options, layers (a list of dicts: tensor, bits, count, levels, max_error, sqnr in dB),
        activations (layer, lo, hi, scale, zero_point); for an array grid.

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
    caller = "nn_quantize"
    defaults = {
        "bits": 8,
        "scheme": "symmetric",
        "granularity": "tensor",
        "axis": None,
        "layers": None,
        "bias": False,
        "data": None,
        "activation_bits": 8,
        "activation_scheme": "affine",
        "batch_size": 256,
        "output": "values",
    }
    options = parse_options(caller, defaults, {"bits": bits, **options})
    check_quantize_options(options)
    if isinstance(model, Mapping):
        if options["output"] == "codes":
            fail(
                caller,
                "badValue",
                "OUTPUT can be 'codes' for an array only; a model keeps its grids in "
                "layer.quantization",
            )
        if not graph.is_network(model) and size(options["data"]) != (0, 0):
            fail(
                caller,
                "notModel",
                "DATA needs a network that can be computed, but MODEL is a struct of arrays; "
                "leave DATA out",
            )
    model, tensors, arrays = chosen_tensors(caller, model, options["layers"], options["bias"])

    info: Info = {"options": options, "layers": [], "activations": []}
    for tensor, w in zip(tensors, arrays, strict=True):
        axis = quantize_axis(model, tensor, w, options)
        grid = choose_grid(w, options["bits"], options["scheme"], axis)
        codes = encode_grid(w, grid)
        q = decode_grid(codes, grid, w.dtype)
        info["layers"].append(quantize_figures(tensor.name, w, q, codes, grid))
        if not tensor.path:
            info["grid"] = grid
            small = codes.astype(np.int8 if scalar(options["bits"]) <= 8 else np.int16)
            model = plain(small if options["output"] == "codes" else q)
        else:
            graph.set_tensor(model, tensor, q)
            graph.set_promise(model, tensor, "quantization", grid)
    if isinstance(model, Mapping) and size(options["data"]) != (0, 0):
        info["activations"] = calibrate(model, options)
    return model, info


def check_quantize_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `quantize` cannot use."""
    caller = "nn_quantize"
    check(caller, "bits", options["bits"], "integer", (1, 16))
    check(caller, "scheme", options["scheme"], "choice", ["symmetric", "affine"])
    check(caller, "granularity", options["granularity"], "choice", ["tensor", "channel"])
    if not is_empty(options["axis"]):
        check(caller, "axis", options["axis"], "integer", (1, 16))
    check(caller, "bias", options["bias"], "flag")
    check(caller, "activation_bits", options["activation_bits"], "integer", (1, 16))
    schemes = ["symmetric", "affine"]
    check(caller, "activation_scheme", options["activation_scheme"], "choice", schemes)
    check(caller, "batch_size", options["batch_size"], "integer", (1, math.inf))
    check(caller, "output", options["output"], "choice", ["values", "codes"])


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


def calibrate(model: Any, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Put a grid on the input and on every layer's output, over the range seen in data.

    The ranges are those of the network as it is, with quantized weights; earlier grids of the
    layers' outputs are taken off first.
    """
    caller = "nn_quantize"
    plan = graph.plan(caller, model)
    x, ranges = graph.batches(caller, model, options["data"], options["batch_size"])
    if not ranges:
        fail(caller, "badInput", "DATA must hold at least one observation")
    model["quantization"] = {}
    layers = [without_output_grid(layer) for layer in model["layers"]]
    names = ["input"] + [layer["name"] for layer in layers]
    lo = np.full(len(names), np.inf)
    hi = np.full(len(names), -np.inf)
    for which in ranges:
        batch = graph.take_batch(x, model, which)
        _, trace = graph.forward(plan, layers, batch)
        for k, value in enumerate([batch, *trace.values]):
            lo[k] = np.minimum(lo[k], value.min())
            hi[k] = np.maximum(hi[k], value.max())
    with np.errstate(over="ignore"):
        wrong = np.flatnonzero(~np.isfinite(lo + hi))
    if wrong.size:
        fail(
            caller,
            "notFinite",
            f"the output of layer '{names[max(wrong[0], 1)]}' is not finite on DATA; scale the "
            "inputs as in training",
        )
    rows = []
    bits, scheme = options["activation_bits"], options["activation_scheme"]
    for k, name in enumerate(names):
        grid = grid_of_range(lo[k], hi[k], bits, scheme, 0, graph.float_class(model))
        owner, key = (model, "input") if k == 0 else (model["layers"][k - 1], "output")
        owner.setdefault("quantization", {})[key] = grid
        rows.append(
            {
                "layer": name,
                "lo": float(lo[k]),
                "hi": float(hi[k]),
                "scale": float(value_array(grid["scale"])[0, 0]),
                "zero_point": float(value_array(grid["zero_point"])[0, 0]),
            }
        )
    return rows


def without_output_grid(layer: graph.Layer) -> graph.Layer:
    """Copy a layer without the grid of its output."""
    if "output" not in layer.get("quantization", {}):
        return layer
    kept = {key: grid for key, grid in layer["quantization"].items() if key != "output"}
    return {**layer, "quantization": kept}


def info(model: Any) -> Info:
    """List what a model is made of.

    Parameters
    ----------
    model : dict
        A network, or any dict of arrays.

    Returns
    -------
    dict
        rows: one for each layer (each tensor where the model is not a network) with name, type,
        shape (text), parameters, nonzeros, bits per weight, bytes of fixed-length codes, macs of
        one observation; totals; text: the table.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_info:noTensors``, ``notModel``, and those of a faulty network.
    """
    caller = "nn_info"
    if graph.is_network(model):
        model = graph.tidy(caller, model)
        plan = graph.plan(caller, model)
        rows = [info_row(layer["name"], layer["type"]) for layer in model["layers"]]
        for row, macs in zip(rows, plan.macs, strict=True):
            row["macs"] = float(macs)
        tensors = graph.tensors(model, True)
        owners = [tensor.layer - 1 for tensor in tensors]
    elif isinstance(model, Mapping):
        tensors = graph.select_tensors(caller, dict(model), None, True)
        rows = [info_row(tensor.name, "tensor") for tensor in tensors]
        owners = list(range(len(tensors)))
    else:
        fail(caller, "notModel", f"MODEL must be a scalar struct, but is {describe(model)}")
    for tensor, owner in zip(tensors, owners, strict=True):
        w = value_array(graph.get_tensor(model, tensor))
        grid = graph.get_promise(model, tensor, "quantization")
        bits = float(grid["bits"]) if grid else 8.0 * w.dtype.itemsize
        row = rows[owner]
        if not row["shape"]:
            row["shape"] = " x ".join(str(length) for length in size(w))
            row["bits"] = bits
        row["parameters"] += float(w.size)
        row["nonzeros"] += float(np.count_nonzero(w))
        row["bytes"] += float(math.ceil(w.size * bits / 8))
    totals = {
        name: float(sum(row[name] for row in rows))
        for name in ("parameters", "nonzeros", "bits", "bytes", "macs")
    }
    totals["bits"] = share(8 * totals["bytes"], totals["parameters"])
    return {"rows": rows, "totals": totals, "text": info_table(rows, totals)}


def info_row(name: str, kind: str) -> dict[str, Any]:
    """Make the row of a layer or tensor before its arrays are counted."""
    counts = dict.fromkeys(("parameters", "nonzeros", "bits", "bytes", "macs"), 0.0)
    return {"name": name, "type": kind, "shape": "", **counts}


def info_table(rows: list[dict[str, Any]], totals: Mapping[str, float]) -> str:
    """Set the rows and totals as text."""

    def whole(value: float) -> str:
        return f"{value:.0f}" if value else "-"

    names = ("parameters", "nonzeros", "bits", "bytes", "macs")
    lines = [["layer", "type", "shape", "parameters", "nonzeros", "bits", "bytes", "MACs"]]
    for row in rows:
        lines.append([row["name"], row["type"], row["shape"], *(whole(row[n]) for n in names)])
    kept = 100 * share(totals["nonzeros"], totals["parameters"])
    cells = {name: whole(totals[name]) for name in names}
    cells["nonzeros"] = f"{totals['nonzeros']:.0f} ({kept:.1f}%)"
    cells["bits"] = f"{totals['bits']:.1f}"
    lines.append(["total", "", "", *cells.values()])
    widths = [max(len(line[c]) for line in lines) for c in range(8)]
    text = ""
    for line in lines:
        left = [cell.ljust(width) for cell, width in zip(line[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(line[3:], widths[3:], strict=True)]
        text += "  ".join(left + right).strip() + "\n"
    return text


def predict(model: Any, x: Any, **options: Any) -> Any:
    """Compute the outputs of a network.

    Parameters
    ----------
    model : dict
        A network.
    x : array
        Features F x N (a column is an observation), images H x W x C x N, or sequences
        F x N x T; any numeric class, taken as it is.
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    array, or list of arrays where the network has several outputs
        In the same layout, single (double where the weights are).

    Raises
    ------
    OctcompressError
        ``octcompress:nn_predict:notModel``, ``badInput``, ``badSize``, ``notFinite``.
    """
    options = parse_options("nn_predict", {"batch_size": 256}, options)
    y = [plain(each) for each in graph.predict("nn_predict", model, x, options["batch_size"])]
    return y[0] if len(y) == 1 else y


def evaluate(model: Any, x: Any, y: Any, **options: Any) -> Info:
    """Count how many observations a network classifies rightly.

    Parameters
    ----------
    model : dict
        A network with K outputs.
    x : array
        Inputs, as `predict` takes them, N observations.
    y : array
        N class numbers 1 to K, or one-hot, K x N.
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    dict
        accuracy (0 to 1), error, correct, count; loss, the mean cross-entropy: of the
        probabilities where the network ends in softmax, else of the softmax of its outputs;
        predicted, 1 x N class numbers, the first of equal outputs.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_evaluate:badLabels``, ``notModel``, ``badInput``, ``badSize``,
        ``notFinite``.
    """
    caller = "nn_evaluate"
    options = parse_options(caller, {"batch_size": 256}, options)
    model = graph.tidy(caller, model)
    outputs = graph.predict(caller, model, x, options["batch_size"])
    scores: Array = outputs[0]
    if len(outputs) != 1 or len(size(scores)) > 2:
        fail(
            caller,
            "notModel",
            "MODEL must have one output of K x N to be evaluated as a classifier, but gives "
            f"{describe(scores if len(outputs) == 1 else outputs)}",
        )
    scores = scores.reshape(size(scores)).astype(np.float64)
    classes, count = scores.shape
    labels = graph.labels(caller, y, classes)
    if labels.size != count:
        fail(
            caller,
            "badLabels",
            f"Y must label each of the {count} observations of X, but labels {labels.size}",
        )
    predicted = scores.argmax(axis=0)[np.newaxis] + 1.0
    correct = float(np.count_nonzero(predicted == labels))
    chosen = scores[labels.astype(int) - 1, np.arange(count)]
    if model["layers"][-1]["type"] == "softmax":
        log_p = np.log(np.maximum(chosen, np.finfo(np.float64).tiny))
    else:
        top = scores.max(axis=0, keepdims=True)
        log_p = chosen - top - np.log(np.exp(scores - top).sum(axis=0))
    return {
        "accuracy": share(correct, count),
        "error": 1 - share(correct, count),
        "correct": correct,
        "count": float(count),
        "loss": share(-sequential_sum(log_p), count),
        "predicted": plain(predicted),
    }


def train(
    model: Any, x: Any, y: Any, progress: Progress | None = None, **options: Any
) -> tuple[graph.Model, Info]:
    """Train a network, or train it on, and keep what compression has promised.

    Parameters
    ----------
    model : dict
        A network with one output. Weights whose ``layer['pruning']`` is there and that are zero
        stay zero; weights whose ``layer['quantization']`` is there stay on their grid to the bit.
    x : array
        Inputs, as `predict` takes them, N observations.
    y : array
        For the loss ``crossentropy`` N class numbers 1 to K, or one-hot K x N; for all others
        targets of the output's size.
    progress : callable, optional
        Called after each epoch with a task, how much is done, how much there is, and text.
    **options
        Those of ``nn_train``, with the same defaults; `callback` takes a dict.

    Returns
    -------
    model : dict
        The trained network; with validation that of the best epoch.
    info : dict
        options, history, epochs, steps, best_epoch, stopped, layers.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_train:diverged``, ``badInput``, ``notFinite``, ``badLabels``,
        ``badTarget``, ``badOutput``, ``empty``, ``nothingToTrain``, ``severalOutputs``,
        ``resumeMismatch``, ``notModel``, ``badSize``, ``badValue``, ``unknownOption``.
    """
    caller = "nn_train"
    own = {
        "loss": "crossentropy",
        "label_smoothing": 0.0,
        "class_weights": None,
        "huber_delta": 1.0,
    }
    options = training_options(caller, own, options)
    losses = ["crossentropy", "binary_crossentropy", "mse", "mae", "huber"]
    check(caller, "loss", options["loss"], "choice", losses)
    check(caller, "label_smoothing", options["label_smoothing"], "number", (0, 1))
    check(caller, "huber_delta", options["huber_delta"], "number", (1e-12, 1e12))
    model = graph.tidy(caller, model)
    dropped: dict[str, tuple[str, ...]] = {
        "crossentropy": ("softmax", "logsoftmax"),
        "binary_crossentropy": ("sigmoid",),
    }
    plan = cut(caller, model, dropped.get(options["loss"], ()))
    if is_empty(y):
        fail(caller, "empty", "Y must not be empty; nn_distill needs no labels")
    check_class_weights(caller, options["class_weights"], math.prod(plan.sizes[plan.outputs[0]]))
    source = data_source(caller, model, plan, x, y, options, ("X", "Y"))
    validation = validation_source(caller, model, plan, options)
    if options["monitor"] == "accuracy" and source.labels is None:
        fail(
            caller,
            "badValue",
            "MONITOR can be 'accuracy' with the loss 'crossentropy' only, but the loss is "
            f"'{options['loss']}'",
        )
    return loop(caller, model, plan, source, validation, options, progress)


def validation_source(
    caller: str, model: graph.Model, plan: graph.Plan, options: Mapping[str, Any]
) -> Source | None:
    """Check the option validation_data; None where it was not given."""
    given = options["validation_data"]
    if is_empty(given):
        return None
    if len(given) < 2 or is_empty(given[1]):
        fail(caller, "badValue", "VALIDATION_DATA must be a cell {X, Y}")
    names = ("the X of VALIDATION_DATA", "the Y of VALIDATION_DATA")
    return data_source(caller, model, plan, given[0], given[1], dict(options), names)


def check_class_weights(caller: str, weights: Any, classes: int) -> None:
    """Refuse weights that are not one number above 0 for each class."""
    if is_empty(weights):
        return
    fine = class_name(weights) not in ("char", "cell", "struct", "logical")
    if fine:
        numbers = value_array(weights)
        fine = numbers.size == classes and not np.iscomplexobj(numbers)
        fine = fine and bool((np.isfinite(numbers) & (numbers > 0)).all())
    if not fine:
        fail(
            caller,
            "badValue",
            f"CLASS_WEIGHTS must be {classes} numbers above 0, one for each class, but is "
            f"{describe(weights)}",
        )
