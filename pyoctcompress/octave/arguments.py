"""Arguments that Octave makes by itself, and outputs that it keeps: nothing of them travels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, init=False)
class Call:
    """A call whose outputs take the place of this argument.

    Parameters
    ----------
    name : str
        A public function of the toolbox.
    *args : object
        Its arguments.
    nargout : int
        How many outputs to ask for.
    take : sequence of int, optional
        The outputs that stand here, counted from 1, each an argument of its own; all unless given.
    """

    name: str
    args: tuple[Any, ...]
    nargout: int
    take: tuple[int, ...]

    def __init__(
        self, name: str, *args: Any, nargout: int = 1, take: Sequence[int] | None = None
    ) -> None:
        object.__setattr__(self, "take", tuple(range(1, nargout + 1) if take is None else take))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "nargout", nargout)


def PathModel(path: str | os.PathLike[str]) -> Call:
    """Make the argument for a model in a file, which Octave loads with ``nn_load``."""
    return Call("nn_load", os.path.abspath(path))


def PathData(
    path: str | os.PathLike[str], part: str = "test", nargout: int = 2, **options: Any
) -> Call:
    """Make the arguments X and Y for a data file, which Octave loads with ``nn_data``."""
    return Call("nn_data", os.path.abspath(path), part, options, nargout=nargout)


@dataclass(frozen=True)
class Keep:
    """Where Octave saves an output instead of returning it; the path is returned.

    Parameters
    ----------
    path : path
        The file that ``nn_save`` writes.
    compress : bool
        Write as -v7 does, deflated.
    coding : str
        Write a packed file, by this coding of ``nn_save``.
    """

    path: str | os.PathLike[str]
    compress: bool = False
    coding: str = "none"


def request(
    name: str, args: Sequence[Any], nargout: int, keep: Sequence[Keep | None]
) -> dict[str, Any]:
    """Make the variables of a request file, as ``octcompress.internal.serve`` reads them."""
    places = []
    for place in keep:
        if place is None:
            places.append({"path": "", "options": []})
        else:
            options: list[Any] = ["compress", True] if place.compress else []
            options += [] if place.coding == "none" else ["coding", place.coding]
            places.append({"path": os.path.abspath(place.path), "options": options})
    return _packed(Call(name, *args, nargout=nargout)) | {"keep": places}


def _packed(call: Call) -> dict[str, Any]:
    args = [_packed(arg) if isinstance(arg, Call) else {"value": arg} for arg in call.args]
    take = np.array(call.take, np.float64).reshape(1, -1)
    return {"name": call.name, "args": args, "nargout": float(call.nargout), "take": take}
