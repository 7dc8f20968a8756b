"""The verbs around the main ones: building, checking, correcting and recovering a network.

Each has the options of the Octave function of that name with ``nn_``; ``help nn_shrink`` and so on
list them.
"""

from __future__ import annotations

from typing import Any

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
from pyoctcompress.octave import call
from pyoctcompress.reference import verbs

Info = dict[str, Any]


def new(*layers: Any, backend: Backend = "octave") -> dict[str, Any]:
    """Build a network from the types of its layers.

    Parameters
    ----------
    *layers
        As for ``nn_new``: ``"input"``, the size of an observation, then layer types, each with its
        values, then options (``classes``, ``outputs``, ``seed``, ``initial``).
    backend : {'octave', 'numpy'}
        Where it is computed.

    Returns
    -------
    dict
        A network with initial weights.

    Examples
    --------
    >>> model = new("input", 4, "dense", 3, "relu", "dense", 2, backend="numpy")
    >>> [layer["type"] for layer in model["layers"]]
    ['dense', 'relu', 'dense']
    """
    if is_octave(backend):
        values = [float(v) if isinstance(v, int) else v for v in layers]
        return dict(call("nn_new", *values))
    return verbs.new(*layers)


def check(model: Model, *, backend: Backend = "octave") -> tuple[bool, list[str]]:
    """Say whether a network is sound, with every fault.

    Parameters
    ----------
    model : dict or path
        A network.
    backend : {'octave', 'numpy'}
        Where it is computed.

    Returns
    -------
    ok : bool
        True where nothing is wrong.
    faults : list of str
        What is wrong, and where.
    """
    if is_octave(backend):
        ok, faults = call("nn_check", argument(model), nargout=2)
    else:
        ok, faults = verbs.check(in_memory(model))
    return bool(ok), list(faults)


def shrink(model: Model, **settings: Any) -> tuple[Any, Info]:
    """Remove dead filters and neurons through the graph; outputs stay the same.

    Parameters
    ----------
    model : dict or path
        A network.
    **settings
        ``sort``: units with many weights first, which codes smaller; backend, output, compress,
        coding, timeout: as for `pyoctcompress.prune`.

    Returns
    -------
    model : dict or pathlib.Path
        The smaller network.
    info : dict
        What was removed.
    """
    return _on_model("shrink", model, NOTHING, NOTHING, settings)


def student(teacher: Model, **settings: Any) -> tuple[Any, Info]:
    """Make a smaller network out of a large one, for `pyoctcompress.distill` to train.

    Parameters
    ----------
    teacher : dict or path
        A network.
    **settings
        The options of ``nn_student`` (``width``, ``depth`` or ``bytes``, and more), and backend,
        output, compress, timeout: as for `pyoctcompress.prune`.

    Returns
    -------
    model : dict or pathlib.Path
        A network with the same inputs and outputs, made of the teacher's most important units.
    info : dict
        width, and parameters, macs and bytes of both.
    """
    return _on_model("student", teacher, NOTHING, NOTHING, settings)


def lowrank(model: Model, **settings: Any) -> tuple[Any, Info]:
    """Factor dense and convolution layers into two of low rank.

    Parameters
    ----------
    model : dict or path
        A network.
    **settings
        The options of ``nn_lowrank``, and backend, output, compress, coding, timeout.

    Returns
    -------
    model : dict or pathlib.Path
        The network with ordinary layers in place of the large ones.
    info : dict
        Ranks, layer by layer.
    """
    return _on_model("lowrank", model, NOTHING, NOTHING, settings)


def correct(model: Model, **settings: Any) -> tuple[Any, Info]:
    """Correct biases, scales or batch norms after compression, without training.

    Parameters
    ----------
    model : dict or path
        A compressed network.
    **settings
        The options of ``nn_correct``, and backend, output, compress, coding, timeout.

    Returns
    -------
    model : dict or pathlib.Path
        The corrected network.
    info : dict
        What was corrected, layer by layer.
    """
    return _on_model("correct", model, NOTHING, NOTHING, settings)


def fold(model: Model, **settings: Any) -> tuple[Any, Info]:
    """Fold batch normalisation into the layers before it.

    Parameters
    ----------
    model : dict or path
        A network.
    **settings
        backend, output, compress, coding, timeout: as for `pyoctcompress.prune`.

    Returns
    -------
    model : dict or pathlib.Path
        The network without these layers.
    info : dict
        What was folded.
    """
    return _on_model("fold", model, NOTHING, NOTHING, settings)


def equalize(model: Model, **settings: Any) -> tuple[Any, Info]:
    """Even out the ranges of neighbouring layers before quantization.

    Parameters
    ----------
    model : dict or path
        A network.
    **settings
        The options of ``nn_equalize``, and backend, output, compress, coding, timeout.

    Returns
    -------
    model : dict or pathlib.Path
        A network that computes the same.
    info : dict
        Which layers were matched.
    """
    return _on_model("equalize", model, NOTHING, NOTHING, settings)


def calibrate(model: Model, X: Any, **settings: Any) -> tuple[Any, Info]:
    """Give the activations of a network grids from the values they take on data.

    Parameters
    ----------
    model : dict or path
        A network.
    X : array or DataFile
        Calibration inputs.
    **settings
        The options of ``nn_calibrate``, and backend, output, compress, coding, timeout.

    Returns
    -------
    model : dict or pathlib.Path
        The network with grids in ``layer.quantization.output``.
    info : dict
        Ranges and scales, layer by layer.
    """
    return _on_model("calibrate", model, X, NOTHING, settings)


def prune_train(model: Model, X: Any, Y: Any = None, **settings: Any) -> tuple[Any, Info]:
    """Prune step by step while training.

    Parameters
    ----------
    model : dict or path
        A network.
    X, Y : array or DataFile
        As for `pyoctcompress.train`.
    **settings
        The options of ``nn_prune_train``, and backend, output, compress, coding, timeout, progress.

    Returns
    -------
    model : dict or pathlib.Path
        The pruned and trained network.
    info : dict
        The course of the training.
    """
    return _on_model("prune_train", model, X, Y, settings)


def quantize_train(model: Model, X: Any, Y: Any = None, **settings: Any) -> tuple[Any, Info]:
    """Train a quantized network with learned steps or codebooks.

    Parameters
    ----------
    model : dict or path
        A quantized network.
    X, Y : array or DataFile
        As for `pyoctcompress.train`.
    **settings
        The options of ``nn_quantize_train``, and backend, output, compress, coding, timeout and
        progress.

    Returns
    -------
    model : dict or pathlib.Path
        The trained network, still quantized.
    info : dict
        The course of the training.
    """
    return _on_model("quantize_train", model, X, Y, settings)


def rdoq(model: Model, **settings: Any) -> tuple[Any, Info]:
    """Put all weights on grids so that the coded bytes and the error are least together.

    Parameters
    ----------
    model : dict or path
        A network, or without data any dict of arrays.
    **settings
        The options of ``nn_rdoq``: ``data`` (an array or a `DataFile`, unlabelled), ``tradeoff``,
        or a target: ``bytes`` or ``max_drop``, and more; and backend, output, compress, coding,
        timeout.

    Returns
    -------
    model : dict or pathlib.Path
        The network on its grids; save it with ``coding="auto"``.
    info : dict
        tradeoff, bytes, agreement, output_error, layers, runs, options.
    """
    return _on_model("rdoq", model, NOTHING, NOTHING, settings)


def sensitivity(
    model: Model, X: Any, Y: Any = None, *, backend: Backend = "octave", **options: Any
) -> Info:
    """Find the layers that lose most when they are quantized, and why.

    Parameters
    ----------
    model : dict or path
        A network.
    X, Y : array or DataFile
        Observations and labels.
    backend : {'octave', 'numpy'}
        Where it is computed.
    **options
        Those of ``nn_sensitivity``.

    Returns
    -------
    dict
        The report: layers (a list of dicts) and options.
    """
    if is_octave(backend):
        return dict(
            call(
                "nn_sensitivity", argument(model), *data_arguments(X, Y, 2), *option_pairs(options)
            )
        )
    return dict(verbs.sensitivity(in_memory(model), *loaded(X, Y), **options))


def mixed(
    model: Model, X: Any, Y: Any = None, *, backend: Backend = "octave", **options: Any
) -> tuple[Any, Info]:
    """Choose the bits of each layer under a budget of bytes or accuracy.

    Parameters
    ----------
    model : dict or path
        A network.
    X, Y : array or DataFile
        Observations and labels.
    backend : {'octave', 'numpy'}
        Where it is computed.
    **options
        Those of ``nn_mixed``.

    Returns
    -------
    bits : object
        What ``pyoctcompress.quantize (model, bits=...)`` takes.
    info : dict
        The steps of the choice.
    """
    if is_octave(backend):
        bits, info = call(
            "nn_mixed", argument(model), *data_arguments(X, Y, 2), *option_pairs(options), nargout=2
        )
    else:
        bits, info = verbs.mixed(in_memory(model), *loaded(X, Y), **options)
    return bits, dict(info)


def _on_model(verb: str, model: Model, X: Any, Y: Any, settings: Info) -> tuple[Any, Info]:
    """Call a verb that gives a model and its info; settings hold options and how to run it."""
    options = dict(settings)
    backend: Backend = options.pop("backend", "octave")
    output: File | None = options.pop("output", None)
    form = (bool(options.pop("compress", False)), str(options.pop("coding", "none")))
    timeout: float | None = options.pop("timeout", None)
    progress: Any = options.pop("progress", None)
    inputs = [] if X is NOTHING else [X, Y]
    return changed(verb, [model], inputs, options, backend, output, form, timeout, progress)
