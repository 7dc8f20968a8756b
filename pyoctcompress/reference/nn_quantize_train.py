"""The verb quantize_train: the reference of ``nn_quantize_train.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, check, is_empty, plain, round_half_away, scalar, value_array
from .nn_fold import fold
from .nn_quantize import quantize
from .nn_train import validation_source
from .quant import (
    FLOAT_FORMATS,
    Grid,
    along_axis,
    code_range,
    decode_grid,
    encode_grid,
    is_sign_grid,
    nearest_entry,
    slices,
    snap_to_grid,
)
from .train_data import Place, cut, data_source, ends_of, training_options
from .train_loop import State, loop

CALLER = "nn_quantize_train"
Info = dict[str, Any]


def quantize_train(model: Any, x: Any, y: Any, **options: Any) -> tuple[graph.Model, Info]:
    """Train with weights on grids whose steps are learned too.

    Parameters
    ----------
    model : dict
        A network with one output; layers that are quantized already start from their grids.
    x, y : array
        As `train` takes them.
    quantize : dict, optional
        Options of `quantize` for the start; 4 bits, by channel, ``gptq`` on the first 1000
        observations.
    learn_scales : bool
        The scales of uniform grids and the entries of codebooks are trained (True) [1]_.
    scale_rule : str
        How they learn: by the ``step`` of the weights (default), or by the loss's own
        ``gradient`` as published: divided by sqrt (n * greatest code).
    learn_after : int
        Steps before that (1).
    fold : bool
        Batch normalisations are folded first, which freezes their statistics (True).
    freeze : bool
        Batch normalisations that are left compute with their running statistics, which do not
        change any more (False).
    **options
        Those of `train`, loss ``crossentropy`` or ``mse``.

    Returns
    -------
    model : dict
    info : dict
        That of `train`, and quantized: the info of `quantize` at the start.

    References
    ----------
    .. [1] Esser et al., Learned step size quantization, ICLR 2020, arXiv:1902.08153.
    """
    own = {
        "loss": "crossentropy",
        "label_smoothing": 0.0,
        "class_weights": None,
        "huber_delta": 1.0,
        "quantize": None,
        "learn_scales": True,
        "scale_rule": "step",
        "learn_after": 1.0,
        "fold": True,
        "freeze": False,
    }
    options = training_options(CALLER, own, options)
    check(CALLER, "loss", options["loss"], "choice", ["crossentropy", "mse"])
    check(CALLER, "learn_scales", options["learn_scales"], "flag")
    check(CALLER, "learn_after", options["learn_after"], "integer", (1, math.inf))
    check(CALLER, "scale_rule", options["scale_rule"], "choice", ["step", "gradient"])
    check(CALLER, "fold", options["fold"], "flag")
    check(CALLER, "freeze", options["freeze"], "flag")
    model = graph.tidy(CALLER, model)
    on_grids = any(map(is_quantized, model["layers"]))
    if options["fold"] and not on_grids:
        model, _ = fold(model)
    quantized: Info = {}
    if not (is_empty(options["quantize"]) and on_grids):
        model, quantized = quantize(model, **start_settings(model, x, options["quantize"]))
    frozen = []
    if options["freeze"]:
        layers = model["layers"]
        frozen = [k for k, layer in enumerate(layers) if is_thawed(layer)]
        model = {
            **model,
            "layers": [
                {**layer, "frozen": True} if k in frozen else layer
                for k, layer in enumerate(layers)
            ],
        }

    plan = cut(
        CALLER, model, ("softmax", "logsoftmax") if options["loss"] == "crossentropy" else ()
    )
    source = data_source(CALLER, model, plan, x, y, options, ("X", "Y"))
    validation = validation_source(CALLER, model, plan, options)
    if options["learn_scales"]:
        learner = Learner(scalar(options["learn_after"]), options["scale_rule"])
        source = replace(source, after_step=learner.after_step)
    trained, info = loop(CALLER, model, plan, source, validation, options)
    for k in frozen:
        layer = {**trained["layers"][k]}
        del layer["frozen"]
        trained["layers"][k] = layer
    return trained, {**info, "quantized": quantized}


def is_thawed(layer: graph.Layer) -> bool:
    """Whether a layer is a batch normalisation whose statistics move."""
    return layer["type"] == "batchnorm" and not bool(layer.get("frozen", False))


def is_quantized(layer: graph.Layer) -> bool:
    """Whether a layer's weights lie on a grid."""
    return "weights" in layer.get("quantization", {})


def start_settings(model: graph.Model, x: Any, given: Any) -> dict[str, Any]:
    """Find the options of `quantize` for the start, with calibration data where they need them."""
    settings = {"bits": 4.0, "granularity": "channel", "rounding": "gptq"}
    if isinstance(given, Mapping):
        settings = dict(given)
    needs = settings.get("rounding") in ("gptq", "adaround", "obq")
    needs = needs or settings.get("activations") == "static"
    if needs and "data" not in settings:
        x = value_array(x)
        images = np.size(model["input_size"]) == 3
        settings["data"] = x[..., :1000] if images else x[:, :1000]
    return settings


@dataclass
class Learner:
    """What `after_step` of the training loop does: grids follow their weights' steps.

    Full-precision weights may go to twice the grid's ends: held at the ends they could only pull a
    scale down.
    """

    learn_after: float
    rule: str = "step"
    before: dict[int, Array] = field(default_factory=dict)

    def after_step(self, state: State, places: list[Place]) -> None:
        """Move the grids, and put the weights on them."""
        for p, place in enumerate(places):
            if place.grid is None or place.field != "weights":
                continue
            layer = state["layers"][place.layer]
            grid = layer["quantization"]["weights"]
            latent = state["latent"][p]
            if p in self.before and state["step"] > self.learn_after:
                before = self.before[p]
                move = latent - before if self.rule == "step" else state["descent"][p]
                moved = step_of_grid(grid, before, move, layer["weights"], self.rule)
                if "codebook" in grid:
                    w = decode_grid(encode_grid(layer["weights"], grid), moved)
                    state["latent"][p] = w
                else:
                    w = snap_to_grid(latent, moved)[0]
                if place.keep is not None:
                    w = np.where(place.keep == 0, 0, w).astype(w.dtype)
                promises = {**layer["quantization"], "weights": moved}
                state["layers"][place.layer] = {**layer, "weights": w, "quantization": promises}
                place.grid = grid = moved
            low, high = ends_of(grid, latent)
            place.low, place.high = 2 * low, 2 * high
            self.before[p] = state["latent"][p]


def step_of_grid(grid: Grid, w: Array, move: Array, q: Array, rule: str = "step") -> Grid:
    """Move a grid's scales, or a codebook's entries, as its weights move.

    Uniform grids: scale + mean (move * dq/ds), dq/ds being code - w / s inside the grid and the
    code at its ends. Codebooks: each entry moves by the mean of its weights' moves; 0 stays.
    With the rule ``gradient`` the sum over n weights is divided by sqrt (n * greatest code) instead
    of n, and that of an entry not at all.
    """
    if "codebook" in grid:
        book = value_array(grid["codebook"]).reshape(-1, 1)
        place = nearest_entry(value_array(q), book).ravel(order="F")
        moves = value_array(move).ravel(order="F").astype(np.float64)
        total = np.bincount(place, moves, book.size)
        share: Array = total
        if rule == "step":
            share = total / np.maximum(np.bincount(place, minlength=book.size), 1)
        share[book[:, 0] == 0] = 0
        moved = (book.astype(np.float64) + share[:, np.newaxis]).astype(book.dtype)
        return {**grid, "codebook": plain(moved)}
    if grid["scheme"] in FLOAT_FORMATS:
        return grid
    first, last = code_range(grid)
    scale, zero_point = along_axis(grid, w.dtype, w.shape)
    v = w / scale
    if is_sign_grid(grid):
        slope = np.sign(w)
    else:
        codes = round_half_away(v) + zero_point
        inside = (codes >= first) & (codes <= last)
        slope = np.clip(codes, first, last) - zero_point
        slope = np.where(inside, slope - v, slope)
    group = int(scalar(grid["group"])) if "group" in grid else None
    product = move.astype(np.float64) * slope.astype(np.float64)
    parts = slices(product, int(grid["axis"]), group)
    n = len(parts) if rule == "step" else math.sqrt(len(parts) * last)
    change = np.cumsum(parts, axis=0)[-1:].T / max(n, 1)
    before = value_array(grid["scale"])
    exact = before.astype(np.float64).reshape(-1, 1)
    moved = np.maximum(exact + change, exact / 100).astype(before.dtype)
    return {**grid, "scale": plain(moved.reshape(before.shape))}
