"""The bridge to Octave: calls of the toolbox's functions in a child process.

Examples
--------
>>> from pyoctcompress.octave import PathModel, call
>>> call("octcompress.quant.choose_grid", w, 8.0, "symmetric", 0.0)      # doctest: +SKIP
>>> call("nn_info", PathModel("lenet300.mat"))                          # doctest: +SKIP

`call` takes a session from a pool; `Session` is one Octave of one's own. Arguments and results
travel in .mat files written and read by `pyoctcompress.matfile`, so its table says which value
becomes which; `Call`, `PathModel` and `PathData` are arguments that Octave loads by itself.
"""

from __future__ import annotations

from pyoctcompress.octave.arguments import Call, Keep, PathData, PathModel
from pyoctcompress.octave.pool import call, close_all, lend
from pyoctcompress.octave.session import Progress, Session
from pyoctcompress.octave.setup import INSTALL, find_octave, package_folder

__all__ = [
    "INSTALL",
    "Call",
    "Keep",
    "PathData",
    "PathModel",
    "Progress",
    "Session",
    "call",
    "close_all",
    "find_octave",
    "lend",
    "package_folder",
]
