"""How the verbs are called: in Octave over the bridge, or in NumPy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pyoctcompress.datafile import DataFile, data
from pyoctcompress.errors import OctcompressError, OptionError
from pyoctcompress.files import File, load, save
from pyoctcompress.octave import Call, Keep, PathModel, Progress, Session, lend
from pyoctcompress.progress import Bar
from pyoctcompress.reference import verbs

Model = Mapping[str, Any] | np.ndarray[Any, Any] | str | os.PathLike[str]
Backend = Literal["octave", "numpy"]

# Which output of nn_data an option takes, where it is not X.
_DATA_OPTIONS = {"labels": 2}
# Stands for an input that the verb does not take at all; None is one that the user left out.
NOTHING = object()


def changed(
    verb: str,
    models: Sequence[Any],
    inputs: Sequence[Any],
    options: dict[str, Any],
    backend: Backend,
    output: File | None,
    form: tuple[bool, str],
    timeout: float | None,
    progress: Progress | bool | None = None,
) -> tuple[Any, dict[str, Any]]:
    """Call a verb that gives a model and its info."""
    if isinstance(progress, bool):
        if not progress:
            return changed(verb, models, inputs, options, backend, output, form, timeout)
        with Bar() as bar:
            return changed(verb, models, inputs, options, backend, output, form, timeout, bar)
    if is_octave(backend):
        keep = [] if output is None else [Keep(output, *form)]
        arguments = [argument(model) for model in models]
        if inputs:
            arguments += data_arguments(inputs[0], inputs[1], 1 if inputs[1] is NOTHING else 2)
        with lend() as session:
            try:
                result, figures = session.call(
                    f"nn_{verb}",
                    *arguments,
                    *option_pairs(options),
                    nargout=2,
                    timeout=timeout,
                    progress=progress,
                    keep=keep,
                )
            except KeyboardInterrupt:
                if not session.alive:
                    raise
                result, figures = _interrupted(session, keep)
        return (result if output is None else Path(output)), figures
    function = getattr(verbs, verb)
    for name, value in options.items():
        if isinstance(value, DataFile):
            options[name] = loaded(value, None)[_DATA_OPTIONS.get(name, 1) - 1]
    if progress is not None:
        options["progress"] = progress
    arguments = [in_memory(model) for model in models]
    if inputs:
        arguments += loaded(*inputs)[: 1 if inputs[1] is NOTHING else 2]
    result, figures = function(*arguments, **options)
    if output is None:
        return result, figures
    save(output, result, *form)
    return Path(output), figures


def _interrupted(session: Session, keep: list[Keep]) -> tuple[Any, dict[str, Any]]:
    """Fetch the model of a training that Ctrl-C ended; raise KeyboardInterrupt if there is none."""
    try:
        model = session.call("octcompress.train.interrupted", keep=keep)
    except OctcompressError:
        raise KeyboardInterrupt from None
    return model, {"stopped": "interrupted"}


def is_octave(backend: str) -> bool:
    """Whether a backend is Octave; an error where it is no backend."""
    if backend not in ("octave", "numpy"):
        raise OptionError(
            f"pyoctcompress: BACKEND must be one of 'octave', 'numpy', but is {backend!r}",
            "octcompress:pyoctcompress:badValue",
        )
    return backend == "octave"


def argument(model: Any) -> Any:
    """Make a model, or a list of them, an argument of the bridge."""
    if isinstance(model, list | tuple):
        return [in_memory(one) for one in model]
    return PathModel(model) if isinstance(model, str | os.PathLike) else model


def in_memory(model: Any) -> Any:
    """Load a model, or a list of them, for the NumPy backend."""
    if isinstance(model, list | tuple):
        return [in_memory(one) for one in model]
    return load(model) if isinstance(model, str | os.PathLike) else model


def data_arguments(X: Any, Y: Any, count: int) -> list[Any]:
    """Make X and Y arguments of the bridge; `count` of them are wanted."""
    if isinstance(X, DataFile):
        return [_data_call(X, *range(1, count + 1))]
    return [_value(X)] if Y is NOTHING else [_value(X), _value(Y)]


def _data_call(file: DataFile, *take: int) -> Call:
    """Make the argument for X (1), Y (2) or both of a data file."""
    path = os.path.abspath(file.path)
    return Call("nn_data", path, file.part, file.options(), nargout=max(take), take=take)


def loaded(X: Any, Y: Any) -> list[Any]:
    """Read X and Y for the NumPy backend."""
    if isinstance(X, DataFile):
        return list(data(X.path, X.part, **X.options()))
    return [X, Y]


def option_pairs(options: Mapping[str, Any]) -> list[Any]:
    """Make options pairs of a name and a value, as in Octave."""
    pairs: list[Any] = []
    for name, value in options.items():
        if (
            name in ("checkpoint", "resume", "cache")
            and isinstance(value, str | os.PathLike)
            and value
        ):
            value = os.path.abspath(value)  # Octave's current folder is that of its start
        if isinstance(value, DataFile):
            value = _data_call(value, _DATA_OPTIONS.get(name, 1))
        pairs += [name, _value(value)]
    return pairs


def _value(value: Any) -> Any:
    """Turn what Python users write into what MATLAB users would: None is [], numbers are a row."""
    if value is None:
        return np.zeros((0, 0))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, range):
        value = list(value)
    numbers = int | float | np.number
    if isinstance(value, list | tuple) and value and all(isinstance(v, numbers) for v in value):
        return np.array([value])
    return value
