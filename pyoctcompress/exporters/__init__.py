"""Write networks for other runtimes, and back into the layouts that they came from.

One module for each target: `to_onnx`, `to_tflite`, `to_c`, `to_safetensors`, `to_mat73`, and
`to_source` for the way back. ``docs/deployment.md``
is the guide.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from pyoctcompress.calling import Backend, Model
from pyoctcompress.errors import error_from
from pyoctcompress.exporters.constants import CALLER
from pyoctcompress.exporters.to_source import MAT_LAYOUTS, layout_of
from pyoctcompress.files import File, load

# target: (module, what it needs, its options)
TARGETS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "onnx": ("to_onnx", ("onnx",), ("precision", "opset")),
    "tflite": ("to_tflite", ("tflite", "flatbuffers"), ("precision",)),
    "c": ("to_c", (), ("precision", "storage", "name", "requantization")),
    "safetensors": ("to_safetensors", (), ()),
    "source": ("to_source", (), ("source",)),
    "mat73": ("to_mat73", ("h5py",), ()),
}
_ENDINGS = {".onnx": "onnx", ".tflite": "tflite", ".c": "c", ".h": "c"}
# Back to the source where the model came from such a file; else this.
_LAYOUTS: dict[str, tuple[str, ...]] = {
    ".safetensors": ("safetensors", "safetensors", "pytorch"),
    ".h5": ("source", "keras"),
    ".hdf5": ("source", "keras"),
    ".keras": ("source", "keras"),
    ".mat": ("mat73", *MAT_LAYOUTS),
}


def export(
    model: Model,
    path: File,
    *,
    target: str | None = None,
    data: Any = None,
    labels: Any = None,
    check: bool = True,
    backend: Backend = "octave",
    timeout: float | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Write a network for another runtime, run it there, and compare.

    Parameters
    ----------
    model : dict or path
        A network.
    path : path
        The file; its ending says the target. It appears whole or not at all.
    target : str, optional
        ``onnx``, ``tflite``, ``c``; ``source``: the layout that the network came from (MatConvNet,
        DeepLearnToolbox, course files, PyTorch's names, Keras, safetensors); ``safetensors`` in
        PyTorch's layout; ``mat73``, MATLAB's -v7.3. The ending of `path` says it unless given.
    data : array or DataFile, optional
        Inputs as for `predict`, on which both are compared; random numbers unless given.
    labels : array, optional
        N class numbers; a `DataFile` brings its own.
    check : bool
        Run the file in its runtime, where that is installed (True).
    backend : {'octave', 'numpy'}
        Where our own results are computed.
    timeout : float, optional
        Seconds after which Octave is stopped.
    **options
        ``precision``: ``float``, ``weights`` (as integers) or ``integer`` (activations too); what
        the model's grids say unless given. ONNX: ``opset`` (17; int4 from 21). C: ``storage``
        (``auto``, ``dense``, ``sparse``, ``packed``), ``name``, ``requantization``. Back to the
        source: ``source``, the file that the network came from, where it has moved.

    Returns
    -------
    dict
        file, files, bytes, target, precision, notes (list of str), seconds, and check: a dict with
        measured, runtime, reason (why it was not measured), observations, difference (the largest
        of the outputs, relative to the largest output), agreement (share of equal classes), and
        with labels accuracy and accuracy_there.

    Raises
    ------
    OctcompressError
        ``octcompress:export:badValue``, ``unknownOption``, ``unsupported`` (names all layers that
        the target cannot hold), ``notQuantized``, ``notModel``, ``notInstalled``, ``notWritten``.
    """
    path = Path(os.fspath(path))
    network = load(model) if isinstance(model, str | os.PathLike) else model
    target = target or _target_of(path, network)
    module, needs, known = TARGETS.get(target, ("", (), ()))
    if not module:
        _fail("badValue", f"TARGET must be one of '{_list(TARGETS)}', but is {target!r}")
    for name in options:
        if name not in known:
            _fail(
                "unknownOption",
                f"there is no option '{name}' for {target}; the options are "
                f"{', '.join(known) or 'none'}",
            )
    for package in needs:
        _require(package)
    from pyoctcompress.exporters import compare

    started = time.monotonic()
    writer = importlib.import_module(f"{__name__}.{module}")
    written = writer.write(network, path, **{k: v for k, v in options.items() if v is not None})
    seconds = time.monotonic() - started
    files = written.files or [path]
    found: dict[str, Any] = {"measured": False, "reason": "it was not asked for"}
    if check:
        settings = {"backend": backend, "timeout": timeout}
        found = compare.compare(target, files[0], network, written, data, labels, settings, options)
    return {
        "file": os.fspath(files[0]),
        "files": [os.fspath(file) for file in files],
        "bytes": sum(file.stat().st_size for file in files),
        "target": target,
        "precision": written.precision,
        "notes": written.notes,
        "seconds": seconds,
        "check": found,
    }


def _target_of(path: Path, model: Any) -> str:
    ending = path.suffix.lower()
    if ending in _LAYOUTS:
        other, *layouts = _LAYOUTS[ending]
        return "source" if layout_of(model)[0] in layouts else other
    if ending not in _ENDINGS:
        _fail(
            "badValue",
            f"PATH must end in one of '{_list([*_ENDINGS, *_LAYOUTS])}', or TARGET must be given, "
            f"but it is '{path}'",
        )
    return _ENDINGS[ending]


def _require(package: str) -> None:
    try:
        importlib.import_module(package)
    except ImportError:
        _fail(
            "notInstalled",
            f"this needs the package {package}; install it with `pip install "
            "'octcompress[convert]'`",
        )


def _list(names: Iterable[str]) -> str:
    return "', '".join(names)


def _fail(tag: str, message: str) -> NoReturn:
    raise error_from(f"octcompress:{CALLER}:{tag}", f"{CALLER}: {message}")
