"""Networks as plain data: the reference of ``+octcompress/+model``.

A model is a dict whose ``layers`` is a list of dicts (docs/model-format.md). The reference
computes in the user's own layout, features F x N, images H x W x C x N, sequences F x N x T, where
the Octave engine puts the channels first.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..matfile import StructArray
from . import layers as table
from .internal import (
    Array,
    check,
    class_name,
    describe,
    fail,
    is_empty,
    is_number,
    number,
    scalar,
    size,
    value_array,
)
from .layers.common import weights_size
from .quant import Grid, snap_to_grid

Model = dict[str, Any]
Layer = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The order in which a network computes.

    Attributes
    ----------
    types : list of layers.Type
        One per layer.
    inputs : list of lists of int
        The layers that each one reads, counted from 0; -1 is the network's input.
    outputs : list of int
        The layers that nobody reads, or those that ``model['outputs']`` names.
    sizes : list of lists of int
        The size of one observation after each layer: [F], [H, W, C] or [F, T].
    macs : list of float
        Multiply-accumulates of one observation, one per layer.
    """

    types: list[table.Type]
    inputs: list[list[int]]
    outputs: list[int]
    sizes: list[list[int]]
    macs: list[float]


@dataclass
class Trace:
    """What `backward` needs: the input, and each layer's output, state and clipping mask."""

    x: Array
    values: list[Array]
    states: list[Any]
    inside: list[Array | None]


PROMISES = "octcompress_promises"
"""The variable that keeps the promises of a model that is not a network."""


@dataclass(frozen=True)
class Tensor:
    """An array of a model that pruning and quantization work on.

    Attributes
    ----------
    name : str
        Of a network 'conv1.weights'; else where it stands: 'Theta1', 'nn.W{2}'.
    owner : str
        The layer's name, or the same as name.
    layer : int
        The layer's number, counted from 1, or 0.
    field : str
        'weights', 'bias', ..., or ''.
    path : tuple
        The keys and indices that lead to it.
    """

    name: str
    owner: str
    layer: int
    field: str
    path: tuple[Any, ...]


def is_network(model: Any) -> bool:
    """Whether a value is a network of ours: a dict with a list of layers that have a type."""
    return (
        isinstance(model, Mapping)
        and isinstance(model.get("layers"), (list, tuple))
        and len(model["layers"]) > 0
        and all(isinstance(layer, Mapping) and "type" in layer for layer in model["layers"])
    )


def tidy(caller: str, model: Any) -> Model:
    """Check that a value is a network of ours and fill in what may be left out.

    Filled in: format, version, each layer's name ('dense_3': its type and place), weights_size,
    and input_size where the first layer is dense. The argument is not changed.

    Raises
    ------
    ModelError
        ``octcompress:CALLER:notModel``, ``badLayer``, ``unknownType``, ``duplicateName``.
    """
    if not is_network(model):
        fail(
            caller,
            "notModel",
            "MODEL must be a struct with a cell LAYERS of structs that have a TYPE, but is "
            f"{describe(model)}; of a file with arrays only, octcompress convert or the options of "
            "nn_load make a network (docs/model-format.md)",
        )
    model = copy_tree(model)
    model["format"] = "octcompress"
    model["version"] = 1.0
    model["layers"] = [tidy_layer(caller, k + 1, layer) for k, layer in enumerate(model["layers"])]
    names = [layer["name"] for layer in model["layers"]]
    order = sorted(range(len(names)), key=lambda k: names[k])
    for first, second in pairwise(order):
        if names[first] == names[second]:
            fail(
                caller,
                "duplicateName",
                f"layers {first + 1} and {second + 1} have the same name, '{names[first]}'; names "
                "must be unique",
            )
    if "input_size" not in model and model["layers"][0]["type"] == "dense":
        model["input_size"] = float(size(model["layers"][0]["weights"])[1])
    if "input_size" not in model:
        fail(
            caller,
            "notModel",
            "MODEL must have INPUT_SIZE: the number of features, [height width channels] or "
            "[features steps]",
        )
    return model


def tidy_layer(caller: str, place: int, layer: Layer) -> Layer:
    """Give a layer its name, its parameters as arrays and its weights_size."""
    entry = table.types(layer["type"])
    if entry is None:
        fail(
            caller,
            "unknownType",
            f"layer {place} has the type {describe(layer['type'])}, which is none of "
            f"{', '.join(table.TYPES)}",
        )
    if not layer.get("name"):
        layer["name"] = f"{layer['type']}_{place}"
    for name in entry.prunable:
        if name not in layer or class_name(layer[name]) not in ("single", "double"):
            fail(
                caller,
                "badLayer",
                f"layer {place} ('{layer['name']}', {layer['type']}) must have {name.upper()}, a "
                "single array",
            )
    for name in entry.trained + entry.statistics:
        if name in layer:
            layer[name] = value_array(layer[name])
    if "weights" in layer and "weights_size" not in layer:
        dims = 4 if layer["type"] in ("conv2d", "transposedconv2d") else 2
        layer["weights_size"] = np.array([weights_size(layer, dims)], float)
    return layer


def plan(caller: str, model: Model) -> Plan:
    """Find who reads whom, and the size of every result, in a tidy network.

    A layer reads the one before it unless it names its inputs; the name 'input' is the network's
    input. Layers stand in topological order.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:unknownInput``, ``badInputs``, ``badSize``, ``unknownOutput``, each
        naming the layer.
    """
    layers = model["layers"]
    names = [layer["name"] for layer in layers]
    result = Plan([], [], [], [], [])
    for k, layer in enumerate(layers):
        entry = table.TYPES[layer["type"]]
        reads = [k - 1]
        if not is_empty(layer.get("inputs")):
            reads = find_inputs(caller, layer, k, names)
        who = f"layer {k + 1} ('{layer['name']}'"
        if not entry.inputs[0] <= len(reads) <= entry.inputs[1]:
            fail(
                caller,
                "badInputs",
                f"{who}, {layer['type']}) takes {table.input_text(entry)} inputs, but names "
                f"{len(reads)}",
            )
        in_sizes = [result.sizes[r] if r >= 0 else input_size(model) for r in reads]
        try:
            out_size, macs = entry.run.size(layer, in_sizes if entry.several else in_sizes[0])
        except Exception as problem:
            fail(caller, "badSize", f"{who}, {layer['type']}): {problem}")
        result.types.append(entry)
        result.inputs.append(reads)
        result.sizes.append(out_size)
        result.macs.append(macs)

    read = {r for reads in result.inputs for r in reads}
    result.outputs.extend(k for k in range(len(layers)) if k not in read)
    if not is_empty(model.get("outputs")):
        wanted = names_in(model["outputs"])
        for name in wanted:
            if name not in names:
                fail(
                    caller,
                    "unknownOutput",
                    f"MODEL.OUTPUTS names '{name}', but no layer has that name",
                )
        result.outputs[:] = [names.index(name) for name in wanted]
    return result


def input_size(model: Model) -> list[Any]:
    """Return the size of one observation of the input: [F], [H, W, C] or [F, T]."""
    return [int(v) if v == v else np.nan for v in np.ravel(model["input_size"])]


def find_inputs(caller: str, layer: Layer, k: int, names: list[str]) -> list[int]:
    """Find the layers whose names a layer gives as its inputs; -1 for 'input'."""
    reads = []
    for name in names_in(layer["inputs"]):
        if name in names[:k]:
            reads.append(names.index(name))
        elif name == "input":
            reads.append(-1)
        else:
            fail(
                caller,
                "unknownInput",
                f"layer {k + 1} ('{layer['name']}') reads '{name}', but no layer before it has "
                f"that name; they are input, {', '.join(names[:k])}",
            )
    return reads


def names_in(value: Any) -> list[str]:
    """Make one name or several a list."""
    return [value] if isinstance(value, str) else list(value)


def tensors(model: Model, with_bias: bool = False) -> list[Tensor]:
    """List the tensors of a network, or of any dict of arrays, lists and dicts.

    In a network these are the parameters that `layers.TYPES` calls prunable, and with
    `with_bias` all the trained ones. Elsewhere every real single or double array counts: with at
    least two dimensions longer than 1 as weights, with one as a bias.
    """
    if is_network(model):
        return tensors_of_network(model, with_bias)
    found: list[Tensor] = []
    for key, value in model.items():
        if key != PROMISES:
            walk(value, key, (key,), with_bias, found)
    return found


def tensors_of_network(model: Model, with_bias: bool) -> list[Tensor]:
    """List the parameters of the layers, in their order."""
    found = []
    for k, layer in enumerate(model["layers"]):
        entry = table.TYPES[layer["type"]]
        for field in entry.trained if with_bias else entry.prunable:
            if field in layer and np.size(layer[field]) > 0:
                name = f"{layer['name']}.{field}"
                path = ("layers", k, field)
                found.append(Tensor(name, layer["name"], k + 1, field, path))
    return found


def walk(
    value: Any, name: str, path: tuple[Any, ...], with_bias: bool, found: list[Tensor]
) -> None:
    """Append the tensors inside a value that stands at `path`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            walk(inner, f"{name}.{key}", (*path, key), with_bias, found)
    elif isinstance(value, StructArray):
        for k, item in enumerate(value):
            walk(item, f"{name}({k + 1})", (*path, k), with_bias, found)
    elif isinstance(value, (list, tuple)):
        for k, inner in enumerate(value):
            walk(inner, f"{name}{{{k + 1}}}", (*path, k), with_bias, found)
    elif isinstance(value, np.ndarray) and value.dtype == object:  # a cell of M x N
        for k in range(value.size):
            step = np.unravel_index(k, value.shape, order="F")
            walk(value[step], f"{name}{{{k + 1}}}", (*path, step), with_bias, found)
    elif isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float64):
        long = sum(length > 1 for length in value.shape)
        if long >= 2 or (with_bias and long == 1):
            found.append(Tensor(name, name, 0, "", path))


def select_tensors(caller: str, model: Model, layers: Any, with_bias: bool) -> list[Tensor]:
    """List the tensors of the layers that the user named, in the model's order.

    Parameters
    ----------
    layers : None, str, number, or list of them
        Names or numbers (from 1) of layers; None for all. In a model that is not a network: of
        tensors.
    with_bias : bool
        Biases and other vectors too.

    Raises
    ------
    ModelError
        ``octcompress:CALLER:unknownLayer``, ``noTensors``.
    """
    found = tensors(model, with_bias)
    if not found:
        fail(
            caller,
            "noTensors",
            "MODEL has no weights: no layer and no field holds a single or double matrix",
        )
    if is_empty(layers):
        return found
    if is_network(model):
        what, numbers = "layer", [t.layer for t in found]
    else:
        what, numbers = "tensor", list(range(1, len(found) + 1))
    if isinstance(layers, str) or is_number(layers):
        layers = [layers]
    chosen = set()
    for wanted in layers if isinstance(layers, (list, tuple)) else np.ravel(layers, order="F"):
        keys: list[Any] = [t.owner for t in found] if isinstance(wanted, str) else list(numbers)
        hits = [k for k, key in enumerate(keys) if key == wanted]
        if not hits:
            known = ", ".join(f"{n} '{t.owner}'" for n, t in zip(numbers, found, strict=True))
            fail(
                caller,
                "unknownLayer",
                f"LAYERS names {describe(wanted)}, but no {what} with weights has that name or "
                f"number; they are {known}",
            )
        chosen.update(hits)
    return [found[k] for k in sorted(chosen)]


def copy_model(caller: str, model: Any) -> Any:
    """Copy a model, tidy where it is a network; the arrays are shared."""
    return tidy(caller, model) if is_network(model) else copy_tree(model)


def chosen_tensors(
    caller: str, model: Any, layers: Any, bias: bool
) -> tuple[Any, list[Tensor], list[Array]]:
    """Copy the model and find the tensors that the user named, and their finite arrays.

    An array comes as one tensor that is called 'array'.
    """
    if not isinstance(model, Mapping):
        check(caller, "w", model, "finite")
        return model, [Tensor("array", "array", 0, "", ())], [value_array(model)]
    model = copy_model(caller, model)
    tensors = select_tensors(caller, model, layers, bias)
    arrays = []
    for tensor in tensors:
        w = get_tensor(model, tensor)
        check(caller, "w", w, "finite", f"'{tensor.name}'")
        arrays.append(value_array(w))
    return model, tensors, arrays


def get_tensor(model: Model, tensor: Tensor) -> Any:
    """Return the array of a tensor."""
    value: Any = model
    for step in tensor.path:
        value = value[step]
    return value


def set_tensor(model: Model, tensor: Tensor, array: Array) -> None:
    """Put an array in a tensor's place."""
    place: Any = model
    for step in tensor.path[:-1]:
        place = place[step]
    place[tensor.path[-1]] = array


def get_promise(model: Model, tensor: Tensor, kind: str) -> dict[str, Any] | None:
    """Return what compression has promised of a tensor: `kind` is 'pruning' or 'quantization'."""
    if tensor.layer > 0:
        return model["layers"][tensor.layer - 1].get(kind, {}).get(tensor.field)
    for entry in model.get(PROMISES, []):
        if entry["tensor"] == tensor.name:
            return entry.get(kind)
    return None


def set_promise(model: Model, tensor: Tensor, kind: str, value: dict[str, Any]) -> None:
    """Write what compression has promised of a tensor beside it."""
    if tensor.layer > 0:
        model["layers"][tensor.layer - 1].setdefault(kind, {})[tensor.field] = value
        return
    kept = model.setdefault(PROMISES, [])
    for entry in kept:
        if entry["tensor"] == tensor.name:
            entry[kind] = value
            return
    kept.append({"tensor": tensor.name, kind: value})


def copy_tree(value: Any) -> Any:
    """Copy the dicts and lists of a model; the arrays in them are shared."""
    if isinstance(value, Mapping):
        return {key: copy_tree(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [copy_tree(inner) for inner in value]
    if isinstance(value, StructArray):
        return StructArray([copy_tree(item) for item in value], value.shape, value.fields)
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.copy()
        for place in np.ndindex(value.shape):
            value[place] = copy_tree(value[place])
    return value


def batches(caller: str, model: Model, x: Any, batch_size: float) -> tuple[Array, list[slice]]:
    """Check a network's inputs and cut them into batches.

    Parameters
    ----------
    x : array
        F x N, H x W x C x N, or F x N x T; any numeric class or logical.

    Returns
    -------
    x : array
        The same with all its dimensions: 2, 4 or 3 of them.
    ranges : list of slice
        The observations of each batch.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badInput``, ``notFinite``.
    """
    wanted = input_size(model)
    given = describe(x)
    if class_name(x) in ("char", "cell", "struct") or np.iscomplexobj(x):
        fail(caller, "badInput", f"X must be a real numeric array, but is {given}")
    x = value_array(x).reshape(size(x))
    shape = x.shape + (1,) * (4 - x.ndim)
    if len(wanted) == 1:
        fits = x.ndim == 2 and shape[0] == wanted[0]
        text = f"{wanted[0]} features in each column"
    elif len(wanted) == 2:
        steps = wanted[1]
        fits = x.ndim <= 3 and shape[0] == wanted[0] and (np.isnan(steps) or shape[2] == steps)
        text = f"{wanted[0]} features x N observations x {number(steps)} steps"
    else:
        fits = x.ndim <= 4 and list(shape[:3]) == wanted
        text = f"{wanted[0]} x {wanted[1]} x {wanted[2]} x N images"
    if not fits:
        fail(caller, "badInput", f"X must have {text}, but is {given}")
    if x.dtype.kind == "f":
        check(caller, "x", x, "finite")
    x = x.reshape(shape[: {1: 2, 2: 3, 3: 4}[len(wanted)]])
    count = x.shape[observation_axis(x)]
    step = int(min(scalar(batch_size), max(count, 1)))
    return x, [slice(first, min(first + step, count)) for first in range(0, count, step)]


def observation_axis(x: Array) -> int:
    """Return the dimension of the observations: the last of images, 1 of all else."""
    return 3 if x.ndim == 4 else 1


def predict(caller: str, model: Any, x: Any, batch_size: Any) -> list[Array]:
    """Compute the outputs of a network, batch by batch; see `verbs.predict`."""
    check(caller, "batch_size", batch_size, "integer", (1, np.inf))
    model = tidy(caller, model)
    order = plan(caller, model)
    x, ranges = batches(caller, model, x, batch_size)
    if not ranges:
        return [no_observations(order.sizes[k], float_class(model)) for k in order.outputs]
    parts = [forward(order, model["layers"], take_batch(x, model, which))[0] for which in ranges]
    return [np.concatenate(y, axis=observation_axis(y[0])) for y in zip(*parts, strict=True)]


def no_observations(out_size: list[int], dtype: Any) -> Array:
    """Make the output for an input without observations: F x 0, H x W x C x 0 or F x 0 x T."""
    if len(out_size) == 3:
        return np.zeros((*out_size, 0), dtype)
    return np.zeros((out_size[0], 0, *out_size[1:]), dtype)


def take_batch(x: Array, model: Model, which: Any) -> Array:
    """Take some observations, in the network's class, on its input's grid where it has one.

    Parameters
    ----------
    x : array
        As `batches` gives it.
    which : slice or list of int
        Numbers of the observations, counted from 0.
    """
    batch = x[:, :, :, which] if x.ndim == 4 else x[:, which]
    batch = batch.astype(float_class(model))
    grid = model.get("quantization", {}).get("input")
    return batch if grid is None else snap_activation(batch, grid)[0]


def float_class(model: Model) -> Any:
    """Return the class a network computes in: double if its first weights are, else single."""
    for layer in model["layers"]:
        if "weights" in layer:
            return value_array(layer["weights"]).dtype
    return np.dtype(np.float32)


def forward(
    plan: Plan, layers: list[Layer], x: Array, random: np.random.RandomState | None = None
) -> tuple[list[Array], Trace]:
    """Compute a network on one batch.

    Parameters
    ----------
    plan : Plan
    layers : list of dicts
        Their weights may differ from those the plan was made of.
    x : array
        The batch, in the user's layout.
    random : RandomState
        In training only: what dropout draws from.

    Returns
    -------
    y : list of arrays
        The outputs that ``plan.outputs`` names.
    trace : Trace
        For `backward`.

    Where ``layer['quantization']['output']`` is a grid, the layer's output is put on it.
    """
    trace = Trace(x, [], [], [])
    for entry, layer, reads in zip(plan.types, layers, plan.inputs, strict=True):
        value, state = entry.run.forward(layer, gather(entry, trace, reads), random)
        inside = None
        grid = layer.get("quantization", {}).get("output")
        if grid is not None:
            value, inside = snap_activation(value, grid)
        trace.values.append(value)
        trace.states.append(state)
        trace.inside.append(inside)
    return [trace.values[k] for k in plan.outputs], trace


def snap_activation(x: Array, grid: Grid) -> tuple[Array, Array]:
    """Put a batch on its grid; a dynamic one has a range for each observation."""
    if grid.get("dynamic"):
        grid = {**grid, "axis": observation_axis(x) + 1.0}
    y, _, inside = snap_to_grid(x, grid)
    return y, inside


def gather(entry: table.Type, trace: Trace, reads: list[int]) -> Any:
    """Return what a layer reads: one array, or a list where the type takes several."""
    values = [trace.values[r] if r >= 0 else trace.x for r in reads]
    return values if entry.several else values[0]


def backward(
    plan: Plan,
    layers: list[Layer],
    trace: Trace,
    dy: list[Array],
    need_dx: bool = False,
    d_outputs: dict[int, Array] | None = None,
) -> tuple[list[dict[str, Array]], Array | None]:
    """Differentiate a loss by the parameters of a network, and by its input where asked.

    Parameters
    ----------
    dy : list of arrays
        The loss's gradient by each output of ``plan.outputs``.
    d_outputs : dict, optional
        Is filled with the gradient by the output of each layer that has an influence.

    A layer whose output lies on a grid passes the gradient on where the value was inside the
    grid's range (straight-through estimator [1]_).

    References
    ----------
    .. [1] Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013,
       arXiv:1308.3432.
    """
    gradients: list[dict[str, Array]] = [{} for _ in layers]
    by_value: dict[int, Array] = {}  # the gradient by each layer's output; -1 is the input
    for k, d in zip(plan.outputs, dy, strict=True):
        add(by_value, k, d)
    for k in reversed(range(len(layers))):
        if k not in by_value:
            continue
        d = by_value.pop(k)
        if d_outputs is not None:
            d_outputs[k] = d
        inside = trace.inside[k]
        if inside is not None:
            d = np.where(inside, d, 0)
        entry, reads = plan.types[k], plan.inputs[k]
        wanted = need_dx or any(r >= 0 for r in reads)
        x = gather(entry, trace, reads)
        d_in, gradients[k] = entry.run.backward(
            layers[k], x, trace.values[k], d, trace.states[k], wanted
        )
        if wanted:
            for r, d_one in zip(reads, d_in if entry.several else [d_in], strict=True):
                add(by_value, r, d_one)
    return gradients, by_value.get(-1)


def add(totals: dict[int, Array], key: int, more: Array) -> None:
    """Add to the total under a key, which may not be there yet."""
    totals[key] = totals[key] + more if key in totals else more


def labels(caller: str, y: Any, classes: int) -> Array:
    """Return the class numbers of a batch, from class numbers or one-hot columns.

    Parameters
    ----------
    y : array
        N class numbers 1 to K; or one-hot, K x N or N x K (any numeric class or logical).
    classes : int
        K.

    Returns
    -------
    array
        1 x N double.

    Raises
    ------
    DataError
        ``octcompress:CALLER:badLabels``.
    """
    y = value_array(y)
    one_observation = y.size == classes and is_one_hot(y.reshape(-1, 1, order="F"))
    if y.ndim == 2 and 1 in y.shape and (classes > 1 or y.size == 1) and not one_observation:
        numbers = y.reshape(1, -1).astype(float)
        fine = (numbers >= 1) & (numbers <= classes) & (numbers == np.trunc(numbers))
        if not fine.all():
            k = int(np.flatnonzero(~fine)[0])
            fail(
                caller,
                "badLabels",
                f"Y must hold class numbers from 1 to {classes}, but element {k + 1} is "
                f"{number(numbers[0, k])}",
            )
        return numbers
    for columns in (y, y.T):
        if columns.shape[0] == classes and is_one_hot(columns):
            return columns.argmax(axis=0).reshape(1, -1) + 1.0
    fail(
        caller,
        "badLabels",
        f"Y must hold class numbers from 1 to {classes}, or be one-hot of {classes} x N, but is "
        f"{describe(y)}",
    )


def is_one_hot(y: Array) -> bool:
    """Whether each column is 0 but for a single 1."""
    return y.ndim == 2 and bool(np.isin(y, (0, 1)).all() and (y.sum(axis=0) == 1).all())
