"""Where a network's arrays stood in the file that it came from, and how they stood there.

``layer.source`` says it (``docs/model-format.md``, *Where a model came from*).
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyoctcompress.exporters.constants import CALLER
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import Array, fail, is_empty, scalar, value_array
from pyoctcompress.reference.layers import TYPES
from pyoctcompress.reference.layers.common import option, weights_size


@dataclass(frozen=True)
class Place:
    """One array of ours and its place in the source.

    Attributes
    ----------
    owner : str
        Layer and field, for messages.
    name : str
        Of the array in the source.
    array : array
        Ours, of its full size.
    size, order : list of int
        The array's size there, and the permutation (from 0) that makes it ours.
    part : tuple or None
        The first column and the one after the last (from 0) that are ours.
    rule : str
        ``sigma``, ``maps``, ``flip``, or nothing.
    epsilon : float
        Of the layer's normalisation.
    """

    owner: str
    name: str
    array: Array
    size: list[int]
    order: list[int]
    part: tuple[int, int] | None
    rule: str
    epsilon: float

    def theirs(self) -> Array:
        """Give the array as it stands in the source; of a part, those columns."""
        values = self.array
        if self.rule == "sigma":
            values = np.sqrt(values.astype(np.float64) + self.epsilon)
        if self.rule in ("flip", "maps") and values.ndim == 4:
            values = values[::-1, ::-1]
        turned = [self.size[d] for d in self.order]
        if self.part is not None:
            turned[1] = self.part[1] - self.part[0]
        if values.size != np.prod(turned) and values.ndim == len(turned):
            turned = list(values.shape)  # a network that became smaller
        values = values.reshape(turned, order="F")
        return values if self.part is not None else values.transpose(np.argsort(self.order))

    @property
    def grown(self) -> bool:
        """Whether the array has another size than in the source."""
        turned = [self.size[d] for d in self.order]
        if self.part is not None:
            turned[1] = self.part[1] - self.part[0]
        return bool(self.array.size != np.prod(turned))


def assembled(group: Sequence[Place], old: Array | None) -> Array:
    """Give an array of the source with all that is ours in it.

    Parameters
    ----------
    group : sequence of Place
        All places of this array.
    old : array or None
        As it is in the source.
    """
    first = group[0]
    if first.part is None:
        return first.theirs()
    blocks = [(place.part or (0, 0), place.theirs()) for place in group]
    kept = old is not None and old.shape == tuple(first.size)
    if kept and not any(place.grown for place in group):
        assert old is not None
        whole = old.transpose(first.order).copy()
    else:
        width = max(start + values.shape[1] for (start, _), values in blocks)
        whole = np.zeros((blocks[0][1].shape[0], width), blocks[0][1].dtype)
    for (start, _), values in blocks:
        whole[:, start : start + values.shape[1]] = values
    return whole.transpose(np.argsort(first.order))


def by_name(places: Sequence[Place]) -> dict[str, list[Place]]:
    """Put the places of each array together."""
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(place.name, []).append(place)
    return groups


def places_of(model: graph.Model) -> list[Place]:
    """List the arrays of a network with their places.

    Raises
    ------
    ModelError
        ``octcompress:export:unsupported``: names all arrays that have no place.
    """
    found: list[Place] = []
    lost: list[str] = []
    for layer in model["layers"]:
        entry = TYPES[layer["type"]]
        records = layer.get("source", {})
        for name in (*entry.trained, *entry.statistics):
            if is_empty(layer.get(name)):
                continue
            record = records.get(name)
            owner = f"'{layer['name']}'.{name}"
            if record is None:
                if np.any(value_array(layer[name]) != (1 if name == "scale" else 0)):
                    lost.append(owner)
                continue
            found.append(place_of(owner, layer, name, record))
    if lost:
        fail(
            CALLER,
            "unsupported",
            f"{len(lost)} arrays of MODEL have no place in the file that it came from: "
            f"{', '.join(lost)}; export the network before nn_fold or other changes of its layers",
        )
    return found


def place_of(owner: str, layer: graph.Layer, name: str, record: Mapping[str, Any]) -> Place:
    """Read one record of ``layer.source``."""
    array = value_array(layer[name])
    if name == "weights" and layer["type"] in ("conv2d", "transposedconv2d"):
        array = array.reshape(weights_size(layer, 4), order="F")
    part = np.ravel(value_array(record.get("part")))
    span = (int(part[0]) - 1, int(part[1])) if part.size else None
    return Place(
        owner=owner,
        name=str(record["name"]),
        array=array,
        size=[int(n) for n in np.ravel(record["size"])],
        order=[int(n) - 1 for n in np.ravel(record["permute"])],
        part=span,
        rule=str(record.get("rule", "")),
        epsilon=scalar(option(layer, "epsilon", 1e-5)),
    )
