"""Compress neural networks in .mat files: prune, quantize, distil.

Examples
--------
>>> import pyoctcompress as oc
>>> model = oc.load("lenet300.mat")                                     # doctest: +SKIP
>>> small, info = oc.prune(model, sparsity=0.9, scope="global")         # doctest: +SKIP
>>> small, info = oc.quantize(small, bits=4, granularity="channel")     # doctest: +SKIP
>>> oc.save("small.mat", small, compress=True)                          # doctest: +SKIP

The verbs are those of the Octave package without ``nn_``, with the same options as keywords, and
run in Octave (``backend="octave"``) or in NumPy (``backend="numpy"``) with the same results.
``docs/python.md`` is the guide.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pyoctcompress._version import __version__
from pyoctcompress.errors import (
    DataError,
    FileError,
    ModelError,
    OctaveError,
    OctcompressError,
    OptionError,
    SessionError,
)

if TYPE_CHECKING:
    from pyoctcompress.agreement import crosscheck
    from pyoctcompress.api import (
        distill,
        evaluate,
        info,
        pack,
        predict,
        prune,
        quantize,
        train,
        unpack,
    )
    from pyoctcompress.compressing import compress, recipes
    from pyoctcompress.datafile import DataFile, data
    from pyoctcompress.exporters import export
    from pyoctcompress.files import load, save
    from pyoctcompress.health import doctor
    from pyoctcompress.importers import convert
    from pyoctcompress.matfile import StructArray
    from pyoctcompress.methods import (
        calibrate,
        check,
        correct,
        equalize,
        fold,
        lowrank,
        mixed,
        new,
        prune_train,
        quantize_train,
        rdoq,
        sensitivity,
        shrink,
        student,
    )
    from pyoctcompress.octave import Session
    from pyoctcompress.reporting.page import report
    from pyoctcompress.speed import latency
    from pyoctcompress.sweeps import sweep

__all__ = [
    "DataError",
    "DataFile",
    "FileError",
    "ModelError",
    "OctaveError",
    "OctcompressError",
    "OptionError",
    "Session",
    "SessionError",
    "StructArray",
    "__version__",
    "calibrate",
    "check",
    "compress",
    "convert",
    "correct",
    "crosscheck",
    "data",
    "distill",
    "doctor",
    "equalize",
    "evaluate",
    "export",
    "fold",
    "info",
    "latency",
    "load",
    "lowrank",
    "mixed",
    "new",
    "pack",
    "predict",
    "prune",
    "prune_train",
    "quantize",
    "quantize_train",
    "rdoq",
    "recipes",
    "report",
    "save",
    "sensitivity",
    "shrink",
    "student",
    "sweep",
    "train",
    "unpack",
]

# Loaded at first use: `import pyoctcompress` imports neither NumPy nor SciPy nor oct2py.
_HOME = {
    "DataFile": "datafile",
    "Session": "octave",
    "StructArray": "matfile",
    "calibrate": "methods",
    "check": "methods",
    "compress": "compressing",
    "convert": "importers",
    "correct": "methods",
    "crosscheck": "agreement",
    "data": "datafile",
    "doctor": "health",
    "equalize": "methods",
    "export": "exporters",
    "fold": "methods",
    "latency": "speed",
    "load": "files",
    "lowrank": "methods",
    "mixed": "methods",
    "new": "methods",
    "prune_train": "methods",
    "quantize_train": "methods",
    "rdoq": "methods",
    "recipes": "compressing",
    "report": "reporting.page",
    "save": "files",
    "sensitivity": "methods",
    "shrink": "methods",
    "student": "methods",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
