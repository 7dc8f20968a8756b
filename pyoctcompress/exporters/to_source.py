"""Networks back in the layout that they came from: compressed weights in the old places.

What else the source holds stays as it is. MAT files are written as -v6, or -v7.3 where the source
is; Keras files and safetensors keep the types of their arrays.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pyoctcompress import matfile
from pyoctcompress.exporters import to_safetensors
from pyoctcompress.exporters.constants import CALLER, write_file
from pyoctcompress.exporters.places import Place, assembled, by_name, places_of
from pyoctcompress.reference import model as graph
from pyoctcompress.reference.internal import Array, fail, value_array

MAT_LAYOUTS = (
    *("variables", "theta", "cells", "simplenn", "dagnn"),
    *("deeplearn_nn", "deeplearn_cnn"),
)
# Nothing else in the file says how large the arrays are.
FLAT = ("variables", "theta", "safetensors", "pytorch")


@dataclass
class Written:
    """What was written: the network, its places, and notes for the user."""

    model: graph.Model
    places: list[Place]
    layout: str
    precision: str = "float"
    notes: list[str] = field(default_factory=list)
    files: list[Any] = field(default_factory=list)


def layout_of(model: Any) -> tuple[str, str]:
    """Return the layout and the file that a network came from; empty where it has none."""
    meta = model.get("meta") if isinstance(model, Mapping) else None
    source = meta.get("source", {}) if isinstance(meta, Mapping) else {}
    return str(source.get("layout", "")), str(source.get("file", ""))


def write(model: Any, path: Any, *, source: Any = None) -> Written:
    """Write a network in the layout of the file that it came from.

    Parameters
    ----------
    model : dict
        A network with ``meta.source`` and ``layer.source``.
    path : path
        The file.
    source : path, optional
        The file that the network came from, where it has moved.

    Returns
    -------
    Written
        What was written.
    """
    layout, file = layout_of(model)
    if not layout:
        fail(
            CALLER,
            "unsupported",
            "MODEL does not say where its arrays came from; only networks that octcompress "
            "convert or nn_load made of another layout can go back into it",
        )
    model = graph.tidy(CALLER, model)
    places = places_of(model)
    written = Written(model, places, layout)
    origin = Path(os.fspath(source or file or "."))
    if not origin.is_file() and (source or layout not in FLAT):
        fail(
            CALLER,
            "noFile",
            f"the file that MODEL came from, '{origin}', is not there; name it by the option "
            "source",
        )
    changed = [place.owner for place in places if place.grown]
    if changed and layout not in FLAT:
        fail(
            CALLER,
            "unsupported",
            f"arrays of MODEL have other sizes than in '{origin}', which describes its layers "
            f"itself: {', '.join(changed)}",
        )
    if layout in MAT_LAYOUTS:
        write_mat(path, places, origin)
    elif layout == "keras":
        write_keras(path, places, origin)
    elif layout in ("safetensors", "pytorch"):
        arrays = {name: assembled(group, None) for name, group in by_name(places).items()}
        old = origin if layout == "safetensors" and origin.is_file() else None
        to_safetensors.write_arrays(path, arrays, old)
        if layout == "pytorch":
            written.notes.append("written as safetensors, which PyTorch loads")
    else:
        fail(
            CALLER,
            "unsupported",
            f"there is no way back into the layout '{layout}'; export MODEL as .onnx, .tflite, .c "
            "or .safetensors instead",
        )
    return written


def write_mat(path: Any, places: list[Place], origin: Path) -> None:
    """Write a .mat file with arrays replaced; of flat layouts the file need not be there."""
    there = origin.is_file()
    new_kind = there and is_v73(origin)
    if new_kind and not any(place.grown for place in places):
        write_copy(path, origin, lambda file: replace_v73(file, places))
        return
    variables: dict[str, Any] = matfile.load(origin, caller=CALLER) if there else {}
    for name, group in by_name(places).items():
        steps = steps_of(name)
        old = get(variables, steps)
        if group[0].rule == "maps":
            put(variables, steps, maps(group[0]))
            continue
        before = None if old is None else value_array(old)
        new = assembled(group, before)
        kind = new.dtype if before is None or before.dtype.kind != "f" else before.dtype
        put(variables, steps, new.astype(kind))
    save = matfile.save73 if new_kind else matfile.save
    save(path, variables, caller=CALLER)


def is_v73(path: Path) -> bool:
    """Whether a file is MATLAB's v7.3."""
    with open(path, "rb") as file:
        return file.read(10) == b"MATLAB 7.3"


def write_copy(path: Any, origin: Path, change: Callable[[BinaryIO], None]) -> None:
    """Copy a file, and change the copy before it gets its name."""

    def copy(file: BinaryIO) -> None:
        with open(origin, "rb") as old:
            shutil.copyfileobj(old, file, 1 << 20)
        file.seek(0)
        change(file)
        file.seek(0, os.SEEK_END)

    write_file(path, copy)


def replace_v73(file: BinaryIO, places: list[Place]) -> None:
    """Overwrite arrays of a v7.3 file, whose MATLAB objects and all else stay as they are."""
    import h5py

    def follow(place: Any, number: tuple[int, ...]) -> Any:
        # References stand transposed: their order in the file is MATLAB's.
        held = place[()]
        return root[held.reshape(-1)[number[0]] if len(number) == 1 else held[number[::-1]]]

    def locate(steps: list[Any]) -> Any:
        place, element = root, None
        for step in steps:
            if not isinstance(step, str):
                if isinstance(place, h5py.Dataset):
                    place = follow(place, step)
                else:  # of a struct array: its fields hold references
                    element = step
                continue
            place = place[step]
            if element is not None and h5py.check_ref_dtype(place.dtype):
                place = follow(place, element)
            element = None
        return place

    def fill(place: Any, value: Any) -> None:
        if isinstance(value, list):
            for k, each in enumerate(value):
                fill(follow(place, (k,)), each)
        else:
            place[...] = np.asarray(value).T.reshape(place.shape).astype(place.dtype)

    with h5py.File(file, "r+") as root:
        for name, group in by_name(places).items():
            try:
                place = locate(steps_of(name))
            except (KeyError, IndexError, ValueError, AttributeError):
                fail(CALLER, "badModel", f"the source has no '{name}', where an array must go")
            if group[0].rule == "maps":
                fill(place, maps(group[0]))
            else:
                fill(place, assembled(group, place[()].T))


def maps(place: Place) -> Any:
    """Give kernels as DeepLearnToolbox has them, ``k{in}{out}``, and biases ``b{out}``."""
    values = place.theirs().astype(np.float64)
    if values.ndim == 4:
        ins, outs = values.shape[2:]
        return [[values[:, :, i, j] for j in range(outs)] for i in range(ins)]
    return [float(value) for value in values.ravel()]


_STEP = re.compile(r"\.?([A-Za-z]\w*)|\{([\d,]+)\}|\(([\d,]+)\)")


def steps_of(name: str) -> list[Any]:
    """Cut a name such as ``net.layers{3}.weights{1}`` into keys and indices (from 0)."""
    steps: list[Any] = []
    end = 0
    for found in _STEP.finditer(name):
        if found.start() != end:
            break
        end = found.end()
        numbers = found[2] or found[3]
        steps.append(found[1] or tuple(int(n) - 1 for n in numbers.split(",")))
    if end != len(name) or not steps:
        fail(CALLER, "badModel", f"the name '{name}' in LAYER.SOURCE cannot be read")
    return steps


def get(value: Any, steps: list[Any]) -> Any:
    """Return what stands at the end of a path; None where there is nothing."""
    for step in steps:
        try:
            value = value[place_in(value, step)]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def place_in(value: Any, step: Any) -> Any:
    """Make a step a key or an index: cells are lists or arrays, struct arrays are lists."""
    if isinstance(step, str):
        return step
    if isinstance(value, np.ndarray):
        if len(step) == 1:
            return np.unravel_index(step[0], value.shape, order="F")
        return step
    if isinstance(value, Mapping):  # a 1 x 1 struct array
        raise KeyError(step)
    return step[-1]


def put(value: Any, steps: list[Any], new: Any) -> None:
    """Put an array at the end of a path that is there, or as a new variable."""
    for k, step in enumerate(steps[:-1]):
        if isinstance(value, Mapping) and not isinstance(step, str) and not any(step):
            continue  # x(1) of a scalar struct is x
        try:
            value = value[place_in(value, step)]
        except (KeyError, IndexError, TypeError):
            where = "".join(map(str, steps[: k + 1]))
            fail(CALLER, "badModel", f"the source has no '{where}', where an array must go")
    value[place_in(value, steps[-1])] = new


def write_keras(path: Any, places: list[Place], origin: Path) -> None:
    """Copy a Keras file, and replace datasets in the copy."""
    if not zipfile.is_zipfile(origin):
        write_copy(path, origin, lambda file: replace_datasets(file, places))
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(origin) as old:
        weights = Path(old.extract("model.weights.h5", folder))
        replace_datasets(weights, places)

        def pack(file: BinaryIO) -> None:
            with zipfile.ZipFile(file, "w") as new:
                for entry in old.infolist():
                    if entry.filename == "model.weights.h5":
                        new.write(weights, entry.filename, zipfile.ZIP_STORED)
                    else:
                        new.writestr(entry, old.read(entry))
            file.seek(0, os.SEEK_END)

        write_file(path, pack)


def replace_datasets(file: Any, places: list[Place]) -> None:
    """Overwrite datasets of an HDF5 file."""
    import h5py

    with h5py.File(file, "r+") as root:
        for name, group in by_name(places).items():
            if name not in root:
                fail(CALLER, "badModel", f"the source has no dataset '{name}'")
            dataset = root[name]
            new: Array = assembled(group, dataset[()])
            dataset[...] = new.astype(dataset.dtype)
