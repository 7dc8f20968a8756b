"""The verb sensitivity: the reference of ``nn_sensitivity.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import model as graph
from .curves import Curve, layer_curves, table_of_curves
from .internal import Array, check, is_empty, number, parse_options, scalar, size, value_array
from .nn_evaluate import evaluate
from .nn_quantize import quantize
from .quant import channel_axis, range_of

CALLER = "nn_sensitivity"
LEAST = float(np.finfo(float).tiny)


def sensitivity(model: Any, x: Any, y: Any = None, **options: Any) -> dict[str, Any]:
    """Find which layers lose most when they are quantized, and why.

    Parameters
    ----------
    model : dict
        A network.
    x : array
        Inputs, as `predict` takes them.
    y : array, optional
        Labels; without them only the outputs are compared.
    bits : list of int
        Numbers of bits to try, one tensor at a time (2 to 8).
    quantize : dict, optional
        Further options of `quantize`.
    layers : list of str or int, optional
        The layers to try; all.
    sparsity, rank : list of float, optional
        Shares of zeros, and ranks in shares of the full one, to try with each of the bits.
    batch_size : int
        Observations at a time (256).

    Returns
    -------
    dict
        layers, the most sensitive first: tensor, layer, count, bits, output_error, agreement,
        sqnr, accuracy (with y), lo, hi, deviation, outliers, channel_spread, why; accuracy,
        options, text; with sparsity or rank curves, of `curves.layer_curves`.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_sensitivity:badValue``, ``unknownOption``, ``notModel``, and those of
        `quantize`.
    """
    defaults = {
        "bits": np.arange(2.0, 9.0)[np.newaxis],
        "quantize": None,
        "layers": None,
        "sparsity": None,
        "rank": None,
        "batch_size": 256,
    }
    options = parse_options(CALLER, defaults, options)
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    bits = np.sort(np.ravel(np.asarray(options["bits"], dtype=float)))
    for b in bits:
        check(CALLER, "bits", float(b), "integer", (1, 16))
    shares = {}
    for name in ("sparsity", "rank"):
        given = () if is_empty(options[name]) else np.ravel(np.asarray(options[name], dtype=float))
        for share in given:
            check(CALLER, name, float(share), "number", (0, 1))
        shares[name] = np.unique(given)
    settings = dict(options["quantize"]) if isinstance(options["quantize"], Mapping) else {}
    batch = options["batch_size"]
    model = graph.tidy(CALLER, model)
    tensors = graph.select_tensors(CALLER, model, options["layers"], False)
    before = flat(graph.predict(CALLER, model, x, batch))
    spread = np.mean((before - np.mean(before)) ** 2)
    report: dict[str, Any] = {"layers": [], "options": options}
    labelled = not is_empty(y)
    if labelled:
        report["accuracy"] = evaluate(model, x, y, batch_size=batch)["accuracy"]
    for tensor in tensors:
        row = weights_figures(model, tensor)
        row["bits"] = bits[np.newaxis]
        columns: dict[str, list[float]] = {"output_error": [], "agreement": [], "sqnr": []}
        if labelled:
            columns["accuracy"] = []
        for b in bits:
            own = {**settings, "layers": [tensor.layer], "bits": float(b), "activations": "none"}
            q, info = quantize(model, **own)
            rows = [r for r in info["layers"] if r["tensor"] == tensor.name]
            columns["sqnr"].append(rows[0]["sqnr"])
            after = flat(graph.predict(CALLER, q, x, batch))
            columns["output_error"].append(np.mean((after - before) ** 2) / max(spread, LEAST))
            same = before.argmax(axis=0) == after.argmax(axis=0)
            columns["agreement"].append(float(np.mean(same)))
            if labelled:
                columns["accuracy"].append(evaluate(q, x, y, batch_size=batch)["accuracy"])
        row.update({key: np.array(values)[np.newaxis] for key, values in columns.items()})
        row["why"] = reason(row)
        report["layers"].append({key: single(value) for key, value in row.items()})
    report["layers"].sort(key=lambda row: -np.ravel(row["output_error"])[0])
    report["text"] = table_of(report, bits)
    if any(given.size for given in shares.values()):
        curves = curves_of(model, x, bits, shares, options["layers"])
        report["curves"] = [{key: single(value) for key, value in row.items()} for row in curves]
        report["text"] += table_of_curves(curves)
    return report


def curves_of(
    model: graph.Model, x: Any, bits: Array, shares: Mapping[str, Array], layers: Any
) -> list[Curve]:
    """Measure the curves: the first two thirds of the inputs are fitted on, the rest judges."""
    grid = {
        "sparsity": np.unique([0.0, *shares["sparsity"]]),
        "bits": bits,
        "rank": shares["rank"],
        "layers": layers,
    }
    x, ranges = graph.batches(CALLER, model, x, 1)
    fitted = math.ceil(2 / 3 * len(ranges))
    calibration, probe = np.split(x, [fitted], axis=graph.observation_axis(x))
    return layer_curves(CALLER, model, calibration, probe, grid)


def single(value: Any) -> Any:
    """Give a row of one number as a number."""
    return float(value[0, 0]) if isinstance(value, np.ndarray) and value.size == 1 else value


def flat(outputs: list[Array]) -> Array:
    """Put all outputs of an observation in a column, in the engine's order of numbers."""
    parts = []
    for y in outputs:
        y = y.astype(np.float64)
        if y.ndim == 4:
            y = y.reshape(-1, y.shape[3], order="F")
        elif y.ndim == 3:
            y = y.transpose(0, 2, 1).reshape(-1, y.shape[1], order="F")
        parts.append(y)
    return np.concatenate(parts, axis=0)


def weights_figures(model: graph.Model, tensor: graph.Tensor) -> dict[str, Any]:
    """Describe a tensor's weights: range, deviation, outliers, spread of the channels."""
    w = value_array(graph.get_tensor(model, tensor)).astype(np.float64)
    deviation = float(np.sqrt(np.mean((w - np.mean(w)) ** 2)))
    lo, hi = range_of(w, channel_axis(model["layers"][tensor.layer - 1], tensor.field))
    greatest = np.maximum(np.abs(lo), np.abs(hi))
    return {
        "tensor": tensor.name,
        "layer": tensor.owner,
        "count": float(w.size),
        "lo": float(w.min()),
        "hi": float(w.max()),
        "deviation": deviation,
        "outliers": float(np.abs(w).max() / max(deviation, LEAST)),
        "channel_spread": float(greatest.max() / max(float(np.median(greatest)), LEAST)),
    }


def reason(row: Mapping[str, Any]) -> str:
    """Say what makes a tensor hard to quantize, and what helps."""
    causes = []
    if row["channel_spread"] > 3:
        causes.append(
            f"channels of very different range ({row['channel_spread']:.1f} times the median): "
            "granularity 'channel' or nn_equalize"
        )
    if row["outliers"] > 8:
        causes.append(
            f"outliers ({row['outliers']:.0f} standard deviations): fit 'mse' or granularity "
            "'group'"
        )
    lo, hi = row["lo"], row["hi"]
    if hi * lo > 0 or max(hi, -lo) > 3 * min(hi, -lo):
        causes.append("a range far from symmetric: scheme 'affine'")
    if row["count"] < 1000:
        causes.append("few weights: more bits cost little here")
    if not causes:
        causes = ["no single cause: data-driven rounding ('gptq') or more bits"]
    return "; ".join(causes)


def table_of(report: Mapping[str, Any], bits: Array) -> str:
    """Print the report."""
    rows = report["layers"]
    width = max(5, *(len(row["tensor"]) for row in rows))
    lines = [f"{'tensor':<{width}} {'weights':>9} {'outliers':>9} {'channels':>9}"]
    measure = "accuracy" if "accuracy" in rows[0] else "output_error"
    form = "%8.4f" if measure == "accuracy" else "%8.1e"
    lines[0] += "".join(f" {f'{int(b)} bits':>8}" for b in bits)
    for row in rows:
        line = f"{row['tensor']:<{width}} {row['count']:>9.0f} {row['outliers']:>9.1f}"
        line += f" {row['channel_spread']:>9.1f}"
        values = np.ravel(row[measure])
        lines.append(line + "".join(" " + number(float(v), form) for v in values))
    lines.append(f"({measure.replace('_', ' ')} by bits of that tensor alone)")
    lines += [f"{row['tensor']}: {row['why']}" for row in rows]
    return "\n".join(lines) + "\n"


def scale_count(model: graph.Model, tensor: graph.Tensor, settings: Mapping[str, Any]) -> int:
    """Count the scales of a tensor's grid under some options of `quantize`."""
    kind = settings.get("granularity", "tensor")
    if kind == "tensor":
        return 1
    w = value_array(graph.get_tensor(model, tensor))
    axis = channel_axis(model["layers"][tensor.layer - 1], tensor.field)
    count = (*size(w), 1, 1)[axis - 1]
    if kind == "group":
        group = scalar(settings.get("group_size", 64))
        count *= math.ceil(w.size / count / group)
    return int(count)
