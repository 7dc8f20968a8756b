"""Models in files, packed ones too."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from pyoctcompress import matfile
from pyoctcompress.errors import FileError, OctcompressError, OptionError
from pyoctcompress.reference.coding_read import read_tree, unseal
from pyoctcompress.reference.internal import check
from pyoctcompress.reference.nn_pack import add_up, pack, unpack

File = str | os.PathLike[str]
CODINGS = ("none", "auto", "huffman", "rans")


def read(
    file: File, names: Collection[str] | None = None, caller: str = "nn_load"
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read the variables of a .mat file, or the model that a packed file holds.

    Parameters
    ----------
    file : path
        The file.
    names : collection of str, optional
        The variables to read, where the file has them; all unless given.
    caller : str
        The function that errors name.

    Returns
    -------
    found : dict
        The variables.
    packing : dict or None
        The info of `pyoctcompress.unpack` for a packed file.
    """
    wanted = None if names is None else [*names, "octc"]
    found = matfile.load(file, wanted, caller=caller)
    if "octc" not in found:
        return found, None
    try:
        model, packing = unpack(found)
    except OctcompressError as error:
        tag = "version" if error.tag == "version" else "damaged"
        message = f"{caller}: '{os.fspath(file)}' cannot be read: {error.message}"
        raise FileError(message, f"octcompress:{caller}:{tag}") from None
    if names is not None:
        model = {name: value for name, value in model.items() if name in names}
    return model, packing


def write(
    file: File,
    model: Mapping[str, Any],
    compress: bool = False,
    coding: str = "none",
    readable: bool = False,
) -> dict[str, Any]:
    """Write a model, tidy where it is a network: `pyoctcompress.save` without its checks of it."""
    check("nn_save", "coding", coding, "choice", CODINGS)
    options = {"coding": coding, "readable": readable, "compress": compress}
    if coding == "none":
        if readable:
            _refuse("READABLE is for coded files; give CODING too, 'auto' for one")
        size = matfile.save(file, model, compress=compress)
        return {"file": os.fspath(file), "bytes": size, "options": options}
    if compress:
        _refuse("COMPRESS deflates files that are not coded; leave it out, or CODING")
    matfile.nbytes(model)  # refuses what no .mat file can hold
    packed, packing = pack(model, coding=coding)
    data = packed["octc"].tobytes()
    if readable:
        tree, _ = unseal("nn_save", data)
        skeleton, _ = read_tree(tree, None, len(data) << 18)
        size = matfile.save(file, {**skeleton, **packed})
    else:
        size = matfile.save_packed(file, data)
    totals = add_up(packing["rows"], len(data), size)
    return {
        "file": os.fspath(file),
        "bytes": size,
        "options": options,
        "rows": packing["rows"],
        "totals": totals,
    }


def _refuse(message: str) -> None:
    raise OptionError(f"nn_save: {message}", "octcompress:nn_save:badValue")
