"""Models in files, read and written in Python itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pyoctcompress import modelfile
from pyoctcompress.errors import OptionError
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import check
from pyoctcompress.reference.recognize import recognize

File = str | os.PathLike[str]


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
