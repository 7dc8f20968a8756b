"""What a sweep tries: a grid of options, turned into lists of steps, and how they are run."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyoctcompress.datafile import DataFile
from pyoctcompress.errors import OctcompressError, OptionError, SessionError

# The verbs a step may name, and which inputs each takes after the model.
VERBS = {
    "prune": "",
    "quantize": "",
    "rdoq": "",
    "lowrank": "",
    "shrink": "",
    "correct": "",
    "fold": "",
    "equalize": "",
    "calibrate": "X",
    "train": "XY",
    "prune_train": "XY",
    "quantize_train": "XY",
    "distill": "XY",
}

Grid = Mapping[str, Sequence[Any]]


def configurations(grid: Grid) -> list[dict[str, Any]]:
    """Give every combination of a grid's values, the last name varying fastest.

    Parameters
    ----------
    grid : dict
        ``'verb.option'`` to the values to try, for instance ``{'prune.sparsity': [0.8, 0.9],
        'quantize.bits': [2, 3, 4]}``. The verbs run in the order of their first option. Where a
        value is None the option is left out, and a verb all of whose options are None does not
        run. ``True`` for ``data`` or ``labels`` stands for the sweep's own data.

    Returns
    -------
    list of dict
        ``'verb.option'`` to the value.

    Raises
    ------
    OptionError
        ``octcompress:sweep:badGrid``, ``unknownVerb``: every fault of the grid.

    Examples
    --------
    >>> configurations({"prune.sparsity": [0.5, 0.9], "quantize.bits": [4]})
    [{'prune.sparsity': 0.5, 'quantize.bits': 4}, {'prune.sparsity': 0.9, 'quantize.bits': 4}]
    """
    faults = []
    if not grid:
        raise OptionError(
            "sweep: GRID must name at least one 'verb.option' with the values to try",
            "octcompress:sweep:badGrid",
        )
    for name, values in grid.items():
        verb, dot, option = str(name).partition(".")
        if not dot or not option.isidentifier():
            faults.append(f"{name!r} must be 'verb.option', such as 'prune.sparsity'")
        elif verb not in VERBS:
            faults.append(f"{name!r}: the verb must be one of {', '.join(VERBS)}")
        if not isinstance(values, list | tuple) or not values:
            faults.append(f"{name!r} must have a list of values, but has {values!r}")
    if faults:
        tag = "unknownVerb" if any("verb must be" in fault for fault in faults) else "badGrid"
        raise OptionError("sweep: GRID: " + "; ".join(faults), f"octcompress:sweep:{tag}")
    names = [str(name) for name in grid]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*grid.values())]


def steps_of(configuration: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Turn a configuration into steps: a verb and its options each.

    Parameters
    ----------
    configuration : dict
        One of `configurations`.

    Returns
    -------
    list of (str, dict)
        In the order in which they run.

    Examples
    --------
    >>> steps_of({"prune.sparsity": 0.5, "quantize.bits": None, "prune.scope": "global"})
    [('prune', {'sparsity': 0.5, 'scope': 'global'})]
    """
    steps: dict[str, dict[str, Any]] = {}
    for name, value in configuration.items():
        verb, _, option = name.partition(".")
        if value is not None:
            steps.setdefault(verb, {})[option] = value
    return list(steps.items())


def key_of(configuration: Mapping[str, Any]) -> str:
    """Name a configuration by what it does; options that are left out do not count.

    Parameters
    ----------
    configuration : dict
        One of `configurations`.

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> key_of({"prune.sparsity": 0.5, "quantize.bits": None}) == key_of({"prune.sparsity": 0.5})
    True
    """
    text = json.dumps(steps_of(configuration), sort_keys=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Task:
    """One configuration with all that a worker needs; it travels to other processes.

    Parameters
    ----------
    model : str
        The model's file, at the same path for every worker.
    learn, judge : DataFile
        What the verbs learn from, and what the error is counted on.
    calibration : int
        How many observations stand for ``data=True``.
    steps : tuple
        Of `steps_of`.
    backend : str
        ``octave`` or ``numpy``.
    timeout : float or None
        Seconds for each call of Octave.
    """

    model: str
    learn: DataFile
    judge: DataFile
    calibration: int
    steps: tuple[tuple[str, dict[str, Any]], ...]
    backend: str
    timeout: float | None


def carry_out(task: Task) -> dict[str, Any]:
    """Run the steps of a task, and measure what comes out.

    Parameters
    ----------
    task : Task
        What to run.

    Returns
    -------
    dict
        error, accuracy, bytes (of the file on disk), parameters, nonzeros, macs, latency (seconds
        for an observation), seconds; or ``failed``, a message, where a verb refused the
        configuration.

    Raises
    ------
    SessionError
        Octave died or ran out of time: worth another try.
    """
    from pyoctcompress import api, methods

    begin = time.monotonic()
    settings: dict[str, Any] = {"backend": task.backend, "timeout": task.timeout}
    calibration = DataFile(
        task.learn.path,
        task.learn.part,
        min(task.learn.limit, task.calibration),
        task.learn.input_size,
        task.learn.pixel_order,
    )
    with tempfile.TemporaryDirectory(prefix="octcompress-") as folder:
        model = task.model
        try:
            for k, (verb, options) in enumerate(task.steps):
                chosen = {
                    name: calibration if value is True and name in ("data", "labels") else value
                    for name, value in options.items()
                }
                home = api if hasattr(api, verb) else methods
                inputs: list[Any] = [model] if verb != "distill" else [task.model, model]
                inputs += [task.learn] if VERBS[verb] else []
                output = os.path.join(folder, f"{k}.mat")
                getattr(home, verb)(*inputs, output=output, **settings, **chosen)
                model = output
            result = measure(model, folder, task)
        except SessionError:
            raise
        except OctcompressError as error:
            result = {"failed": str(error), "identifier": error.identifier}
    return {**result, "seconds": time.monotonic() - begin}


def measure(model: str, folder: str, task: Task) -> dict[str, Any]:
    """Save a model as small as it gets, and measure the file.

    Parameters
    ----------
    model : str
        The model's file.
    folder : str
        Where the small file may lie.
    task : Task
        With the data to judge by.

    Returns
    -------
    dict
        As `carry_out` gives it, without seconds.
    """
    from pyoctcompress import api, files, speed

    settings: dict[str, Any] = {"backend": task.backend, "timeout": task.timeout}
    small = os.path.join(folder, "coded.mat")
    size = files.save(small, files.load(model), coding="auto")["bytes"]
    judged = api.evaluate(small, task.judge, **settings)
    totals = api.info(small, **settings)["totals"]
    return {
        "error": float(judged["error"]),
        "accuracy": float(judged["accuracy"]),
        "bytes": int(size),
        "parameters": int(totals["parameters"]),
        "nonzeros": int(totals["nonzeros"]),
        "macs": int(totals["macs"]),
        "latency": speed.latency(small, task.judge, **settings)["seconds"],
    }
