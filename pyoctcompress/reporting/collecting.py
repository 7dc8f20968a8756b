"""What a report shows, as plain numbers: measured here, drawn elsewhere."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pyoctcompress.datafile import DataFile, data
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.quant import FLOAT_FORMATS, code_range

Facts = dict[str, Any]

# So many pictures of observations that changed class are shown.
PICTURES = 24


def collect(
    small: str | os.PathLike[str],
    against: str | os.PathLike[str] | None = None,
    judge: DataFile | None = None,
    *,
    sweep: str | os.PathLike[str] | None = None,
    sensitivity: int = 500,
    backend: Literal["octave", "numpy"] = "octave",
    timeout: float | None = None,
) -> Facts:
    """Measure a compressed model beside the one that it was made from.

    Parameters
    ----------
    small, against : path
        The compressed model and the original, which may be left out.
    judge : DataFile, optional
        Labelled data that the errors are counted on.
    sweep : path, optional
        The results of ``octcompress sweep``, for its front.
    sensitivity : int
        How many observations of `judge` measure how sensitive the original's layers are; 0: that
        part is left out.
    backend : {'octave', 'numpy'}
        Where it is computed.
    timeout : float, optional
        Seconds for each call of Octave.

    Returns
    -------
    dict
        small, against (name, bytes, totals, rows, coding of a packed file; with `judge` error,
        correct, count, loss), weights, changed, pictures, speed, sensitivity, sweep, recipe, steps
        (name and bytes after each step of the recipe): each may be missing or empty.

    Raises
    ------
    OctcompressError
        Those of ``nn_load``, ``nn_evaluate`` and `pyoctcompress.sweeps.read`.
    """
    from pyoctcompress import methods, speed, sweeps

    settings: dict[str, Any] = {"backend": backend, "timeout": timeout}
    facts: Facts = {"small": _model(small, judge, settings)}
    model = facts["small"].pop("model")
    before: Facts = {}
    if against is not None:
        facts["against"] = _model(against, judge, settings)
        before = facts["against"].pop("model")
    facts["weights"] = _weights(model, before)
    facts["recipe"] = model.get("recipe")
    facts["steps"] = [
        (step["step"], float(size))
        for step, size in zip(
            model.get("recipe") or (), np.ravel(model.get("recipe_bytes", ())), strict=False
        )
    ]
    if judge is not None:
        facts["changed"], facts["pictures"] = _changed(facts, judge)
        models = {facts["small"]["name"]: small}
        if against is not None:
            models = {facts["against"]["name"]: against, **models}
        facts["speed"] = [
            {"name": name, **row}
            for name, path in models.items()
            for row in (
                {"runtime": backend, **speed.latency(path, judge, **settings)},
                *speed.in_runtimes(path, judge),
            )
        ]
        if sensitivity:
            facts["sensitivity"] = methods.sensitivity(
                against or small,
                replace(judge, limit=min(judge.limit, sensitivity)),
                backend=backend,
            )["layers"]
    if sweep is not None:
        rows = [row for row in sweeps.read(sweep) if "error" in row]
        facts["sweep"] = {"rows": rows, "front": sweeps.pareto(rows)}
    return facts


def _model(path: str | os.PathLike[str], judge: DataFile | None, settings: Facts) -> Facts:
    """Measure one model."""
    from pyoctcompress import api, files

    found = api.info(path, **settings)
    facts: Facts = {
        "name": Path(path).name,
        "model": files.load(path),
        "bytes": os.path.getsize(path),
        "rows": found["rows"],
        "totals": found["totals"],
        "coding": found.get("coding"),
    }
    if judge is not None:
        result = api.evaluate(path, judge, **settings)
        facts.update({name: result[name] for name in ("error", "correct", "count", "loss")})
        facts["predicted"] = np.asarray(result["predicted"]).ravel().astype(int)
    return facts


def _weights(model: Facts, before: Facts) -> list[Facts]:
    """Give each tensor's values before and after, and the levels of its grid."""
    earlier = {t.name: graph.get_tensor(before, t) for t in graph.tensors(before)}
    return [
        {
            "name": t.name,
            "after": np.asarray(graph.get_tensor(model, t)),
            "before": earlier.get(t.name),
            "levels": _levels(graph.get_promise(model, t, "quantization")),
        }
        for t in graph.tensors(model)
    ]


def _levels(grid: Any) -> np.ndarray[Any, Any] | None:
    """Give the values that a grid of one scale allows."""
    if not grid:
        return None
    if grid["scheme"] == "codebook":
        return np.asarray(grid["codebook"], np.float64).ravel()
    scale = np.asarray(grid["scale"], np.float64).ravel()
    if scale.size != 1 or grid["bits"] > 8 or grid["scheme"] in FLOAT_FORMATS:
        return None
    low, high = code_range(grid)
    zero = np.asarray(grid["zero_point"], np.float64).ravel()[0]
    return np.asarray(scale[0] * (np.arange(low, high + 1) - zero))


def _changed(facts: Facts, judge: DataFile) -> tuple[list[Facts], list[Any]]:
    """List the observations that changed class, and cut out pictures of the first."""
    if "against" not in facts:
        return [], []
    inputs, labels = data(judge.path, judge.part, **judge.options())
    if labels is None:
        return [], []
    labels = labels.argmax(0) + 1 if labels.shape[0] > 1 else labels.ravel().astype(int)
    before, after = facts["against"]["predicted"], facts["small"]["predicted"]
    places = np.flatnonzero(before != after)
    changed = [
        {"place": int(k) + 1, "label": int(labels[k]), "before": before[k], "after": after[k]}
        for k in places
    ]
    # What went wrong first, then what was put right, then the rest.
    changed.sort(key=lambda c: 0 if c["before"] == c["label"] else 2 - (c["after"] == c["label"]))
    shape = _picture_shape(inputs.shape[:-1])
    if shape is None:
        return changed, []
    order: Literal["C", "F"] = "C" if len(shape) == 2 and judge.pixel_order == "row" else "F"
    return changed, [
        inputs[..., c["place"] - 1].reshape(shape, order=order) for c in changed[:PICTURES]
    ]


def _picture_shape(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Say how an observation is drawn: an image, or a square number of features as a square."""
    if (len(shape) == 3 and shape[2] in (1, 3)) or len(shape) == 2:
        return shape
    side = int(np.sqrt(shape[0]))
    return (side, side) if len(shape) == 1 and side >= 8 and side * side == shape[0] else None
