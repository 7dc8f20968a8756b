"""The file of a sweep: a line of JSON for each configuration, written as soon as it is known."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pyoctcompress.errors import FileError

Row = dict[str, Any]

# Differences below this share of the latency are within what timing can tell.
LATENCY_TOLERANCE = 0.1


class Results:
    """The rows of a sweep, in memory and on disk.

    An existing file of the same sweep is continued; a line that was cut off when the process was
    killed is dropped.

    Parameters
    ----------
    path : path
        The file, one JSON object a line; the first is the heading.
    heading : dict
        What all rows rest on: hashes of the model and of the data, settings.

    Raises
    ------
    FileError
        ``octcompress:sweep:badFile``: the file is not of a sweep, or of one with another heading.
    """

    def __init__(self, path: str | os.PathLike[str], heading: Mapping[str, Any]) -> None:
        self.path = os.fspath(path)
        self.rows: list[Row] = []
        end = 0
        if os.path.exists(self.path):
            found, self.rows, end = _read(self.path)
            if found is not None and found != dict(heading):
                differ = [k for k in {**found, **heading} if found.get(k) != heading.get(k)]
                raise FileError(
                    f"sweep: {self.path!r} holds a sweep with another {', '.join(sorted(differ))}; "
                    "name another file, or remove this one",
                    "octcompress:sweep:badFile",
                )
        self._file = open(self.path, "r+b" if end else "wb")  # noqa: SIM115
        self._file.seek(end)
        self._file.truncate()
        if not end:
            self._write({"sweep": 1, **heading})

    def add(self, row: Row) -> None:
        """Keep a row, and see it to the disk."""
        self._write(row)
        self.rows.append(row)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, value: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(value).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read(path: str | os.PathLike[str]) -> list[Row]:
    """Read the rows of a sweep's file.

    Parameters
    ----------
    path : path
        As `sweep` wrote it.

    Returns
    -------
    list of dict
        The rows that are whole.

    Raises
    ------
    FileError
        ``octcompress:sweep:noFile``, ``badFile``.
    """
    if not os.path.exists(path):
        raise FileError(f"sweep: there is no file {os.fspath(path)!r}", "octcompress:sweep:noFile")
    return _read(os.fspath(path))[1]


def _read(path: str) -> tuple[dict[str, Any] | None, list[Row], int]:
    """Give the heading (None: not even that is whole), the rows, and where they end."""
    with open(path, "rb") as file:
        whole, newline, _ = file.read().rpartition(b"\n")
    values = []
    try:
        for line in whole.split(b"\n") if newline else []:
            values.append(json.loads(line))
        if values and not (isinstance(values[0], dict) and values[0].pop("sweep", None) == 1):
            raise ValueError
        if any(not isinstance(row, dict) or "key" not in row for row in values[1:]):
            raise ValueError
    except ValueError:
        raise FileError(
            f"sweep: {path!r} is not the file of a sweep (line {len(values) + 1}); name another",
            "octcompress:sweep:badFile",
        ) from None
    return (values[0] if values else None), values[1:], len(whole) + len(newline)


def pareto(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Find the rows that no other one beats: error against bytes against latency.

    Parameters
    ----------
    rows : sequence of dict
        With ``error``, ``bytes`` and perhaps ``latency``; rows without an error are passed over.

    Returns
    -------
    list of int
        Their places, by rising bytes. A row is beaten by one that is no worse in anything and
        better in error or bytes, or faster by more than a tenth: timing tells no less than that.

    Examples
    --------
    >>> pareto([{"error": 0.02, "bytes": 10}, {"error": 0.03, "bytes": 12},
    ...         {"error": 0.01, "bytes": 20}])
    [0, 2]
    """
    places = [k for k, row in enumerate(rows) if "error" in row]
    front = [k for k in places if not any(_beats(rows[j], rows[k]) for j in places if j != k)]
    return sorted(front, key=lambda k: (rows[k]["bytes"], rows[k]["error"]))


def _beats(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    slack = 1 + LATENCY_TOLERANCE
    fast_a, fast_b = a.get("latency", 0.0), b.get("latency", 0.0)
    if a["error"] > b["error"] or a["bytes"] > b["bytes"] or fast_a > slack * fast_b:
        return False
    return bool(a["error"] < b["error"] or a["bytes"] < b["bytes"] or slack * fast_a < fast_b)
