"""Rounding of a layer's matrix with calibration data: the reference of ``+octcompress/+quant``.

GPTQ, OBQ, AdaRound, codebooks by k-means, scales by output error, refitting and bias correction.
Matrices are out x in; `gram` is in x in, the sum of u u' over the layer's inputs.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .gram import Stats
from .internal import Array, check, parse_options, plain, round_half_away, scalar, value_array
from .quant import (
    FLOAT_FORMATS,
    Grid,
    along_axis,
    choose_grid,
    code_range,
    decode_float,
    decode_grid,
    encode_float,
    encode_grid,
    is_sign_grid,
    nearest_entry,
    snap_to_grid,
)


@dataclass
class Rounded:
    """Codes (out x in, double), the weights they stand for, and the loss of each row."""

    codes: Array
    q: Array
    loss: Array
    damping: float = 0.0


def gram_factor(gram: Array, damping: float) -> tuple[Array, float]:
    """Factor a damped Gram matrix: gram + d I = v v', v upper triangular.

    The damping, in shares of the mean diagonal, grows tenfold until the factor exists.
    """
    mean = float(np.mean(np.diag(gram))) if gram.size else 0.0
    mean = mean if mean > 0 else 1.0
    damping = max(damping, float(np.finfo(gram.dtype).eps))
    while True:
        damped = gram[::-1, ::-1].copy()
        damped[np.diag_indices_from(damped)] += damping * mean
        try:
            return np.linalg.cholesky(damped)[::-1, ::-1], damping
        except np.linalg.LinAlgError:
            damping *= 10


def input_order(gram: Array) -> Array:
    """Order inputs by falling gram(i, i), to a 2^-30th of the greatest: rounding decides none."""
    energy = np.diag(gram)
    greatest = max(energy.max(initial=0.0), np.finfo(float).tiny)
    return np.argsort(-np.floor(energy / greatest * 2**30 + 0.5), kind="stable")


def round_column(t: Array, grid: Grid, j: int, zero: Array) -> tuple[Array, Array]:
    """Find the nearest codes of column `j` (from 0) of a matrix, and their values."""
    t = t.reshape(-1, 1)
    if "codebook" in grid:
        book = value_array(grid["codebook"]).ravel()
        codes = nearest_entry(t, book)
        codes[zero] = nearest_entry(np.zeros((1, 1)), book)[0, 0]
        q = book[codes].astype(t.dtype)
        q[zero] = 0
        return codes[:, 0].astype(np.float64), q[:, 0]
    scale = value_array(grid["scale"]).astype(np.float64)
    zero_point = value_array(grid["zero_point"]).astype(np.float64)
    if "group" in grid:
        rows = t.size if grid["axis"] == 1 else 1
        pick = j // int(scalar(grid["group"])) + np.arange(rows) * (scale.size // rows)
        scale, zero_point = scale[pick], zero_point[pick]
    if grid["scheme"] in FLOAT_FORMATS:
        codes = encode_float(t / scale, grid["scheme"]).astype(np.float64)
        codes[zero] = 0
        q = decode_float(codes, grid["scheme"]) * scale
    else:
        first, last = code_range(grid)
        if is_sign_grid(grid):
            codes = np.sign(t.astype(np.float64))
        else:
            codes = round_half_away(t.astype(np.float64) / scale) + zero_point
            codes = np.clip(codes, first, last)
        codes[zero] = np.broadcast_to(zero_point, codes.shape)[zero]
        q = (codes - zero_point) * scale
    return codes[:, 0], q[:, 0].astype(t.dtype)


def gptq(w: Any, gram: Any, grid: Grid, **options: Any) -> Rounded:
    """Round a layer's weights one input after the other, each making good for those before.

    Parameters
    ----------
    order : str
        ``activation`` (default): inputs in order of falling gram(i,i); ``natural``.
    block : int
        Inputs at a time (128); the result does not depend on it.
    damping : float
        Added to the diagonal of gram, in shares of its mean (0.01); grows by itself.
    zeros : array, optional
        Logical, out x in: weights that stay zero.
    sparsity : float
        Prune this share of each block's weights in the same pass (0): those that cost least [2]_.

    References
    ----------
    .. [1] Frantar et al., GPTQ, ICLR 2023, arXiv:2210.17323; in the form without an inverse,
       Chee et al., QuIP, NeurIPS 2023, arXiv:2307.13304.
    .. [2] Frantar and Alistarh, SparseGPT, ICML 2023, arXiv:2301.00774.
    """
    defaults = {
        "order": "activation",
        "block": 128,
        "damping": 0.01,
        "zeros": None,
        "sparsity": 0,
    }
    options = parse_options("gptq", defaults, options)
    check("gptq", "order", options["order"], "choice", ["activation", "natural"])
    check("gptq", "block", options["block"], "integer", (1, np.inf))
    check("gptq", "damping", options["damping"], "number", (0, np.inf))
    check("gptq", "sparsity", options["sparsity"], "number", (0, 1))
    w, gram = value_array(w), value_array(gram)
    out, inputs = w.shape
    order = np.arange(inputs)
    if options["order"] == "activation":
        order = input_order(gram)
    v, damping = gram_factor(gram[np.ix_(order, order)], scalar(options["damping"]))
    spread = np.diag(v).copy()
    v = (v / spread).astype(w.dtype)
    w = w[:, order]
    zero = np.zeros(w.shape, bool)
    if options["zeros"] is not None:
        zero = np.array(options["zeros"], bool)[:, order]

    codes, e, loss = np.zeros(w.shape), np.zeros_like(w), np.zeros((out, 1))
    block, sparsity = int(scalar(options["block"])), scalar(options["sparsity"])
    for first in range(0, inputs, block):
        last = min(first + block, inputs)
        target = w[:, first:last] + e[:, :first] @ v[:first, first:last]
        if sparsity > 0:
            cost = (target.astype(np.float64) * spread[first:last]) ** 2
            cost[zero[:, first:last]] = -1
            count = int(sparsity * cost.size)
            cheapest = np.argsort(cost.ravel(order="F"), kind="stable")[:count]
            flat = zero[:, first:last].ravel(order="F")
            flat[cheapest] = True
            zero[:, first:last] = flat.reshape(cost.shape, order="F")
        for j in range(first, last):
            t = target[:, j - first] + e[:, first:j] @ v[first:j, j]
            code, q = round_column(t, grid, int(order[j]), zero[:, j])
            codes[:, order[j]] = code
            e[:, j] = w[:, j] - q
            loss[:, 0] += (spread[j] * (t - q)).astype(np.float64) ** 2
    result = np.empty_like(w)
    result[:, order] = w - e
    return Rounded(codes, result, loss, damping)


def obq(w: Any, gram: Any, grid: Grid, **options: Any) -> Rounded:
    """Round a layer's weights in the order of least harm, each row in its own.

    Parameters
    ----------
    damping : float
        As in `gptq` (0.01).
    sparsity : float
        Share of each row that is pruned first (0).
    zeros : array, optional
        Logical, out x in: weights that stay zero.

    References
    ----------
    .. [1] Frantar and Alistarh, Optimal brain compression, NeurIPS 2022, arXiv:2208.11580.
    """
    options = parse_options("obq", {"damping": 0.01, "sparsity": 0, "zeros": None}, options)
    check("obq", "damping", options["damping"], "number", (0, np.inf))
    check("obq", "sparsity", options["sparsity"], "number", (0, 1))
    w, gram = value_array(w).astype(np.float64), value_array(gram)
    out, inputs = w.shape
    v, damping = gram_factor(gram, scalar(options["damping"]))
    root = np.linalg.inv(v)
    inverse = root.T @ root
    zero = np.zeros(w.shape, bool)
    if options["zeros"] is not None:
        zero = np.array(options["zeros"], bool)
    half_step = np.full(w.shape, np.inf)
    if "codebook" not in grid:
        scale, zero_point = along_axis(grid, np.float64, w.shape)
        half_step = np.broadcast_to(scale / 2, w.shape)
        zero_point = np.broadcast_to(zero_point, w.shape)
    codes, result = np.zeros(w.shape), np.zeros(w.shape)
    for r in range(out):
        row_grid = grid
        if "codebook" not in grid:
            row_grid = {
                "bits": grid["bits"],
                "scheme": grid["scheme"],
                "scale": 2 * half_step[r][:, np.newaxis],
                "zero_point": zero_point[r][:, np.newaxis],
                "axis": 1.0,
            }
        pruned = max(int(scalar(options["sparsity"]) * inputs), int(zero[r].sum()))
        row, h, left = w[r].copy(), inverse.copy(), np.ones(inputs, bool)
        for step in range(1, inputs + 1):
            code, q = round_column(row, row_grid, 0, np.full(inputs, step <= pruned))
            cost = (row - q) ** 2 / np.diag(h)
            if step <= pruned:
                cost[zero[r]] = -1
            else:
                far = left & (np.abs(row - q) > half_step[r])
                if far.any():
                    cost[~far] = np.inf
            cost[~left] = np.inf
            p = int(np.argmin(cost))
            codes[r, p], result[r, p] = code[p], q[p]
            left[p] = False
            row[left] -= (row[p] - q[p]) / h[p, p] * h[left, p]
            h[np.ix_(left, left)] -= np.outer(h[left, p], h[p, left] / h[p, p])
    loss = (((w - result) @ v) ** 2).sum(axis=1, keepdims=True)
    return Rounded(codes, result, loss, damping)


def adaround(w: Any, gram: Any, grid: Grid, **options: Any) -> Rounded:
    """Learn for each weight whether to round it down or up.

    Parameters
    ----------
    steps, rate : int, float
        Of Adam: 1000 and 0.01.
    lambda : float
        Weight of the term that drives h to 0 or 1, in shares of the mean squared output (0.01).
    zeros : array, optional
        Logical, out x in: weights that stay zero.

    References
    ----------
    .. [1] Nagel et al., Up or down? Adaptive rounding for post-training quantization, ICML 2020,
       arXiv:2004.10568.
    """
    defaults = {"steps": 1000, "rate": 0.01, "lambda": 0.01, "zeros": None}
    options = parse_options("adaround", defaults, options)
    check("adaround", "steps", options["steps"], "integer", (1, np.inf))
    check("adaround", "rate", options["rate"], "number", (0, np.inf))
    check("adaround", "lambda", options["lambda"], "number", (0, np.inf))
    w, gram = value_array(w).astype(np.float64), value_array(gram)
    first, last = code_range(grid)
    scale, zero_point = along_axis(grid, np.float64, w.shape)
    exact = w / scale + zero_point
    below = np.floor(exact)
    share = np.clip(exact - below, 0.01, 0.99)
    a = -np.log(1.2 / (share + 0.1) - 1)
    unit = float(((w @ gram) * w).sum() / w.size)
    pull = scalar(options["lambda"]) * (unit if unit > 0 else 1.0)
    momentum, power = np.zeros_like(w), np.zeros_like(w)
    steps, rate = int(scalar(options["steps"])), scalar(options["rate"])
    warm = steps // 5
    for step in range(1, steps + 1):
        s = 1 / (1 + np.exp(-a))
        h = 1.2 * s - 0.1
        slope = np.where((h < 0) | (h > 1), 0, 1.2 * s * (1 - s))
        h = np.clip(h, 0, 1)
        code = np.clip(below + h, first, last)
        g = 2 * (((code - zero_point) * scale - w) @ gram) * scale
        g[(below + h < first) | (below + h > last)] = 0
        if step > warm:
            beta = 20 - 18 * (step - warm) / (steps - warm)
            side = 2 * h - 1
            g = g - pull * 2 * beta * np.sign(side) * np.abs(side) ** (beta - 1)
        g = g * slope
        momentum = 0.9 * momentum + 0.1 * g
        power = 0.999 * power + 0.001 * g**2
        root = np.sqrt(power / (1 - 0.999**step))
        a = a - rate * (momentum / (1 - 0.9**step)) / (root + 1e-12)
    codes = np.clip(below + (a >= 0), first, last)
    if options["zeros"] is not None:
        held = np.array(options["zeros"], bool)
        codes[held] = np.broadcast_to(zero_point, codes.shape)[held]
    q = (codes - zero_point) * scale
    e = w - q
    return Rounded(codes, q, ((e @ gram) * e).sum(axis=1, keepdims=True))


def hessian_scales(w: Array, gram: Array, grid: Grid, **options: Any) -> Grid:
    """Choose the scales that leave the least output error after `gptq`.

    Parameters
    ----------
    shares : array
        Factors to try: 0.15, 0.175, ..., 1; those of 1 bit are half as large again.
    damping, zeros
        As in `gptq`.
    """
    defaults = {"shares": octave_range(0.15, 0.025, 35), "damping": 0.01, "zeros": None}
    options = parse_options("hessian_scales", defaults, options)
    shares = np.ravel(options["shares"]) * (1.5 if grid["bits"] == 1 else 1.0)
    out, inputs = w.shape
    scale = np.ravel(value_array(grid["scale"]))
    zero_point = np.ravel(value_array(grid["zero_point"]))
    loss = np.zeros((out, shares.size))
    small = 2 * shares.size * out * inputs**2 <= 3e11
    if grid["axis"] == 0:
        rows_scale, rows_zero = np.repeat(scale, out), np.repeat(zero_point, out)
    else:
        rows_scale, rows_zero = scale, zero_point
    for k, share in enumerate(shares):
        if small:
            trial = {
                **grid,
                "axis": 1.0,
                "scale": (rows_scale * share).astype(scale.dtype)[:, np.newaxis],
                "zero_point": rows_zero[:, np.newaxis],
            }
            more = {"damping": options["damping"], "zeros": options["zeros"]}
            loss[:, k] = gptq(w, gram, trial, **more).loss[:, 0]
        else:
            trial = {**grid, "scale": plain((scale * share).astype(scale.dtype)[:, np.newaxis])}
            square = (snap_to_grid(w, trial)[0] - w) ** 2
            loss[:, k] = (square * np.diag(gram).astype(w.dtype)).sum(axis=1)
    if grid["axis"] == 0:
        loss = np.cumsum(loss, axis=0)[-1:]
    best = shares[np.argmin(loss, axis=1)]
    best = np.repeat(best, scale.size // best.size)
    result = (scale.astype(np.float64) * best).astype(scale.dtype)
    return {**grid, "scale": plain(result[:, np.newaxis])}


def octave_range(base: float, step: float, count: int) -> Array:
    """Make the numbers of Octave's range base:step:limit."""
    return base + np.arange(count) * step


def centre(stats: Stats, about_mean: bool) -> tuple[Array, Array]:
    """Give a layer's gram and cross, about its inputs' mean where a bias takes care of that."""
    gram = stats.gram
    cross = gram if stats.cross is None else stats.cross
    if about_mean:
        gram = gram - stats.total @ stats.total.T / stats.count
        gram = (gram + gram.T) / 2
        if stats.cross is None or stats.total_reference is None:
            cross = gram
        else:
            cross = cross - stats.total_reference @ stats.total.T / stats.count
    return gram, cross


def corrected_bias(stats: Stats, w: Array, bias: Array, q: Array) -> Array:
    """Move a bias so that the layer's mean output stays when its weights change.

    References
    ----------
    .. [1] Nagel et al., Data-free quantization through weight equalization and bias correction,
       ICCV 2019, arXiv:1906.04721.
    """
    before = stats.total if stats.total_reference is None else stats.total_reference
    moved = w.astype(np.float64) @ before - q.astype(np.float64) @ stats.total
    return bias.astype(np.float64) + moved / stats.count


def refit(stats: Stats, w: Array, has_bias: bool, damping: float) -> Array:
    """Find the weights that give a layer's old outputs from its new inputs, by least squares."""
    w = w.astype(np.float64)
    gram, cross = centre(stats, has_bias)
    hold = damping * float(np.mean(np.diag(gram)))
    if hold == 0:
        return w
    right = w @ cross + hold * w
    return np.linalg.solve(gram + hold * np.eye(len(gram)), right.T).T


def kmeans(w: Any, count: Any, **options: Any) -> tuple[Array, dict[str, float]]:
    """Make a codebook for an array: Lloyd's algorithm on its values.

    Parameters
    ----------
    start : str
        ``linear`` (default), ``density`` or ``random`` centres to begin with [1]_.
    weights : array, optional
        Of the squares, of the shape of `w` [2]_.
    iterations : int
        At most (100).
    zero : bool
        Zeros are left out, and 0 is an entry of its own (False).
    seed : int
        Of ``random`` (0).

    Returns
    -------
    codebook : array
        Rising, K x 1 in the class of `w`, K up to `count`.
    info : dict
        iterations, error.

    References
    ----------
    .. [1] Han et al., Deep compression, ICLR 2016, arXiv:1510.00149.
    .. [2] Choi et al., Towards the limit of network quantization, ICLR 2017, arXiv:1612.01543.
    """
    defaults = {"start": "linear", "weights": None, "iterations": 100, "zero": False, "seed": 0}
    options = parse_options("kmeans", defaults, options)
    check("kmeans", "w", w, "finite")
    check("kmeans", "count", count, "integer", (1, 65536))
    check("kmeans", "start", options["start"], "choice", ["linear", "density", "random"])
    check("kmeans", "iterations", options["iterations"], "integer", (0, np.inf))
    check("kmeans", "zero", options["zero"], "flag")
    w, count = value_array(w), int(scalar(count))
    values = w.ravel(order="F").astype(np.float64)
    weights = np.ones(values.shape)
    if options["weights"] is not None:
        weights = value_array(options["weights"]).ravel(order="F").astype(np.float64)
    keep_zero = bool(scalar(options["zero"]))
    if keep_zero:
        values, weights = values[values != 0], weights[values != 0]
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    if weights.size and np.cumsum(weights)[-1] == 0:
        weights = np.ones(values.shape)

    centres = np.unique(first_centres(values, count, options["start"], options["seed"]))
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    moment = np.concatenate([[0.0], np.cumsum(weights * values)])
    done = 0
    while done < scalar(options["iterations"]) and centres.size:
        done += 1
        place = nearest_entry(values, centres)
        ends = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=centres.size))])
        m, s = np.diff(mass[ends]), np.diff(moment[ends])
        moved = np.where(m > 0, s / np.where(m > 0, m, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = np.sort(moved)
    codebook = np.unique(centres.astype(w.dtype))
    if codebook.size:
        codebook = codebook[np.unique(nearest_entry(values, codebook))]
    error = 0.0
    if values.size:
        nearest = codebook[nearest_entry(values, codebook)].astype(np.float64)
        error = float(np.cumsum(weights * (values - nearest) ** 2)[-1])
    if keep_zero and np.any(w == 0):
        codebook = np.unique(np.append(codebook, np.zeros(1, w.dtype)))
    return codebook[:, np.newaxis], {"iterations": float(done), "error": error}


def first_centres(values: Array, count: int, start: str, seed: Any) -> Array:
    """Choose the centres that k-means begins with, from sorted values."""
    n = values.size
    if n == 0:
        return np.zeros(0)
    steps = np.arange(count, dtype=np.float64)
    if start == "linear":
        if count == 1:
            return np.array([np.cumsum(values)[-1] / n])
        return values[0] + (values[-1] - values[0]) * steps / (count - 1)
    if start == "density":
        places = np.ceil((steps + 0.5) / count * n)
    else:
        places = np.ceil(np.random.RandomState([int(scalar(seed))]).random_sample(count) * n)
    return values[np.maximum(places, 1).astype(np.intp) - 1]


def encode_stochastic(w: Any, grid: Grid, seed: Any = 0) -> Array:
    """Round down or up at random, right on average: int32 codes.

    References
    ----------
    .. [1] Gupta et al., Deep learning with limited numerical precision, ICML 2015,
       arXiv:1502.02551.
    """
    check("encode_stochastic", "w", w, "finite")
    w = value_array(w)
    first, last = code_range(grid)
    scale, zero_point = along_axis(grid, w.dtype, w.shape)
    u = np.random.RandomState([int(scalar(seed))]).random_sample(w.size)
    exact = (w / scale).astype(np.float64) + u.reshape(w.shape, order="F")
    codes = np.floor(exact) + zero_point.astype(np.float64)
    return np.clip(codes, first, last).astype(np.int32)


def quantize_matrix(
    w: Array, bias: Array | None, stats: Stats, bits: int, options: dict[str, Any]
) -> tuple[Array, Array | None, Grid, Array, float]:
    """Put a layer's weights on a grid, with calibration data: grid, rounding and bias.

    Returns
    -------
    q, bias, grid, codes
        `q` out x in on the grid; `bias` moved where ``options['bias_correction']``.
    output_sqnr : float
        In dB: the layer's output over what rounding did to it, on the data.
    """
    groups = stats.gram.shape[2]
    rows = np.arange(len(w)).reshape(groups, -1)
    parts = [stats.group(g) for g in range(groups)]
    damping = scalar(options["damping"])
    zeros = options["zeros"]
    target, importance = w.astype(np.float64), np.zeros(w.shape)
    grams = [centre(part, bias is not None)[0] for part in parts]
    for r, part, gram in zip(rows, parts, grams, strict=True):
        if options["rounding"] in ("gptq", "obq", "adaround"):
            target[r] = refit(part, w[r], bias is not None, damping)
        importance[r] = np.diag(gram)
    if zeros is not None:
        target[zeros] = 0

    grid = matrix_grid(target.astype(w.dtype), importance, bits, options)
    searched = "codebook" not in grid and grid["scheme"] not in FLOAT_FORMATS
    if options["fit"] == "hessian" and searched:
        more: dict[str, Any] = {"damping": damping}
        if options["power2"]:
            more["shares"] = np.array([1, 0.5, 0.25, 0.125])
        if grid["axis"] == 1:
            scale = value_array(grid["scale"]).copy()
            for r, gram in zip(rows, grams, strict=True):
                part_grid, place = rows_of_grid(grid, r, len(w))
                held = None if zeros is None else zeros[r]
                found = hessian_scales(target[r], gram, part_grid, zeros=held, **more)
                scale[place] = value_array(found["scale"])
            grid["scale"] = plain(scale)
        elif groups == 1 and "group" not in grid:
            grid = hessian_scales(target, grams[0], grid, zeros=zeros, **more)

    if target.size > 4e6:
        target = target.astype(w.dtype)
    codes = np.zeros(w.shape)
    for r, gram in zip(rows, grams, strict=True):
        held = None if zeros is None else zeros[r]
        codes[r] = rounded(target[r], gram, rows_of_grid(grid, r, len(w))[0], held, options)
    q = decode_grid(codes, grid, w.dtype)
    signal = noise = 0.0
    for r, part, gram in zip(rows, parts, grams, strict=True):
        if bias is not None and options["bias_correction"]:
            bias = bias.copy()
            bias[r] = corrected_bias(part, w[r], bias[r], q[r])
        t = target[r].astype(np.float64)
        e = t - q[r].astype(np.float64)
        signal += float(((t @ gram) * t).sum())
        noise += float(((e @ gram) * e).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        output_sqnr = float(10 * np.log10(np.divide(signal, noise)))
    return q, bias, grid, codes, output_sqnr


def matrix_grid(w: Array, importance: Array, bits: int, options: dict[str, Any]) -> Grid:
    """Choose the grid of a layer's matrix, before its scales are searched."""
    if options["scheme"] == "codebook":
        weights = importance + 1e-9 * importance.max()
        codebook, _ = kmeans(
            w,
            2**bits,
            start=options["codebook_start"],
            seed=options["seed"],
            weights=weights,
            zero=options["zeros"] is not None,
        )
        return codebook_grid(bits, codebook)
    fit = "range" if options["fit"] == "hessian" else options["fit"]
    return choose_grid(
        w,
        bits,
        options["scheme"],
        options["axis"],
        group=options["group"],
        power2=options["power2"],
        fit=fit,
        importance=importance if fit == "mse" else None,
    )


def codebook_grid(bits: int, codebook: Array) -> Grid:
    """Make a grid of a codebook."""
    return {
        "bits": float(bits),
        "scheme": "codebook",
        "codebook": plain(codebook),
        "axis": 0.0,
    }


def rounded(w: Array, gram: Array, grid: Grid, zeros: Any, options: dict[str, Any]) -> Array:
    """Round a matrix by the method that the options name; codes in double."""
    method = options["rounding"]
    if method == "adaround":
        return adaround(w, gram, grid, steps=options["steps"], zeros=zeros).codes
    if method in ("gptq", "obq"):
        solver = gptq if method == "gptq" else obq
        more = {"damping": options["damping"], "sparsity": options["sparsity"]}
        return solver(w, gram, grid, zeros=zeros, **more).codes
    if method == "stochastic":
        return encode_stochastic(w, grid, options["seed"]).astype(np.float64)
    return encode_grid(w, grid).astype(np.float64)


def rows_of_grid(grid: Grid, rows: Array, out: int) -> tuple[Grid, Array]:
    """Take the part of a matrix's grid that some rows use, and where its scales stand."""
    if "codebook" in grid or grid["axis"] == 0:
        return grid, np.zeros(1, np.intp)
    scale, zero_point = value_array(grid["scale"]), value_array(grid["zero_point"])
    each = scale.size // out
    place = (rows[:, np.newaxis] * each + np.arange(each)).ravel()
    return {**grid, "scale": scale[place], "zero_point": zero_point[place]}, place
