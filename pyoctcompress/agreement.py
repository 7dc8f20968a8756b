"""Hold both backends against each other on a model of the user's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pyoctcompress import api
from pyoctcompress.calling import Model, in_memory
from pyoctcompress.datafile import DataFile, data
from pyoctcompress.octave import Progress
from pyoctcompress.reference import model as graph

# Matrix products add in another order on each side. What they may differ by is relative to the
# largest number of an array: after one pass through a network, and after some steps of training.
_PASS = 256 * 2.0**-24
_TRAINING = 16384 * 2.0**-24
# Differences are relative to this at least: a loss of zero has no digits to agree in.
_SMALLEST = 1e-6


def crosscheck(
    model: Model,
    X: Any = None,
    Y: Any = None,
    *,
    limit: int = 256,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run the same steps in Octave and in NumPy and compare the results.

    Parameters
    ----------
    model : dict or path
        A network, or any dict of arrays: of the latter only pruning and quantization are compared.
    X : array or DataFile, optional
        Inputs; random ones unless given.
    Y : array, optional
        Labels; with them evaluation, training and distillation are compared too.
    limit : int
        How many observations are used at most.
    timeout : float, optional
        Seconds for each call of Octave.
    progress : callable, optional
        Called with the step, how many are done, how many there are, and ''.

    Returns
    -------
    dict
        ok, and steps: a list of dicts with step, difference (the largest of any array, relative to
        its largest number), allowed (0 where both must agree to the bit), identical, ok, and where
        (the place of the largest difference, or of what differs in kind).

    Examples
    --------
    >>> report = crosscheck("lenet300.mat")                             # doctest: +SKIP
    >>> report["ok"]                                                    # doctest: +SKIP
    True
    """
    model = in_memory(model)
    if isinstance(X, DataFile):
        X, Y = data(X.path, X.part, **X.options())
    if X is None and graph.is_network(model):
        X = _random_inputs(graph.tidy("crosscheck", model), limit)
    if X is not None:
        X = np.asarray(X)
        X = X[..., :limit] if X.ndim == 4 else X[:, :limit]
    if Y is not None:
        Y = np.asarray(Y)
        Y = Y.reshape(1, -1)[:, :limit] if 1 in Y.shape or Y.ndim == 1 else Y[:, :limit]
    steps = _steps(model, X, Y, timeout)
    results = []
    for k, (name, allowed, run) in enumerate(steps):
        if progress is not None:
            progress(name, k, len(steps), "")
        results.append(_compared(name, allowed, run("octave"), run("numpy")))
    if progress is not None:
        progress("done", len(steps), len(steps), "")
    return {"ok": all(step["ok"] for step in results), "steps": results}


_Step = tuple[str, float, Callable[[Any], Any]]


def _steps(model: Any, X: Any, Y: Any, timeout: float | None) -> list[_Step]:
    """List name, allowed difference, and the work on one backend."""

    def pruned(**options: Any) -> Callable[[Any], Any]:
        return lambda backend: api.prune(model, backend=backend, timeout=timeout, **options)[0]

    def quantized(**options: Any) -> Callable[[Any], Any]:
        return lambda backend: api.quantize(model, backend=backend, timeout=timeout, **options)[0]

    steps: list[_Step] = [
        ("info", 0, lambda backend: api.info(model, backend=backend, timeout=timeout)["rows"]),
        ("prune sparsity 0.5", 0, pruned(sparsity=0.5)),
        ("prune sparsity 0.9 global", 0, pruned(sparsity=0.9, scope="global")),
        ("prune threshold 0.2", 0, pruned(threshold=0.2)),
        ("quantize 8 bits", 0, quantized(bits=8)),
        ("quantize 4 bits channel", 0, quantized(bits=4, granularity="channel")),
        ("quantize 4 bits affine", 0, quantized(bits=4, scheme="affine")),
    ]
    if X is None:
        return steps

    def predicted(backend: Any) -> Any:
        return api.predict(model, X, backend=backend, timeout=timeout)

    def calibrated(backend: Any) -> Any:
        options = {"data": X, "bits": 8}
        return api.quantize(model, backend=backend, timeout=timeout, **options)[1]["activations"]

    steps += [
        ("predict", _PASS, predicted),
        ("calibrate 8 bits", _PASS, calibrated),
    ]
    if Y is None:
        return steps

    def evaluated(backend: Any) -> Any:
        return api.evaluate(model, X, Y, backend=backend, timeout=timeout)

    def trained(backend: Any) -> Any:
        options: dict[str, Any] = {"epochs": 1, "batch_size": 64, "verbose": False}
        return api.train(model, X, Y, backend=backend, timeout=timeout, **options)[0]

    def distilled(backend: Any) -> Any:
        options: dict[str, Any] = {"epochs": 1, "batch_size": 64, "verbose": False}
        student = api.prune(model, sparsity=0.5, backend="numpy")[0]
        return api.distill(model, student, X, Y, backend=backend, timeout=timeout, **options)[0]

    return [
        *steps,
        ("evaluate", _PASS, evaluated),
        ("train 1 epoch", _TRAINING, trained),
        ("distill 1 epoch", _TRAINING, distilled),
    ]


def _random_inputs(model: dict[str, Any], count: int) -> Any:
    # A sequence of any length has NaN steps.
    size = [5 if np.isnan(n) else int(n) for n in np.ravel(model["input_size"])]
    shape = {1: [size[0], count], 2: [size[0], count, size[-1]], 3: [*size, count]}[len(size)]
    return np.random.default_rng(0).random(shape, np.float32)


def _compared(name: str, allowed: float, a: Any, b: Any) -> dict[str, Any]:
    """Compare Octave's result `a` with NumPy's `b`."""
    worst = _Worst()
    _compare(a, b, "", worst)
    return {
        "step": name,
        "difference": worst.difference,
        "allowed": allowed,
        "identical": worst.difference == 0,
        "ok": worst.difference <= allowed,
        "where": worst.where,
    }


class _Worst:
    """The largest difference so far, and where it is."""

    def __init__(self) -> None:
        self.difference = 0.0
        self.where = ""

    def see(self, difference: float, where: str) -> None:
        if difference > self.difference:
            self.difference, self.where = difference, where


def _compare(a: Any, b: Any, where: str, worst: _Worst) -> None:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in {**a, **b}:
            if key in a and key in b:
                _compare(a[key], b[key], f"{where}.{key}".lstrip("."), worst)
            else:
                worst.see(math.inf, f"{where}.{key} (only on one side)".lstrip("."))
    elif _is_list(a) and _is_list(b):
        if len(a) != len(b):
            worst.see(math.inf, f"{where} ({len(a)} and {len(b)} elements)")
        for k, (x, y) in enumerate(zip(a, b, strict=False)):
            _compare(x, y, f"{where}[{k}]", worst)
    elif isinstance(a, str) or isinstance(b, str):
        if a != b:
            worst.see(math.inf, where)
    else:
        _compare_arrays(_array(a), _array(b), where, worst)


def _compare_arrays(x: Any, y: Any, where: str, worst: _Worst) -> None:
    if x.size == 0 and y.size == 0:
        return
    if x.dtype.kind not in "fiubc" or y.dtype.kind not in "fiubc":
        worst.see(math.inf, f"{where} ({x.dtype} and {y.dtype})")
    elif x.shape != y.shape or x.dtype != y.dtype:
        worst.see(math.inf, f"{where} ({x.shape} {x.dtype} and {y.shape} {y.dtype})")
    else:
        x, y = x.astype(np.float64), y.astype(np.float64)
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        with np.errstate(invalid="ignore"):
            apart = np.where(same, 0.0, np.abs(x - y))
        apart = np.where(np.isnan(apart), math.inf, apart)
        finite = np.abs(x[np.isfinite(x)])
        size = max(float(finite.max()) if finite.size else 0.0, _SMALLEST)
        worst.see(float(apart.max()) / size, where)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0


def _array(value: Any) -> Any:
    """Give [], None and numbers as MATLAB's arrays."""
    if value is None or (isinstance(value, Sequence) and len(value) == 0):
        return np.zeros((0, 0))
    array = np.asarray(value)
    if array.ndim < 2:
        array = array.reshape(-1, 1)
    return array.astype(np.float64) if isinstance(value, int) and array.dtype != bool else array
