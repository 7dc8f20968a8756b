"""The verbs: each runs in Octave or in NumPy and gives the same results.

A model is a dict (`load`), the path of a .mat file, or for `prune` and `quantize` also an array.
A path stays a path with the Octave backend: Octave loads the model, and saves the result where
``output`` says, so that a large model never passes through Python.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyoctcompress import matfile
from pyoctcompress.calling import (
    NOTHING,
    Backend,
    Model,
    argument,
    changed,
    data_arguments,
    in_memory,
    is_octave,
    loaded,
    option_pairs,
)
from pyoctcompress.files import File
from pyoctcompress.octave import Progress, call
from pyoctcompress.reference import verbs


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
    if is_octave(backend):
        arguments = [argument(model), *option_pairs(options)]
        packed, figures = call("nn_pack", *arguments, nargout=2, timeout=timeout)
        return dict(packed), dict(figures)
    return verbs.pack(in_memory(model), **options)


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
    if is_octave(backend):
        result, figures = call(
            "nn_unpack", packed, *option_pairs(options), nargout=2, timeout=timeout
        )
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
    if is_octave(backend):
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
    if is_octave(backend):
        inputs = data_arguments(X, NOTHING, 1)
        return call("nn_predict", argument(model), *inputs, *option_pairs(options), timeout=timeout)
    return verbs.predict(in_memory(model), loaded(X, None)[0], **options)


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
    if is_octave(backend):
        inputs = data_arguments(X, Y, 2)
        return dict(
            call("nn_evaluate", argument(model), *inputs, *option_pairs(options), timeout=timeout)
        )
    return verbs.evaluate(in_memory(model), *loaded(X, Y), **options)


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
    return changed("prune", [model], [], options, backend, output, (compress, coding), timeout)


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
    return changed("quantize", [model], [], options, backend, output, (compress, coding), timeout)


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
    return changed(
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
    return changed(
        "distill", models, inputs, options, backend, output, (compress, coding), timeout, progress
    )
