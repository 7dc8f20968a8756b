"""The verbs: each runs in Octave or in NumPy and gives the same results.

A model is a dict (`load`), the path of a .mat file, or for `prune` and `quantize` also an array.
A path stays a path with the Octave backend: Octave loads the model, and saves the result where
``output`` says, so that a large model never passes through Python.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pyoctcompress import matfile, modelfile
from pyoctcompress.datafile import DataFile, data
from pyoctcompress.errors import OctcompressError, OptionError
from pyoctcompress.octave import Call, Keep, PathModel, Progress, Session, call, lend
from pyoctcompress.progress import Bar
from pyoctcompress.reference import model as graph
from pyoctcompress.reference import verbs
from pyoctcompress.reference.internal import check
from pyoctcompress.reference.recognize import recognize

Model = Mapping[str, Any] | np.ndarray[Any, Any] | str | os.PathLike[str]
File = str | os.PathLike[str]
Backend = Literal["octave", "numpy"]


def load(file: File, layout: str = "auto", **options: Any) -> dict[str, Any]:
    """Read a model from a .mat file.

    Parameters
    ----------
    file : path
        Any kind of .mat file (`pyoctcompress.matfile`), or a packed file.
    layout : {'auto', 'tensors'}
        ``tensors``: leave the variables as they are.
    **options
        Of ``nn_load``, for layouts that do not tell everything: ``layers``, ``activation``,
        ``input_size``.

    Returns
    -------
    dict
        A network (``docs/model-format.md``) where the file holds one, in our layout or in another
        that is known (``docs/import.md``), with the fields filled in that may be left out; else
        the file's variables. `pyoctcompress.convert` also tells why.

    Raises
    ------
    FileError
        ``octcompress:nn_load:noFile``, ``badFile``, ``gitLfs``, ``truncated``, ``damaged``,
        ``version`` (packed by a later octcompress).
    ModelError
        The file holds a faulty network.
    """
    return recognized(file, modelfile.read(file)[0], layout, **options)[0]


def recognized(
    file: File, found: dict[str, Any], layout: str = "auto", **options: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Make the variables of a file a network where that is possible, as ``nn_load`` does.

    Parameters
    ----------
    file : path
        Where they came from.
    found : dict
        The variables.
    layout, **options
        As for `load`.

    Returns
    -------
    model : dict
        A network or the variables.
    report : dict
        layout and reason, as ``help nn_load`` has them.
    """
    check("nn_load", "layout", layout, "choice", ["auto", "tensors"])
    if layout == "tensors":
        return found, {"layout": "", "reason": ""}
    model, report = recognize(found, **options)
    if report["layout"] == "octcompress":
        model = graph.tidy("nn_load", model)
    elif model is not found:
        model["meta"]["source"]["file"] = os.fspath(file)
    return model, report


def save(
    file: File,
    model: Mapping[str, Any],
    compress: bool = False,
    coding: str = "none",
    readable: bool = False,
) -> dict[str, Any]:
    """Write a model to a .mat file, whole or not at all.

    Parameters
    ----------
    file : path
        A file of that name is replaced, once the new one is complete.
    model : dict
        A network or any dict; its fields become the variables of the file.
    compress : bool
        Of an ordinary file. False: MATLAB v6, at the speed of the disk. True: v7, deflated.
    coding : {'none', 'auto', 'huffman', 'rans'}
        ``none``: an ordinary file, weights as numbers. The others: a packed file, the smallest
        there is, as `pack` makes it; `load` reads it like any other.
    readable : bool
        In a packed file also the model without its coded arrays, for other programs to look at.

    Returns
    -------
    dict
        file, bytes (of the file on disk), options; of a coded file also rows and totals, as
        `info` of the file tells them.

    Raises
    ------
    OptionError
        ``octcompress:nn_save:badType``: a value that no MATLAB class can hold, and where it is;
        ``badValue``.
    FileError
        ``octcompress:nn_save:notWritten``, ``tooLarge``, ``badName``.
    """
    if not isinstance(model, Mapping):
        raise OptionError(
            f"nn_save: MODEL must be a dict, but is a {type(model).__name__}",
            "octcompress:nn_save:badType",
        )
    if graph.is_network(model):
        model = graph.tidy("nn_save", model)
    return modelfile.write(file, model, compress, coding, readable)


def pack(
    model: Model,
    *,
    backend: Backend = "octave",
    timeout: float | None = None,
    **options: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make a model, or any dict of arrays, few bytes; nothing is lost.

    Parameters
    ----------
    model : dict or path
        A network, or any dict that a .mat file can hold.
    backend : {'octave', 'numpy'}
        Where it is computed.
    timeout : float, optional
        Seconds after which Octave is stopped.
    **options
        ``coding``: ``auto`` (default), ``none`` (equal bits for each code), ``huffman``, ``rans``.

    Returns
    -------
    packed : dict
        octc: the bytes, a uint8 column.
    info : dict
        bytes, header, rows (what each array takes), totals (what all do), options.

    Examples
    --------
    >>> packed, info = pack({"w": np.round(np.eye(40)) / 8}, backend="numpy")
    >>> int(info["bytes"]) < 60
    True
    >>> unpack(packed, backend="numpy")[0]["w"][0, 0]
    np.float64(0.125)
    """
    if _is_octave(backend):
        arguments = [_argument(model), *_options(options)]
        packed, figures = call("nn_pack", *arguments, nargout=2, timeout=timeout)
        return dict(packed), dict(figures)
    return verbs.pack(_in_memory(model), **options)


def unpack(
    packed: Any,
    *,
    backend: Backend = "octave",
    timeout: float | None = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Return the model that `pack` packed, or one of its arrays.

    Parameters
    ----------
    packed : dict, bytes or path
        What `pack` gave, or a packed file.
    backend : {'octave', 'numpy'}
        Where it is computed.
    timeout : float, optional
        Seconds after which Octave is stopped.
    **options
        ``tensor``: the name of an array (``fc1.weights`` or ``layers{1}.weights``); only that is
        decoded.

    Returns
    -------
    model : dict or array
        All arrays are those that were packed, to the bit.
    info : dict
        bytes, header, rows, totals, options.
    """
    if isinstance(packed, str | os.PathLike):
        packed = matfile.load(packed, caller="nn_unpack")
    elif isinstance(packed, bytes | bytearray):
        packed = np.frombuffer(packed, np.uint8).reshape(-1, 1)
    if _is_octave(backend):
        result, figures = call("nn_unpack", packed, *_options(options), nargout=2, timeout=timeout)
        return result, dict(figures)
    return verbs.unpack(packed, **options)


def info(
    model: Model, *, backend: Backend = "octave", timeout: float | None = None
) -> dict[str, Any]:
    """List what a model is made of.

    Parameters
    ----------
    model : dict or path
        A network, or any dict of arrays.
    backend : {'octave', 'numpy'}
        Where it is computed.
    timeout : float, optional
        Seconds after which Octave is stopped.

    Returns
    -------
    dict
        rows (a list of dicts: name, type, shape, parameters, nonzeros, bits, bytes, macs), totals,
        text (the table). Of a file also file_bytes, and of a packed one coding: what each byte of
        it is for (rows, totals).
    """
    if isinstance(model, os.PathLike):
        model = os.fspath(model)
    if _is_octave(backend):
        argument = os.path.abspath(model) if isinstance(model, str) else model
        return dict(call("nn_info", argument, timeout=timeout))
    return verbs.info(model)


def predict(
    model: Model,
    X: Any,
    *,
    backend: Backend = "octave",
    timeout: float | None = None,
    **options: Any,
) -> Any:
    """Compute the outputs of a network.

    Parameters
    ----------
    model : dict or path
        A network.
    X : array or DataFile
        Inputs: features F x N (a column is an observation), images H x W x C x N, or sequences
        F x N x T, scaled as in training.
    backend : {'octave', 'numpy'}
        Where it is computed.
    timeout : float, optional
        Seconds after which Octave is stopped.
    **options
        ``batch_size`` (256): observations at a time.

    Returns
    -------
    ndarray or list of ndarray
        The output, in the layout of X; a list where the network has several.
    """
    if _is_octave(backend):
        inputs = _data(X, _NOTHING, 1)
        return call("nn_predict", _argument(model), *inputs, *_options(options), timeout=timeout)
    return verbs.predict(_in_memory(model), _loaded(X, None)[0], **options)


def evaluate(
    model: Model,
    X: Any,
    Y: Any = None,
    *,
    backend: Backend = "octave",
    timeout: float | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Tell how good a network's outputs are: accuracy, top k, AUC, MSE, PSNR.

    Parameters
    ----------
    model : dict or path
        A network with one output.
    X : array or DataFile
        Inputs as for `predict`; a `DataFile` brings its labels.
    Y : array, optional
        N class numbers from 1 to K, or one-hot, K x N; targets of the output's size where the
        loss is not ``crossentropy``.
    backend : {'octave', 'numpy'}
        Where it is computed.
    timeout : float, optional
        Seconds after which Octave is stopped.
    **options
        ``loss`` (``crossentropy``), ``top_k`` (5), ``auc`` (False), ``peak`` (1) of psnr,
        ``batch_size`` (256): those of ``nn_evaluate``.

    Returns
    -------
    dict
        count and loss; with ``crossentropy`` accuracy (share of right answers), error, correct,
        top_k, predicted (1 x N class numbers), and auc if asked for; with
        ``binary_crossentropy`` accuracy, error, correct, auc; otherwise mse, mae, psnr.
    """
    if _is_octave(backend):
        inputs = _data(X, Y, 2)
        return dict(
            call("nn_evaluate", _argument(model), *inputs, *_options(options), timeout=timeout)
        )
    return verbs.evaluate(_in_memory(model), *_loaded(X, Y), **options)


def prune(
    model: Model,
    *,
    backend: Backend = "octave",
    output: File | None = None,
    compress: bool = False,
    coding: str = "none",
    timeout: float | None = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Set the least important weights to zero.

    Parameters
    ----------
    model : dict, path or array
        A network, any dict of arrays, or a float32 or float64 array.
    backend : {'octave', 'numpy'}
        Where it is computed.
    output : path, optional
        Save the result there; the path is returned in its place.
    compress, coding
        As for `save`.
    timeout : float, optional
        Seconds after which Octave is stopped.
    **options
        Those of ``nn_prune``: ``sparsity``, or ``threshold`` with ``scale``; ``scope``
        (``layer`` or ``global``), ``layers`` (names or numbers from 1), ``bias`` and more, which
        the help of ``nn_prune`` lists. A `DataFile` may stand for ``data`` and ``labels``.

    Returns
    -------
    model : dict, array or pathlib.Path
        The pruned model.
    info : dict
        options, count, zeros, sparsity, layers; for an array also mask, true where a weight is
        kept.

    Examples
    --------
    >>> w, info = prune(np.array([[1.0, -3.0, 2.0]]), sparsity=0.4, backend="numpy")
    >>> w
    array([[ 0., -3.,  2.]])
    """
    return _changed("prune", [model], [], options, backend, output, (compress, coding), timeout)


def quantize(
    model: Model,
    bits: int | None = None,
    *,
    backend: Backend = "octave",
    output: File | None = None,
    compress: bool = False,
    coding: str = "none",
    timeout: float | None = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Put weights, and given data also activations, on a uniform grid of n bits.

    Parameters
    ----------
    model : dict, path or array
        A network, any dict of arrays, or a float32 or float64 array.
    bits : int, optional
        1 to 16; 8 unless given.
    backend, output, compress, coding, timeout
        As for `prune`. The option ``output='codes'`` of ``nn_quantize`` is ``codes=True`` here.
    **options
        Those of ``nn_quantize``: ``scheme`` (``symmetric`` or ``affine``), ``granularity``
        (``tensor`` or ``channel``), ``axis``, ``layers``, ``bias``, ``data`` (an array or a
        `DataFile`: calibration inputs), ``activation_bits``, ``activation_scheme``,
        ``batch_size`` and more, which the help of ``nn_quantize`` lists; and ``codes`` (an
        array's integer codes instead of its values).

    Returns
    -------
    model : dict, array or pathlib.Path
        The quantized model; of an array its values on the grid, or its codes.
    info : dict
        options, layers, activations; for an array also grid.

    Examples
    --------
    >>> codes, info = quantize(np.array([[1.0, -0.5]]), 8, codes=True, backend="numpy")
    >>> codes
    array([[127, -64]], dtype=int8)
    """
    if bits is not None:
        options["bits"] = bits
    if options.pop("codes", False):
        options["output"] = "codes"
    return _changed("quantize", [model], [], options, backend, output, (compress, coding), timeout)


def train(
    model: Model,
    X: Any,
    Y: Any = None,
    *,
    backend: Backend = "octave",
    output: File | None = None,
    compress: bool = False,
    coding: str = "none",
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Train a network; zeros that were pruned and grids that were chosen are kept.

    Parameters
    ----------
    model : dict or path
        A network.
    X : array or DataFile
        Inputs as for `predict`; a `DataFile` brings its labels.
    Y : array, optional
        N class numbers from 1 to K, or one-hot, K x N.
    backend, output, compress, coding, timeout
        As for `prune`.
    progress : callable or bool, optional
        Called with the task, steps done, steps in all, and figures, as text; True shows a bar.
    **options
        Those of ``nn_train``.

    Returns
    -------
    model : dict or pathlib.Path
        The trained model.
    info : dict
        options and the course of the training.
    """
    inputs = [X, Y]
    return _changed(
        "train", [model], inputs, options, backend, output, (compress, coding), timeout, progress
    )


def distill(
    teacher: Model | Sequence[Model],
    student: Model,
    X: Any = None,
    Y: Any = None,
    *,
    backend: Backend = "octave",
    output: File | None = None,
    compress: bool = False,
    coding: str = "none",
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Train a student network to answer as its teacher does.

    Parameters
    ----------
    teacher : dict or path, or a list of them
        A network, or several that teach together.
    student : dict or path
        A network for the same inputs: see `student`.
    X : array or DataFile, optional
        Inputs as for `predict`; a `DataFile` brings its labels. Without them inputs are drawn from
        what the batch normalisations of the teacher remember of its data.
    Y : array, optional
        Labels, which the option ``alpha`` mixes in.
    backend, output, compress, coding, timeout, progress
        As for `train`.
    **options
        Those of ``nn_distill``: ``loss`` (``mse``, ``kl``, ...; in NumPy also a callable),
        ``temperature``, ``alpha``, ``features`` (a dict or a list of dicts), ``teacher_weights``,
        ``cache`` (a file for the teachers' outputs) and more, and those of ``nn_train``.

    Returns
    -------
    student : dict or pathlib.Path
        The trained student.
    info : dict
        options and the course of the training.
    """
    models: list[Any] = [teacher, student]
    inputs = [X, Y]
    return _changed(
        "distill", models, inputs, options, backend, output, (compress, coding), timeout, progress
    )


# Which output of nn_data an option takes, where it is not X.
_DATA_OPTIONS = {"labels": 2}
# Stands for an input that the verb does not take at all; None is one that the user left out.
_NOTHING = object()


def _changed(
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
            return _changed(verb, models, inputs, options, backend, output, form, timeout)
        with Bar() as bar:
            return _changed(verb, models, inputs, options, backend, output, form, timeout, bar)
    if _is_octave(backend):
        keep = [] if output is None else [Keep(output, *form)]
        arguments = [_argument(model) for model in models]
        if inputs:
            arguments += _data(inputs[0], inputs[1], 1 if inputs[1] is _NOTHING else 2)
        with lend() as session:
            try:
                result, figures = session.call(
                    f"nn_{verb}",
                    *arguments,
                    *_options(options),
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
            options[name] = _loaded(value, None)[_DATA_OPTIONS.get(name, 1) - 1]
    if progress is not None:
        options["progress"] = progress
    arguments = [_in_memory(model) for model in models]
    if inputs:
        arguments += _loaded(*inputs)[: 1 if inputs[1] is _NOTHING else 2]
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


def _is_octave(backend: str) -> bool:
    if backend not in ("octave", "numpy"):
        raise OptionError(
            f"pyoctcompress: BACKEND must be one of 'octave', 'numpy', but is {backend!r}",
            "octcompress:pyoctcompress:badValue",
        )
    return backend == "octave"


def _argument(model: Any) -> Any:
    """Make a model, or a list of them, an argument of the bridge."""
    if isinstance(model, list | tuple):
        return [_in_memory(one) for one in model]
    return PathModel(model) if isinstance(model, str | os.PathLike) else model


def _in_memory(model: Any) -> Any:
    """Load a model, or a list of them, for the NumPy backend."""
    if isinstance(model, list | tuple):
        return [_in_memory(one) for one in model]
    return load(model) if isinstance(model, str | os.PathLike) else model


def _data(X: Any, Y: Any, count: int) -> list[Any]:
    """Make X and Y arguments of the bridge; `count` of them are wanted."""
    if isinstance(X, DataFile):
        return [_data_call(X, *range(1, count + 1))]
    return [_value(X)] if Y is _NOTHING else [_value(X), _value(Y)]


def _data_call(file: DataFile, *take: int) -> Call:
    """Make the argument for X (1), Y (2) or both of a data file."""
    path = os.path.abspath(file.path)
    return Call("nn_data", path, file.part, file.options(), nargout=max(take), take=take)


def _loaded(X: Any, Y: Any) -> list[Any]:
    """Read X and Y for the NumPy backend."""
    if isinstance(X, DataFile):
        return list(data(X.path, X.part, **X.options()))
    return [X, Y]


def _options(options: Mapping[str, Any]) -> list[Any]:
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
