"""Read any kind of .mat file, trusting none of its bytes."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pyoctcompress.matfile import octave_binary, octave_text, version4, version5
from pyoctcompress.matfile import types as t


def load(
    path: str | os.PathLike[str],
    names: Collection[str] | None = None,
    memory_limit: int | None = None,
    caller: str = "nn_load",
    left_out: list[str] | None = None,
) -> dict[str, Any]:
    """Read variables of a .mat file.

    Parameters
    ----------
    path : path
        A file of MATLAB's -v4, -v6, -v7 or -v7.3, or of Octave's -text, -binary or -hdf5; v7.3
        and -hdf5 need the library h5py.
    names : collection of str, optional
        The variables to read, where the file has them; all unless given.
    memory_limit : int, optional
        Refuse a file that needs more bytes than this; half of the machine's memory unless given.
    caller : str
        The function that errors name.
    left_out : list of str, optional
        Where it is given, objects and function handles do not make the file refused: they are
        read as ``[]`` and noted here; an object of an old-style class (``network``) is read as the
        struct of its fields.

    Returns
    -------
    dict
        Name to value; the classes are those of the table in `pyoctcompress.matfile`.

    Raises
    ------
    FileError
        ``octcompress:nn_load:noFile``, ``badFile``, ``gitLfs``, ``truncated``, ``damaged``,
        ``tooLarge``.
    SessionError
        ``octcompress:nn_load:noLibrary``: h5py is not installed.
    """
    if memory_limit is None:
        memory_limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    path = Path(path)
    try:
        with _opened(path) as file:
            kind = _kind(path, file.read(1024), os.fstat(file.fileno()).st_size)
            if kind in ("<", ">"):
                return version5.read(path, file, kind, names, memory_limit, left_out)
            if kind == "hdf5":
                from pyoctcompress.matfile import hdf5

                return hdf5.read(path, names, memory_limit, left_out)
            if kind == "v4":
                return version4.read(path, file, names, memory_limit)
            if kind == "text":
                return octave_text.read(path, file, names, memory_limit)
            return octave_binary.read(path, file, names, memory_limit)
    except t.Fault as fault:
        raise fault.error(caller) from None
    except MemoryError:
        excess = t.Fault("tooLarge", f"'{path}' needs more memory than there is")
        raise excess.error(caller) from None


def check(path: str | os.PathLike[str], caller: str = "nn_load") -> int:
    """Check that a file is of MAT version 5 and complete, by its top level only.

    Parameters
    ----------
    path : path
        The file.
    caller : str
        The function that errors name.

    Returns
    -------
    int
        The number of variables.

    Raises
    ------
    FileError
        As for `load`, with what the file is instead and what to do.
    """
    path = Path(path)
    try:
        with _opened(path) as file:
            kind = _kind(path, file.read(1024), os.fstat(file.fileno()).st_size)
            if kind not in ("<", ">"):
                raise t.Fault("badFile", f"'{path}' is not of MAT version 5")
            return len(version5.places(path, file, kind))
    except t.Fault as fault:
        raise fault.error(caller) from None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
            kind = "a folder; name a .mat file in it" if path.is_dir() else "not an ordinary file"
            raise t.Fault("badFile", f"'{path}' is {kind}")
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise t.Fault("noFile", f"there is no file '{path}'") from None
    except OSError as error:
        raise t.Fault("badFile", f"'{path}' cannot be read: {error.strerror}") from None


_CONVERT = "`octcompress convert` reads it"
_SIGNATURES = (
    (
        b"version https://git-lfs",
        "gitLfs",
        "is a Git LFS pointer, not the file itself: run `git lfs pull` where it came from",
    ),
    (b"\x1f\x8b", "badFile", "is compressed by gzip: run `gunzip` on it first"),
    (
        b"PK\x03\x04",
        "badFile",
        f"is a zip archive: unpack it first; if it is a model of Keras or PyTorch, {_CONVERT}",
    ),
    (b"\x93NUMPY", "badFile", "is a NumPy file: load it with numpy.load"),
)


def _kind(path: Path, head: bytes, size: int) -> str:
    """'<' or '>' for MAT version 5 of that byte order, 'v4', 'hdf5', 'text' or 'binary'."""
    if size == 0:
        raise t.Fault("truncated", f"'{path}' is empty (0 bytes)")
    for signature, tag, meaning in _SIGNATURES:
        if head.startswith(signature):
            raise t.Fault(tag, f"'{path}' {meaning}")
    if head.startswith((b"# Created by Octave", b"# name:")):
        return "text"
    if head.startswith(b"Octave-1-"):
        return "binary"
    if b"\x89HDF\r\n\x1a\n" in (head[:8], head[512:520]):
        return "hdf5"
    if len(head) >= 20 and 0 in head[:4] and _is_version_4(head):
        return "v4"
    if size < 128:
        raise t.Fault("truncated", f"'{path}' is no .mat file, or truncated: it has {size} bytes")
    mark = head[126:128]
    if mark not in (b"IM", b"MI"):
        raise t.Fault("badFile", f"'{path}' is not a .mat file, or its header is damaged; if it is "
                      f"a model of another framework, {_CONVERT}")  # fmt: skip
    order = "<" if mark == b"IM" else ">"
    version = int(np.frombuffer(head[124:126], order + "u2")[0])
    if version == 0x0200:
        raise t.Fault("damaged", f"'{path}' is damaged: it says v7.3, but holds no HDF5")
    if version != 0x0100:
        raise t.Fault("badFile", f"'{path}' has the unknown MAT version {version:#06x}")
    return order


def _is_version_4(head: bytes) -> bool:
    for order in "<>":
        kind, rows, columns, imaginary, name = (
            int(n) for n in np.frombuffer(head[:20], order + "i4")
        )
        digits = (kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10)
        if (
            0 <= kind < 5000
            and digits[1] == 0
            and digits[2] <= 5
            and digits[3] <= 2
            and min(rows, columns) >= 0
            and imaginary in (0, 1)
            and 1 < name < 256
        ):
            return True
    return False
