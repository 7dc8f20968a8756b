"""Keras: .h5 and .keras files, Sequential and functional, without TensorFlow."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress.errors import OctcompressError
from pyoctcompress.importers import keras_layers as kinds
from pyoctcompress.importers.building import Array, Builder, Unsupported, Value, fail
from pyoctcompress.matfile.hdf5 import Reader, opened
from pyoctcompress.matfile.types import Fault

# Half of the machine's memory.
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
_LARGEST_CONFIG = 64 << 20
_LARGEST_INFLATION = 1040


def read(
    path: Path, options: Mapping[str, Any]
) -> tuple[dict[str, Any], Builder, list[Value], dict[str, Any]]:
    """Make a network of a Keras file.

    Parameters
    ----------
    path : path
        .h5 or .keras.
    options : mapping
        ``input_size``, where the file leaves it open.

    Returns
    -------
    model : dict
        The network.
    builder : Builder
        It knows the input.
    outputs : list of Value
        The outputs.
    config : dict
        What the file says of its layers.
    """
    try:
        with contextlib.ExitStack() as stack:
            if zipfile.is_zipfile(path):
                config, place = stack.enter_context(_unpacked(path))
                file = stack.enter_context(opened(Path(place), MEMORY))
                store: _Store = _Keras3(path, file)
            else:
                file = stack.enter_context(opened(path, MEMORY))
                if "model_config" not in file.attrs:
                    fail(
                        "badFile",
                        f"'{path}' holds the weights of a Keras model, but not its layers; save "
                        "the whole model (model.save)",
                    )
                config = {"module": "", **json.loads(file.attrs["model_config"])}
                version = file.attrs.get("keras_version", b"")
                version = version.decode() if isinstance(version, bytes) else str(version)
                config["keras_version"] = version
                store = _Keras2(path, file)
            network = _Network(path, config, store)
            outputs = network.build(options)
            return network.builder.model(outputs, "keras", path), network.builder, outputs, config
    except Fault as fault:
        raise fault.error("convert") from None
    except OctcompressError:  # some are OSErrors
        raise
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
        first = (str(error) or type(error).__name__).split("\n")[0]
        fail("damaged", f"'{path}' is damaged, or not as Keras writes it: {first}")


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Give the configuration of a .keras file, and its weights as a file of their own."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        fail("damaged", f"'{path}' is damaged: {error}")
    with archive, tempfile.TemporaryDirectory(prefix="octcompress-keras-") as folder:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if "model.weights.h5" not in entries or "config.json" not in entries:
            fail("badFile", f"'{path}' has no config.json and model.weights.h5")
        config, weights = entries["config.json"], entries["model.weights.h5"]
        free = shutil.disk_usage(folder).free
        for entry, most in ((config, _LARGEST_CONFIG), (weights, free - (64 << 20))):
            if entry.file_size > min(most, _LARGEST_INFLATION * max(entry.compress_size, 1 << 10)):
                fail("tooLarge", f"'{path}': {entry.filename} says that it has {entry.file_size} "
                     "bytes")  # fmt: skip
        try:
            described = json.loads(archive.read(config))
            version = json.loads(archive.read("metadata.json")).get("keras_version", "3")
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            fail("damaged", f"'{path}' is damaged: {error}")
        place = os.path.join(folder, "weights.h5")
        with archive.open(weights) as source, open(place, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield {**described, "keras_version": str(version)}, place


class _Store:
    """The weights of the layers."""

    def __init__(self, path: Path, file: Any) -> None:
        self.reader = Reader(path, file, MEMORY)
        self.file = file

    def arrays(self, layer: Mapping[str, Any], number: int) -> list[tuple[str, Array]]:
        """Give a layer's arrays in Keras's own order, each with its name."""
        raise NotImplementedError

    def values(self, group: Any, names: Sequence[str]) -> list[tuple[str, Array]]:
        """Read datasets under a group, by their paths."""
        found = []
        for name in names:
            item = group
            for step in name.split("/"):
                item = self.reader.member(item, step)
            place = f"{group.name}/{name}".lstrip("/")
            found.append((place, np.asarray(self.reader.array(item, place))))
        return found


class _Keras2(_Store):
    def arrays(self, layer: Mapping[str, Any], number: int) -> list[tuple[str, Array]]:
        root = self.reader.member(self.file, "model_weights")
        if layer["config"]["name"] not in root:
            return []
        group = self.reader.member(root, layer["config"]["name"])
        names = [
            name.decode() if isinstance(name, bytes) else str(name)
            for name in group.attrs.get("weight_names", [])
        ]
        return self.values(group, names)


class _Keras3(_Store):
    """Groups are called by the layer's name, or by its class and a number among its like."""

    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(path, file)
        self.counts: dict[str, int] = {}

    def arrays(self, layer: Mapping[str, Any], number: int) -> list[tuple[str, Array]]:
        kind = _snake_case(layer["class_name"])
        k = self.counts.get(kind, 0)
        self.counts[kind] = k + 1
        by_class = f"{kind}_{k}" if k else kind
        for top in ("layers", "_layer_checkpoint_dependencies"):
            if top not in self.file:
                continue
            layers = self.reader.member(self.file, top)
            mine = [name for name in (layer["config"]["name"], by_class) if name in layers]
            # Two layers of a class may be called after each other: the name that Keras keeps wins.
            mine.sort(key=lambda name: _kept_name(layers[name]) != layer["config"]["name"])
            for name in mine:
                group = layers[name]
                for inside in ("vars", "cell/vars"):
                    if inside in group and len(group[inside]):
                        numbers = sorted(group[inside], key=int)
                        return self.values(group, [f"{inside}/{n}" for n in numbers])
        return []


def _kept_name(group: Any) -> str:
    name = group.attrs.get("name", "")
    if not name and "vars" in group:
        name = group["vars"].attrs.get("name", "")
    return name.decode() if isinstance(name, bytes) else str(name)


def _snake_case(name: str) -> str:
    """Turn a class's name to what Keras calls its group."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class _Network:
    """The layers of a model while they become ours."""

    def __init__(self, path: Path, config: dict[str, Any], store: _Store) -> None:
        self.path = path
        self.kind = config["class_name"]
        self.config = config["config"]
        self.store = store
        self.builder = Builder()
        version = str(config.get("keras_version", "2")).split(".")[0]
        self.version = int(version) if version.isdigit() else 2
        if self.kind not in ("Sequential", "Functional", "Model"):
            fail("unsupported", f"'{path}' holds a {self.kind}, neither Sequential nor functional")
        layers = self.config if isinstance(self.config, list) else self.config["layers"]
        self.layers: list[dict[str, Any]] = layers

    def build(self, options: Mapping[str, Any]) -> list[Value]:
        """Go through the layers in their order, and give the outputs."""
        unknown: dict[str, list[str]] = {}
        for layer in self.layers:
            kind = layer["class_name"]
            if kind != "InputLayer" and kind not in kinds.LAYERS:
                unknown.setdefault(kind, []).append(layer["config"].get("name", ""))
        if unknown:
            said = [f"{kind} ({', '.join(names[:5])})" for kind, names in sorted(unknown.items())]
            fail(
                "unsupported",
                f"'{self.path}' has layers that none of ours computes: {'; '.join(said)}",
            )
        outputs = (
            self.sequential(options) if self.kind == "Sequential" else self.functional(options)
        )
        if not self.builder.layers:
            fail("unsupported", f"'{self.path}' has no layer")
        return outputs

    def input(self, shape: Any, options: Mapping[str, Any]) -> Value:
        """Find the network's input and the meaning of its axes."""
        given = options.get("input_size")
        if shape is None and given is None:
            fail("badOption", f"'{self.path}' does not tell its input's size; give input_size")
        size = list(shape[1:]) if shape is not None else []
        if given is not None:
            size = [None if n != n else int(n) for n in np.ravel(given)]
            size = size[::-1] if len(size) == 2 else size
        if len(size) not in (1, 2, 3):
            fail("unsupported", f"'{self.path}' reads an input of {len(size) + 1} dimensions")
        if any(n is None for n in (size[1:] if len(size) == 2 else size)):
            fail(
                "badOption",
                f"'{self.path}' leaves the size of its input open ({size}); give the option "
                "input_size",
            )
        axes = {1: "NF", 2: "NTF", 3: "NHWC"}[len(size)]
        if len(size) == 2:
            size = [size[1], np.nan if size[0] is None else size[0]]
        return self.builder.start(size, axes)

    def sequential(self, options: Mapping[str, Any]) -> list[Value]:
        """Build a chain."""
        first = self.layers[0]["config"]
        shape = first.get("batch_input_shape") or first.get("batch_shape")
        if shape is None and isinstance(self.config, Mapping):
            shape = self.config.get("build_input_shape")
        value = self.input(shape, options)
        faults: list[str] = []
        for k, layer in enumerate(self.layers):
            arrays = self.store.arrays(layer, k)
            if layer["class_name"] != "InputLayer" and not faults:
                value = self.layer(layer, [value], arrays, faults) or value
        self.refuse(faults)
        return [value]

    def functional(self, options: Mapping[str, Any]) -> list[Value]:
        """Build a graph: each layer reads what its one inbound node names."""
        inputs = [one for one in self.layers if one["class_name"] == "InputLayer"]
        if len(inputs) != 1:
            fail("unsupported", f"'{self.path}' has {len(inputs)} inputs, where a network has one")
        values: dict[str, Value] = {}
        faults: list[str] = []
        for k, layer in enumerate(self.layers):
            name = layer.get("name") or layer["config"]["name"]
            arrays = self.store.arrays(layer, k)
            if layer["class_name"] == "InputLayer":
                shape = layer["config"].get("batch_input_shape") or layer["config"].get(
                    "batch_shape"
                )
                values[name] = self.input(shape, options)
                continue
            nodes = layer.get("inbound_nodes", [])
            if len(nodes) != 1:
                faults.append(f"{layer['class_name']} ({name}): it is used {len(nodes)} times")
                continue
            reads = _reads(nodes[0])
            if all(one in values for one in reads):
                made = self.layer(layer, [values[one] for one in reads], arrays, faults)
                if made is not None:
                    values[name] = made
        self.refuse(faults)
        outputs = self.config["output_layers"]
        if outputs and isinstance(outputs[0], str):
            outputs = [outputs]
        return [values[one[0]] for one in outputs]

    def layer(
        self, layer: dict[str, Any], reads: list[Value], arrays: list[Any], faults: list[str]
    ) -> Value | None:
        """Add the layers of ours for one of Keras's, or note why it cannot be."""
        kind, config = layer["class_name"], layer["config"]
        try:
            return kinds.LAYERS[kind](kinds.Call(self.builder, config, reads, arrays, self.version))
        except Unsupported as why:
            faults.append(f"{kind} ({config.get('name', '')}): {why}")
            return None

    def refuse(self, faults: list[str]) -> None:
        """Raise what was noted."""
        if faults:
            fail("unsupported", f"'{self.path}' cannot become a network: {'; '.join(faults)}")


def _reads(node: Any) -> list[str]:
    """Give the names of the layers that a node reads, as Keras 2 or 3 writes it."""
    if isinstance(node, Mapping):
        found: list[str] = []

        def walk(value: Any) -> None:
            if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
                found.append(value["config"]["keras_history"][0])
            elif isinstance(value, list | tuple):
                for one in value:
                    walk(one)

        walk(node["args"])
        return found
    if node and isinstance(node[0], str):
        node = [node]
    return [one[0] for one in node]
