"""Take bytes from a file one after the other, never more than there are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt

from pyoctcompress.matfile import types as t


class Account:
    """What a file may still use, and how its faults are told.

    Parameters
    ----------
    path : path
        Named in errors.
    limit : int
        Bytes that its arrays may take.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.limit = limit

    def fail(self, message: str) -> NoReturn:
        """Raise that the file is damaged."""
        raise t.Fault("damaged", f"'{self.path}' is damaged: {message}")

    def spend(self, count: int) -> None:
        """Take bytes out of what the file may use."""
        self.limit -= count
        if self.limit < 0:
            raise t.Fault("tooLarge", f"'{self.path}' needs more memory than its limit")


class Buffer(Account):
    """A file that is read forward.

    Parameters
    ----------
    path : path
        Named in errors.
    file : file object
        Read from its beginning.
    limit : int
        Bytes that its arrays may take.
    order : str
        '<' or '>', the byte order of its numbers.
    """

    def __init__(self, path: Path, file: BinaryIO, limit: int, order: str = "<") -> None:
        super().__init__(path, limit)
        file.seek(0)
        self.file = file
        self.order = order
        self.size = os.fstat(file.fileno()).st_size

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return self.size - self.file.tell()

    def require(self, count: int, what: str) -> None:
        """Refuse a file that ends before `count` more bytes."""
        if count > self.left:
            raise t.Fault(
                "truncated",
                f"'{self.path}' is truncated: {what} needs {count} bytes, but {self.left} are "
                "left; copy or download the file again",
            )

    def bytes(self, count: int, what: str) -> bytes:
        """Give the next bytes."""
        self.require(count, what)
        return self.file.read(count)

    def numbers(self, dtype: str, count: int, what: str) -> npt.NDArray[Any]:
        """Give the next numbers, in the machine's own byte order."""
        kind = np.dtype(self.order + dtype)
        self.require(count * kind.itemsize, what)
        self.spend(count * kind.itemsize)
        found = np.fromfile(self.file, kind, count)
        return found.astype(kind.newbyteorder("="), copy=False)

    def number(self, dtype: str, what: str) -> int:
        """Give the next whole number."""
        return int(self.numbers(dtype, 1, what)[0])
