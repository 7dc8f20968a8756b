"""The verb rdoq: the reference of ``nn_rdoq.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import model as graph
from .gram import Stats, input_gram, matrix_weights, weights_matrix
from .internal import (
    Array,
    check,
    describe,
    fail,
    is_empty,
    number,
    parse_options,
    scalar,
    size,
    value_array,
)
from .nn_pack import pack
from .nn_predict import predict
from .quant import Grid, choose_grid, decode_grid, encode_grid
from .rate import output_sensitivity
from .rate import rdoq as round_layer
from .rounding import centre, corrected_bias, refit

Info = dict[str, Any]
CALLER = "nn_rdoq"


@dataclass
class Job:
    """What all runs share: the tensors, which have a Hessian, the data and what came of them."""

    options: dict[str, Any]
    tensors: list[graph.Tensor]
    fitted: list[bool]
    total: int
    x: Any = None
    held: Any = None
    expected: Array | None = None
    sensitivity: dict[int, Array] = field(default_factory=dict)
    power: float = 1.0
    places: list[float] = field(default_factory=list)


@dataclass
class Attempt:
    """The network at one tradeoff."""

    model: Any
    layers: list[Info]
    run: Info
    output_error: float


@dataclass
class Fit:
    """A layer's weights as they were, what they should be now, and its inputs' sums."""

    w: Array
    bias: Array | None
    target: Array
    gram: Array
    parts: list[Stats]
    rows: Array


def rdoq(model: Any, **options: Any) -> tuple[Any, Info]:
    """Put all weights on grids so that the coded bytes and the error are least together.

    Parameters
    ----------
    model : dict
        A network, or without data any dict of arrays.
    data : array, optional
        Inputs, as `predict` takes them, unlabelled.
    tradeoff : float
        How much of the outputs' power may become error to save one bit a weight (0.02).
    bytes : float, optional
        Target: at most so many bytes when packed.
    max_drop : float, optional
        Target: the share of the held-out observations that may get another class.
    runs : int
        Of the search for a target at most (10).
    held_out : float
        Share of the data left out of the fit (0.1).
    sensitivity : int
        Observations that the sensitivity of the outputs is taken from (1000).
    coarseness : float
        Of the grids, in shares of the steps that would be best at high rates (1.6).
    damping, layers, batch_size, seed
        0.01, all, 256, 0.

    Returns
    -------
    model : dict
        With the grids in ``layer['quantization']``.
    info : dict
        options, tradeoff, bytes, agreement, output_error, layers, runs.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_rdoq:badValue``, ``unknownOption``, ``notFinite``, ``unknownLayer``,
        ``noTensors``, ``notModel``, ``badInput``, ``budget``.
    """
    defaults = {
        "data": None,
        "tradeoff": 0.02,
        "bytes": None,
        "max_drop": None,
        "runs": 10,
        "held_out": 0.1,
        "sensitivity": 1000,
        "coarseness": 1.6,
        "damping": 0.01,
        "layers": None,
        "batch_size": 256,
        "seed": 0,
    }
    options = parse_options(CALLER, defaults, options)
    check_options(options)
    if not isinstance(model, Mapping):
        text = describe(model)
        fail(CALLER, "notModel", f"MODEL must be a network or a struct of arrays, but is {text}")
    if not graph.is_network(model) and has_data(options):
        fail(
            CALLER,
            "notModel",
            "DATA needs a network that can be computed, but MODEL is a struct of arrays; leave "
            "DATA out",
        )
    model, tensors, arrays = graph.chosen_tensors(CALLER, model, options["layers"], True)
    job = prepare(model, tensors, arrays, options)
    if is_empty(options["bytes"]) and is_empty(options["max_drop"]):
        best = attempt(model, job, scalar(options["tradeoff"]))
        runs = [best.run]
    else:
        best, runs = search(model, job, options)
    info = {
        "options": options,
        **best.run,
        "output_error": best.output_error,
        "layers": best.layers,
        "runs": runs,
    }
    return best.model, info


def has_data(options: Mapping[str, Any]) -> bool:
    """Whether the user gave data."""
    return size(options["data"]) != (0, 0)


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `rdoq` cannot use."""
    check(CALLER, "tradeoff", options["tradeoff"], "number", (np.finfo(float).tiny, math.inf))
    check(CALLER, "runs", options["runs"], "integer", (1, math.inf))
    check(CALLER, "held_out", options["held_out"], "number", (0, 0.9))
    check(CALLER, "sensitivity", options["sensitivity"], "integer", (1, math.inf))
    check(CALLER, "coarseness", options["coarseness"], "number", (0.01, 100))
    check(CALLER, "damping", options["damping"], "number", (0, math.inf))
    check(CALLER, "batch_size", options["batch_size"], "integer", (1, math.inf))
    check(CALLER, "seed", options["seed"], "integer", (0, 2**32 - 1))
    if not is_empty(options["bytes"]):
        check(CALLER, "bytes", options["bytes"], "number", (1, math.inf))
    if is_empty(options["max_drop"]):
        return
    check(CALLER, "max_drop", options["max_drop"], "number", (0, 1))
    if not is_empty(options["bytes"]):
        fail(CALLER, "badValue", "give one target: BYTES or MAX_DROP")
    if not has_data(options) or options["held_out"] == 0:
        fail(CALLER, "badValue", "MAX_DROP needs DATA, and a share of them HELD_OUT")


def prepare(
    model: Any, tensors: list[graph.Tensor], arrays: list[Array], options: dict[str, Any]
) -> Job:
    """Find what all runs share."""
    fitted = [
        has_data(options)
        and t.field in ("weights", "bias")
        and model["layers"][t.layer - 1]["type"] in ("dense", "conv2d")
        for t in tensors
    ]
    pairs = zip(tensors, arrays, strict=True)
    total = sum(w.size for t, w in pairs if not is_vector(w, t))
    job = Job(options, tensors, fitted, total)
    if not has_data(options):
        return job
    plan = graph.plan(CALLER, model)
    job.places = [math.prod(each[:-1]) for each in plan.sizes]
    x, _ = graph.batches(CALLER, model, options["data"], 1)
    count = x.shape[graph.observation_axis(x)]
    fit = count - int(scalar(options["held_out"]) * count)
    if fit == 0:
        fail(CALLER, "badInput", "DATA must hold at least one observation")
    job.x, job.held = part_of(x, slice(fit)), part_of(x, slice(fit, None))
    seen = part_of(x, slice(min(fit, int(scalar(options["sensitivity"])))))
    job.sensitivity, power = output_sensitivity(
        CALLER, model, seen, options["batch_size"], options["seed"]
    )
    job.power = power if power > 0 else 1.0
    if fit < count:
        job.expected = outputs(model, job)
    return job


def part_of(x: Array, which: slice) -> Array:
    """Take some observations, as `batches` gives them."""
    return x[:, :, :, which] if x.ndim == 4 else x[:, which]


def outputs(model: Any, job: Job) -> Array:
    """Compute a network on the held-out observations, all its outputs in columns."""
    y = predict(model, job.held, batch_size=job.options["batch_size"])
    if isinstance(y, list):
        count = job.held.shape[graph.observation_axis(job.held)]
        y = np.concatenate([value_array(v).reshape(-1, count, order="F") for v in y])
    return value_array(y).astype(np.float64)


def is_vector(w: Array, tensor: graph.Tensor) -> bool:
    """Whether an array is a bias or the like."""
    return sum(n > 1 for n in w.shape) < 2 and tensor.field != "weights"


def attempt(original: Any, job: Job, tradeoff: float) -> Attempt:
    """Compress the whole network at one tradeoff."""
    model = graph.copy_tree(original)
    bit = tradeoff / max(job.total, 1)
    coarse = {key: job.options[key] for key in ("coarseness", "damping")}
    rows = []
    price: Any
    for tensor, fitted in zip(job.tensors, job.fitted, strict=True):
        w = value_array(graph.get_tensor(model, tensor))
        held = w == 0 if graph.get_promise(model, tensor, "pruning") is not None else None
        fit = None
        if fitted:
            layer = model["layers"][tensor.layer - 1]
            price = bit * job.power / sensitivity_of(job, tensor.layer - 1)
        if fitted and tensor.field == "weights":
            fit = fit_to_inputs(model, original, job, tensor.layer - 1)
            zeros = None if held is None else weights_matrix(layer, held)
            found = round_layer(fit.target, fit.gram, price, zeros=zeros, **coarse)
            codes, step, bits = matrix_weights(found.codes, layer), found.step, found.bits
        elif fitted:
            column = w.reshape(-1, 1, order="F")
            found = round_layer(column, np.ones((1, 1)), price, context=False, **coarse)
            codes, step, bits = found.codes, found.step, found.bits
        elif is_vector(w, tensor):
            fine = choose_grid(w.astype(np.float64), 8)
            codes = encode_grid(w.astype(np.float64), fine).astype(np.float64)
            step, bits = scalar(fine["scale"]), 8.0 * w.size
        else:
            matrix = by_rows(w.astype(np.float64))
            inputs = matrix.shape[1]
            price = bit * max(float((matrix**2).sum()), np.finfo(float).tiny)
            zeros = None if held is None else by_rows(held)
            found = round_layer(matrix, np.eye(inputs), price, zeros=zeros, **coarse)
            codes, step, bits = found.codes, found.step, found.bits
            if w.ndim > 2:
                codes = codes.T
        codes = codes.reshape(w.shape, order="F")
        grid = grid_for(codes, step, w.dtype)
        q = decode_grid(codes, grid, w.dtype)
        graph.set_tensor(model, tensor, q)
        graph.set_promise(model, tensor, "quantization", grid)
        if fit is not None and fit.bias is not None:
            layer["bias"] = mean_bias(fit, layer)
        rows.append(
            {
                "tensor": tensor.name,
                "bits": grid["bits"],
                "step": float(scalar(grid["scale"])),
                "count": float(w.size),
                "nonzeros": float(np.count_nonzero(q)),
                "coded_bits": bits,
            }
        )
    run = {"tradeoff": tradeoff, "bytes": pack(model)[1]["bytes"], "agreement": math.nan}
    error = math.nan
    if job.expected is not None:
        y = outputs(model, job)
        run["agreement"] = float(np.mean(y.argmax(axis=0) == job.expected.argmax(axis=0)))
        error = float(((y - job.expected) ** 2).sum() / (job.expected**2).sum())
    return Attempt(model, rows, run, error)


def sensitivity_of(job: Job, k: int) -> Array:
    """Give a layer's sensitivity; units that seemed dead on the data may live on others."""
    s = job.sensitivity.get(k, np.zeros((1, 1)))
    s = np.maximum(s, 1e-3 * s.mean())
    return s if s.any() else np.ones_like(s)


def fit_to_inputs(model: Any, original: Any, job: Job, k: int) -> Fit:
    """Find what layer `k` should compute on the inputs that it now gets."""
    layer = original["layers"][k]
    x = job.x
    if layer["type"] == "conv2d":
        x = part_of(x, slice(max(2000, math.ceil(2e5 / job.places[k]))))
    stats = input_gram(CALLER, model, x, k, job.options["batch_size"], original)
    bias = None if is_empty(layer.get("bias")) else value_array(layer["bias"])
    w = weights_matrix(layer).astype(np.float64)
    groups = stats.gram.shape[2]
    rows = np.arange(len(w)).reshape(groups, -1)
    fit = Fit(w, bias, w.copy(), np.zeros_like(stats.gram), [], rows)
    for g, r in enumerate(rows):
        part = stats.group(g)
        fit.parts.append(part)
        fit.target[r] = refit(part, w[r], bias is not None, scalar(job.options["damping"]))
        fit.gram[:, :, g] = centre(part, bias is not None)[0] / stats.count
    return fit


def mean_bias(fit: Fit, layer: graph.Layer) -> Array:
    """Move a layer's bias so that its mean outputs stay."""
    assert fit.bias is not None
    bias, q = fit.bias.copy(), weights_matrix(layer)
    for part, r in zip(fit.parts, fit.rows, strict=True):
        bias[r] = corrected_bias(part, fit.w[r], fit.bias[r], q[r])
    return bias


def by_rows(values: Array) -> Array:
    """See the last dimension of an array of more than two as the rows, as coding does."""
    if values.ndim <= 2:
        return values
    return values.reshape(-1, values.shape[-1], order="F").T


def grid_for(codes: Array, step: float, dtype: Any) -> Grid:
    """Make the grid of codes about zero.

    Twelve bits of a step do, and the last ones of what comes from products hang on the BLAS.
    """
    fraction, exponent = math.frexp(step)
    step = math.ldexp(math.floor(fraction * 4096 + 0.5), exponent - 12)
    greatest = float(np.abs(codes).max(initial=0))
    bits = max(2.0, 1 + math.ceil(math.log2(greatest + 1)))
    scale = np.dtype(dtype).type(step)
    return {
        "bits": float(bits),
        "scheme": "symmetric",
        "scale": scale,
        "zero_point": np.dtype(dtype).type(0),
        "axis": 0.0,
    }


def search(model: Any, job: Job, options: Mapping[str, Any]) -> tuple[Attempt, list[Info]]:
    """Search the tradeoff of a target; see ``nn_rdoq.m``."""
    by_bytes = not is_empty(options["bytes"])
    best: Attempt | None = None
    runs: list[Info] = []
    inside = outside = None
    x = math.log(scalar(options["tradeoff"]))
    for turn in range(int(scalar(options["runs"]))):
        found = attempt(model, job, math.exp(x))
        runs.append(found.run)
        if by_bytes:
            reached = found.run["bytes"] <= scalar(options["bytes"])
            place = (x, math.log(found.run["bytes"] / scalar(options["bytes"])))
        else:
            reached = 1 - found.run["agreement"] <= scalar(options["max_drop"])
            place = (x, 0.0)
        if reached:
            best, inside = found, place
        else:
            outside = place
        if inside is None or outside is None:
            if by_bytes:
                x += min(max(2.5 * 2**turn * place[1], -3), 3) + 0.02
            else:
                x += math.log(4) * (1 if outside is None else -1)
        else:
            share = 0.5
            if by_bytes:
                share = min(max(inside[1] / (inside[1] - outside[1]), 0.1), 0.9)
            x = inside[0] + share * (outside[0] - inside[0])
            if abs(inside[0] - outside[0]) < 0.01:
                break
        if by_bytes and reached and place[1] > -0.015:
            break
    if best is None and by_bytes:
        fail(
            CALLER,
            "budget",
            f"BYTES is {number(scalar(options['bytes']))}, but at a tradeoff of "
            f"{number(runs[-1]['tradeoff'])} the network still takes {int(runs[-1]['bytes'])}; "
            "allow more RUNS",
        )
    if best is None:
        fail(
            CALLER,
            "budget",
            f"MAX_DROP is {number(scalar(options['max_drop']))}, but at a tradeoff of "
            f"{number(runs[-1]['tradeoff'])} still {number(1 - runs[-1]['agreement'])} of the "
            "observations changed their class; allow more RUNS",
        )
    return best, runs
